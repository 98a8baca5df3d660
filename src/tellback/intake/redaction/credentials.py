"""Credentials of the common vendors, recognised by the shape that the vendor gave them.

Each shape begins with something rare, so a text without any of these beginnings is not searched further. Sources: the
vendors' own pages on their token formats.
"""

import re

# Patterns are one line a vendor, however long.
# ruff: noqa: E501

#: Beginnings (lower case) of which at least one stands in every text with a credential.
TRIGGERS = re.compile(
    r"akia|asia|gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|xapp-|hooks\.slack|[sr]k_(?:live|test)_|whsec_|sk-|aiza|ya29\.|"
    r"sg\.|npm_|pypi-|dop_v1|doo_v1|shp(?:at|ca|pa|ss)_|sq0|eaaa|key-|-us\d|lin_(?:api|oauth)_|atatt|pat-(?:na|eu)|secret_|"
    r"ntn_|eyj|-----begin|hf_|r8_|dapi|glsa_|dckr_pat_|hvs\.|rubygems_|tb_|pk_|nrak-|phc_|figd_|sntrys_|pplx-|gsk_|"
    r"passwor[dt]|passwd|pwd|api[_ -]?key|secret|token|bearer|accountkey|:\d*:aa|\d:aa",
    re.IGNORECASE,
)

_SHAPES = (
    r"-----BEGIN (?:[A-Z]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----[\s\S]{1,8000}?(?:-----END (?:[A-Z]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----|$)",
    r"\beyJ[\w-]{8,2000}\.eyJ[\w-]{8,4000}\.[\w-]{8,2000}",  # JSON web token
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",  # AWS
    r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_\w{22,255})",
    r"\bglpat-[\w-]{20,64}",
    r"\bxox[abeoprs]-[\w-]{10,250}|\bxapp-[\w-]{10,250}|hooks\.slack\.com/services/T\w{6,14}/B\w{6,14}/\w{16,40}",
    r"\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,255}|\bwhsec_[A-Za-z0-9+/=]{20,100}",  # Stripe, Standard Webhooks
    r"\bsk-(?:ant-|proj-|svcacct-|or-)?[\w-]{20,250}",  # OpenAI, Anthropic, OpenRouter
    r"\bAIza[\w-]{35}\b|\bya29\.[\w-]{20,500}",  # Google
    r"\bSG\.[\w-]{16,32}\.[\w-]{32,64}",  # SendGrid
    r"\bSK[0-9a-f]{32}\b|\bAC[0-9a-f]{32}\b",  # Twilio
    r"\bnpm_[A-Za-z0-9]{36}\b|\bpypi-[\w-]{50,400}|\brubygems_[0-9a-f]{48}\b",
    r"\bdo[op]_v1_[0-9a-f]{64}\b|\bdckr_pat_[\w-]{20,64}|\bhvs\.[\w-]{24,200}",
    r"\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}\b|\bsq0[a-z]{3}-[\w-]{22,64}|\bEAAA[\w-]{56,80}",  # Shopify, Square
    r"\bkey-[0-9a-f]{32}\b|\b[0-9a-f]{32}-us\d{1,2}\b",  # Mailgun, Mailchimp
    r"\blin_(?:api|oauth)_[A-Za-z0-9]{32,80}|\bATATT[\w=-]{40,300}|\bpat-(?:na|eu)\d-[0-9a-f-]{36}",  # Linear, Atlassian, HubSpot
    r"\bsecret_[A-Za-z0-9]{40,60}|\bntn_[A-Za-z0-9]{40,60}|\bfigd_[\w-]{40,60}",  # Notion, Figma
    r"\bhf_[A-Za-z0-9]{30,60}|\br8_[A-Za-z0-9]{37,45}|\bgsk_[A-Za-z0-9]{40,60}|\bpplx-[A-Za-z0-9]{40,60}",
    r"\bdapi[0-9a-f]{32}\b|\bglsa_\w{32,60}|\bNRAK-[A-Z0-9]{27}\b|\bphc_[A-Za-z0-9]{40,50}|\bsntrys_[\w=+/-]{40,300}",
    r"\b\d{8,10}:AA[\w-]{33}\b",  # Telegram
    r"\b[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,45}\b",  # Discord
    r"\b(?:tb|pk)_[\w-]{32}\b",  # our own
    r"AccountKey=[A-Za-z0-9+/]{64,100}={0,2}",  # Azure storage
)
CREDENTIAL = re.compile("|".join(f"(?:{shape})" for shape in _SHAPES))

#: A secret that somebody names: "password: hunter2", "api_key = …". The value is group 1.
NAMED_SECRET = re.compile(
    r"\b(?:password|passwort|passwd|pwd|passphrase|api[_ -]?key|api[_ -]?token|access[_ -]?token|auth[_ -]?token|client[_ -]?secret|secret[_ -]?key)"
    r"(?:\s{0,3}[:=]\s{0,3}|\s{1,3}(?:is|was|ist)\s{1,3})[\"'`]?([^\s\"'`,;]{6,200})",
    re.IGNORECASE,
)
BEARER = re.compile(r"\bBearer\s{1,3}([\w.~+/-]{16,2000}=*)", re.IGNORECASE)
_ORDINARY = re.compile(r"^[a-zäöüß]+[.!?,]?$", re.IGNORECASE)


def looks_secret(value: str) -> bool:
    """Whether a named value is a secret rather than the next word of the sentence ("my password is wrong")."""
    return not _ORDINARY.match(value) and not value.startswith("[")
