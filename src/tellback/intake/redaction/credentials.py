"""Credentials of the common vendors, recognised by the shape that the vendor gave them, and secrets that somebody names.

A shape is searched only in a text that holds one of its beginnings. Sources: the vendors' own pages on their token formats.
"""

import re
from collections.abc import Iterator

from tellback.intake.redaction.finding import Found, Text

# Patterns are one line a vendor, however long.
# ruff: noqa: E501, SIM905

#: Vendor, the beginnings (lower case) of which one stands in every text with such a credential, and the shape.
_VENDORS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("private key", ("-----begin",), r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-(?!----)){1,8000}(?:-----END (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----)?"),
    ("JSON web token", ("eyj",), r"\beyJ[\w-]{8,2000}\.eyJ[\w-]{8,4000}\.[\w-]{8,2000}"),
    ("AWS", ("akia", "asia", "abia", "acca"), r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b"),
    ("GitHub", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"), r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_\w{22,255})"),
    ("GitLab", ("glpat-", "gldt-", "glrt-", "glptt-", "glcbt-"), r"\bgl(?:pat|dt|rt|ptt|cbt)-[\w-]{20,300}(?:\.\d\d\.[0-9a-z]{7,12})?"),
    ("Slack", ("xox", "xapp-", "hooks.slack"), r"\bxox[abceoprs]-[\w-]{10,250}|\bxapp-[\w-]{10,250}|hooks\.slack\.com/(?:services|workflows|triggers)/T?\w{6,14}/\w{6,24}/\w{16,60}"),
    ("Stripe", ("_live_", "_test_", "whsec_"), r"\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,255}|\bwhsec_[A-Za-z0-9+/=]{20,100}"),
    ("OpenAI, Anthropic, OpenRouter", ("sk-",), r"\bsk-(?:ant-|proj-|svcacct-|admin-|or-)?(?=[\w-]{0,60}\d)[\w-]{20,250}"),
    ("Google", ("aiza", "ya29.", "gocspx-", "1//0", ":apa91b"), r"\bAIza[\w-]{35}(?![\w-])|\bya29\.[\w-]{20,500}|\bGOCSPX-[\w-]{20,60}|(?<![\w/])1//0[\w-]{40,200}|\bAAAA[\w-]{7}:APA91b[\w-]{120,200}"),
    ("SendGrid", ("sg.",), r"\bSG\.[\w-]{16,32}\.[\w-]{32,64}"),
    ("Twilio", ("sk", "ac"), r"\b(?:SK|AC)[0-9a-f]{32}\b"),
    ("npm, PyPI, RubyGems", ("npm_", "pypi-", "rubygems_"), r"\bnpm_[A-Za-z0-9]{36}\b|\bpypi-[\w-]{50,400}|\brubygems_[0-9a-f]{48}\b"),
    ("DigitalOcean", ("_v1_",), r"\bdo[opr]_v1_[0-9a-f]{64}\b"),
    ("Docker, HashiCorp", ("dckr_", "hvs.", "hvb.", ".atlasv1."), r"\bdckr_[po]at_[\w-]{20,64}|\bhv[sb]\.[\w-]{24,200}|\b\w{14}\.atlasv1\.[\w-]{60,70}"),
    ("Shopify", ("shp",), r"\bshp(?:at|ca|pa|ss|ua)_[0-9a-fA-F]{32}\b"),
    ("Square", ("sq0", "eaaa"), r"\bsq0[a-z]{3}-[\w-]{22,64}|\bEAAA[\w-]{56,80}(?![\w-])"),
    ("Mailgun, Mailchimp", ("key-", "-us", "-"), r"\bkey-[0-9a-f]{32}\b|\b[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}(?![\w-])|\b[0-9a-f]{32}-us\d{1,2}\b"),
    ("Brevo", ("xkeysib-", "xsmtpsib-"), r"\bx(?:key|smtp)sib-[0-9a-f]{64}-\w{16}"),
    ("Linear, Atlassian, HubSpot", ("lin_", "atatt", "pat-"), r"\blin_(?:api|oauth|wh)_[A-Za-z0-9]{32,80}|\bATATT3?[\w=-]{40,300}|\bpat-(?:na|eu)\d-[0-9a-f-]{36}"),
    ("Notion, Figma, Airtable", ("secret_", "ntn_", "figd_", "pat"), r"\bsecret_[A-Za-z0-9]{40,60}|\bntn_[A-Za-z0-9]{40,60}|\bfigd_[\w-]{40,60}|\bpat[A-Za-z0-9]{14}\.[0-9a-f]{64}\b"),
    ("Heroku", ("hrku-",), r"\bHRKU-[\w-]{36,80}"),
    ("Hugging Face, Replicate, Groq, Perplexity", ("hf_", "r8_", "gsk_", "pplx-"), r"\bhf_[A-Za-z0-9]{30,60}|\br8_[A-Za-z0-9]{37,45}|\bgsk_[A-Za-z0-9]{40,60}|\bpplx-[A-Za-z0-9]{40,60}"),
    ("Databricks, Grafana, New Relic", ("dapi", "glsa_", "glc_", "nrak-"), r"\bdapi[0-9a-f]{32}(?:-\d)?\b|\bglsa_\w{32,60}|\bglc_[A-Za-z0-9+/=]{32,400}|\bNRAK-[A-Z0-9]{27}\b"),
    ("PostHog, Sentry", ("phc_", "phx_", "sntry"), r"\bph[cx]_[A-Za-z0-9]{40,50}|\bsntry[su]_[\w=+/-]{40,300}"),
    ("Supabase, PlanetScale, Postman, Doppler, CircleCI", ("sbp_", "sb_", "pscale_", "pmak-", "dp.", "ccipat_"), r"\bsbp_[0-9a-f]{40}\b|\bsb_secret_[\w-]{22}_[\w-]{8}(?![\w-])|\bpscale_(?:tkn|pw|oauth)_[\w.-]{32,64}|\bPMAK-[0-9a-f]{24}-[0-9a-f]{34}\b|\bdp\.(?:pt|st|ct|sa|scim|audit)\.[\w.-]{40,64}|\bCCIPAT_[A-Za-z0-9]{22}_[0-9a-f]{40}\b"),
    ("Telegram", (":aa",), r"\b\d{8,10}:AA[\w-]{32,34}(?![\w-])"),
    ("Discord", (".",), r"(?<![\w.-])[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,45}(?![\w-])"),
    ("Discord and Teams webhooks", ("/api/webhooks/", "webhook.office.com"), r"discord(?:app)?\.com/api/webhooks/\d{15,21}/[\w-]{50,90}|[\w-]{1,40}\.webhook\.office\.com/webhookb2/[\w@/-]{40,260}"),
    ("Azure", ("accountkey=", "sharedaccesskey=", "8q~"), r"(?:Account|SharedAccess)Key=[A-Za-z0-9+/]{40,100}={0,2}|(?<![\w~.-])[\w~.-]{3}8Q~[\w~.-]{30,33}[\w~-](?![\w~-]|\.[\w~])"),
    ("Facebook, X, Dropbox", ("eaa", "aaaaaaaa", "sl."), r"\bEAA[A-Za-z0-9]{60,400}\b|\bA{8,24}[A-Za-z0-9%]{60,120}\b|\bsl\.[\w-]{100,1500}"),
    ("Alibaba, Tencent, Yandex", ("ltai", "akid", "aqvn", "y0_"), r"\bLTAI[A-Za-z0-9]{16,24}\b|\bAKID[A-Za-z0-9]{28,36}\b|\bAQVN[\w-]{35,40}|\by[0-3]_[\w-]{50,60}"),
    ("Mapbox, Pulumi, Netlify, Fly, Render, Resend", ("k.eyj", "pul-", "nfp_", "fm2_", "rnd_", "re_"), r"\b[ps]k\.eyJ[\w-]{20,200}\.[\w-]{20,40}|\bpul-[0-9a-f]{40}\b|\bnfp_[A-Za-z0-9]{36,40}\b|\bfm2_[A-Za-z0-9+/=]{60,1500}|\brnd_[A-Za-z0-9]{28,40}\b|\bre_[A-Za-z0-9]{8}_[A-Za-z0-9]{22,26}\b"),
    ("xAI, Contentful, Typeform, Buildkite, Sourcegraph, Prefect", ("xai-", "cfpat-", "tfp_", "bkua_", "sgp_", "pnu_"), r"\bxai-[A-Za-z0-9]{60,100}\b|\bCFPAT-[\w-]{40,50}|\btfp_[\w.=-]{40,80}|\bbkua_[0-9a-f]{40}\b|\bsgp_(?:[0-9a-f]{16}_|local_)?[0-9a-f]{40}\b|\bpnu_[A-Za-z0-9]{36}\b"),
    ("Adobe, Dynatrace, Duffel, EasyPost, Razorpay, Shippo", ("p8e-", "dt0", "duffel_", "eztk", "ezak", "rzp_", "shippo_"), r"\bp8e-[A-Za-z0-9]{32}\b|\bdt0[a-z]\d\d\.[A-Z0-9]{24}\.[A-Z0-9]{64}\b|\bduffel_(?:test|live)_[\w-]{40,50}|\bEZ[AT]K[A-Za-z0-9]{54}\b|\brzp_(?:live|test)_[A-Za-z0-9]{14,24}\b|\bshippo_(?:live|test)_[0-9a-f]{40}\b"),
    ("1Password, age, Clojars, ReadMe, Scaleway, Vercel, Cloudflare", ("ops_eyj", "age-secret-key-", "clojars_", "rdme_", "scw", "vcp_", "v1.0-"), r"\bops_eyJ[\w=-]{100,2000}|\bAGE-SECRET-KEY-1[0-9A-Z]{58}\b|\bCLOJARS_[0-9a-z]{60}\b|\brdme_[0-9a-z]{70}\b|\bSCW[A-Z0-9]{17}\b|\bvcp_[A-Za-z0-9]{24,60}\b|\bv1\.0-[0-9a-f]{24}-[0-9a-f]{146}\b"),
    ("Asana, ClickUp, LaunchDarkly, NuGet, Plaid, PuTTY", ("1/", "2/", "pk_", "sdk-", "mob-", "api-", "oy2", "access-", "private-lines"), r"(?<![\w/])[12]/\d{13,20}(?:/\d{13,20})?:[0-9a-f]{32}\b|\bpk_\d{4,12}_[A-Z0-9]{32}\b|\b(?:sdk|mob|api)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\boy2[a-z2-7]{43}\b|\baccess-(?:sandbox|development|production)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\bPrivate-Lines: \d{1,3}(?:\r?\n[A-Za-z0-9+/=]{1,80}){1,100}"),
    ("JFrog, Bitbucket, Sonar, Snyk", ("akcp", "cmvmdgtu", "atbb", "atctt", "squ_", "sqp_", "sqa_", "snyk_"), r"\bAKCp[A-Za-z0-9]{60,80}\b|\bcmVmdGtu[A-Za-z0-9]{56}\b|\bATBB[A-Za-z0-9]{24,40}\b|\bATCTT3[\w=-]{60,300}|\bsq[upa]_[0-9a-f]{40}\b|\bsnyk_(?:uat|sat)\.[A-Za-z0-9]{8}\.[\w.-]{40,300}"),
    ("Datadog, Tailscale, ngrok, Lob, Flutterwave, Adyen", ("ddapp_", "tskey-", "_", "flwseck", "aqe"), r"\bddapp_[A-Za-z0-9]{34}\b|\btskey-[a-z]{3,8}-[A-Za-z0-9]{8,24}-[A-Za-z0-9]{20,40}\b|\b[12][A-Za-z0-9]{26}_[A-Za-z0-9]{21}\b|\b(?:live|test)_[0-9a-f]{35}\b|\bFLWSECK(?:_TEST)?-[0-9a-f]{32}-X\b|\bAQE[\w+/-]{60,120}=-[\w!#%&+.,:;<=>?@^{}()|*$~-]{12,20}(?![\w-])"),
    ("NVIDIA, Pinecone, LangSmith, Cerebras, Cursor, E2B, Fireworks, Tavily", ("nvapi-", "pcsk_", "lsv2_", "csk-", "key_", "e2b_", "fw_", "tvly-"), r"\bnvapi-[\w-]{60,80}|\bpcsk_[A-Za-z0-9]{4,8}_[A-Za-z0-9]{50,70}\b|\blsv2_[ps][tk]_[0-9a-f]{32}_[0-9a-f]{10}\b|\bcsk-[a-z0-9]{48}\b|\bkey_[0-9a-f]{64}\b|\be2b_[0-9a-f]{40}\b|\bfw_[A-Za-z0-9]{22,28}\b|\btvly-(?:dev-|prod-)?[A-Za-z0-9]{32}\b"),
    ("Tellback", ("tb_", "pk_"), r"\b(?:tb|pk)_[\w-]{32}\b"),
)  # fmt: skip
#: Every shape has at least this many of these in a row, more than a commit's hash or a UUID. Ordinary text seldom does, and
#: then no shape is tried.
_LONG_RUN = re.compile(
    r"(?<![\w-])(?![0-9a-f-]+(?![\w-]))[\w-]{16}|[0-9a-f]{32}-[0-9a-f]{8}-|AccountKey=|AccessKey=|/\d{13,20}:|8Q~",
    re.ASCII,
)
_SHAPES = tuple(re.compile(shape, re.ASCII) for _, _, shape in _VENDORS)
_BEGINNINGS = tuple((beginning, n) for n, (_, beginnings, _) in enumerate(_VENDORS) for beginning in beginnings)
#: Those of letters and digits alone: there are no others in runs without a mark between them.
_PLAIN_BEGINNINGS = tuple((beginning, n) for beginning, n in _BEGINNINGS if beginning.isalnum())
_MARK = re.compile(r"[^0-9a-z ](?=[^ ])")

_QUALIFIERS = "api access auth refresh bearer bot app client signing encryption private master license licence".split()
#: Without one of these words nobody names a secret.
_NAMED = frozenset(
    [
        *"pass password passwort passwd passcode passphrase pwd pw kennwort contraseña contrasena passe senha wachtwoord lösenord parola hasło heslo şifre пароль".split(),
        *"key token secret bearer basic ssws".split(),
        *(
            f"{qualifier}{api}{noun}"
            for qualifier in (*_QUALIFIERS, "secret")
            for api in ("", "api")
            for noun in ("key", "token", "secret")
        ),
        *"credential credentials".split(),
    ]
)
_PINS = frozenset(["pin", "cvv", "cvc", "cvv2", "cvc2"])
#: The same in scripts without spaces, where they stand inside of what looks like one word.
_UNSPACED_NAMED = ("密码", "密碼", "パスワード", "비밀번호", "รหัสผ่าน")
_NOUN = r"(?<![A-Za-z])(?:pass(?:word|wort|wd|code|phrase)|pwd|pw|kennwort|contrase[ñn]a|mot de passe|senha|wachtwoord|lösenord|parola|hasło|heslo|şifre|пароль|密码|密碼|パスワード|비밀번호|รหัสผ่าน|pass|(?:api|access|auth|refresh|bearer|bot|app|client|signing|encryption|private|master|licen[sc]e)[_ -]?(?:api[_ -]?)?(?:key|token|secret)|secret[_ -]?(?:access[_ -]?)?(?:key|token)|secret|token|credentials?)"
#: A secret that somebody names: "password: hunter2", "api_key = …", `"token": "…"`, "token 00aB3…".
_NAMED_SECRET = re.compile(
    _NOUN
    + r"[\"']?(?P<link>\s{0,3}[:=]\s{0,3}|\s{1,3}(?:is|was|ist|lautet|war|es|est|è|é|to|jest):?\s{1,3}|\s?(?:[是为は는])\s?|\s(?=[\"'`]?(?=[\w-]{0,40}(?:\d[A-Za-z]{1,3}\d|[A-Za-z]\d{1,3}[A-Za-z]))[\w-]{20}))[\"'`]?(?P<value>[^\s\"'`,;<>\[\]]{6,200})",
    re.IGNORECASE,
)
#: In quotes it may be plain words: password = "correct horse".
_QUOTED_SECRET = re.compile(_NOUN + r"[\"']?\s{0,3}[:=]\s{0,3}([\"'`])(?P<value>[^\"'`\n\[\]]{4,200})\1", re.IGNORECASE)
#: What is called a key and is long, of capitals, small letters and digits, is one, whoever gave it.
_KEYED = re.compile(
    r"(?<![A-Za-z])[Kk](?:ey|EY)[\"']?(?:\s{0,3}[:=]\s{0,3}|\s)[\"'`]?(?P<value>(?=[\w~.+/-]{0,60}\d)(?=[\w~.+/-]{0,60}[a-z])(?=[\w~.+/-]{0,60}[A-Z])[\w~.+/-]{24,200}=*)"
)
#: The few digits that open a card or a telephone, behind their name.
_PIN = re.compile(
    r"\b(?:(?:(?-i:PIN)|(?<=my )pin)(?: ?(?:code|number|nummer))?|cv[vc]2?)(?: is| ist| was)?\s?[:=]?\s{0,3}(?P<value>\d{3,8})(?![\w.,:-]\d|\w)",
    re.IGNORECASE,
)
_BEARER = re.compile(
    r"\b(?:Bearer|Basic|ApiKey|SSWS)\s{1,3}(?P<value>(?=[\w.~+/-]{0,60}(?:\d|(?-i:[a-z][A-Z]{1,8}[a-z]{1,8}[A-Z])))[\w.~+/-]{16,2000}=*)",
    re.IGNORECASE,
)
_IN_LINK = re.compile(
    r"(?:[?&#]|;\s?|\bcookie:\s{0,3})(?:(?:access_|id_|auth_|refresh_|reset_|csrf_|api_|invite_)?token|auth|(?:api_?|access_?)?key|(?:client_)?secret|password|passwd|pwd|sig|signature|x-amz-signature|x-amz-credential|x-amz-security-token|code|state|nonce|otp|session|(?:php|j)?sess(?:ion)?_?id|(?:connect\.)?sid|csrftoken|jwt|ticket)=(?P<value>[^&#\s\"'<>\[\]]{6,2000})",
    re.IGNORECASE,
)
_LOGIN_IN_LINK = re.compile(r"://(?P<value>[^/\s:@\[\]]{1,64}:[^/\s@\[\]]{1,128})@")
#: What was taken for a value is the name of the next one: "token: aws_secret_key = …".
_NAMES_ANOTHER = re.compile(r"(?i)(?<![a-z_])[a-z_]{0,40}(?:key|token|secret|password)(?::\s|\s{0,3}=)")
#: What stands where a secret would: stars and dots, or words that say what to put there.
_STAND_IN = re.compile(
    r"(.)\1*|null|none|undefined|true|false|redacted|hidden|masked|[*•.x]{3,}.{0,4}|\.{3}|(?:your|my|the|some|put|insert|enter|example|sample|dummy)(?:[_-][a-z]+)*[_-](?:key|token|secret|password|here)(?:[_-]here)?|\$\{?[A-Z_]+\}?|%[A-Z_]+%|\{\{.*\}\}",
    re.IGNORECASE,
)
_ORDINARY = re.compile(r"[^\W\d_]+(?:[-'’/][^\W\d_]+)*[.!?,:)]*", re.IGNORECASE)


def find_credentials(searched: Text) -> Iterator[Found]:
    """Keys, tokens and named secrets of a text, the surest shapes first."""
    text, lowered = searched.raw, searched.lowered
    has_lines = "-----BEGIN" in text or "Private-Lines" in text
    if has_lines or any(map(_LONG_RUN.search, searched.long)):
        # All shapes but those of lines are without a space, and so inside of one of the text's long runs.
        held = lowered if has_lines else " ".join(searched.long).lower()
        beginnings = _BEGINNINGS if has_lines or _MARK.search(held) else _PLAIN_BEGINNINGS
        for n in sorted({n for beginning, n in beginnings if beginning in held}):
            for match in _SHAPES[n].finditer(text):
                yield Found(match.start(), match.end(), "credential")
    if "=" in text and ("?" in text or "&" in text or "#" in text or ";" in text or "cookie:" in lowered):
        yield from _values(_IN_LINK, text)
    if "://" in text and "@" in text:
        yield from _values(_LOGIN_IN_LINK, text)
    if searched.digits and not searched.words.isdisjoint(_PINS):
        yield from _values(_PIN, text)
    if not searched.words.isdisjoint(_NAMED) or _names_unspaced(text):
        yield from _values(_BEARER, text)
        yield from _values(_KEYED, text)
        for match in _QUOTED_SECRET.finditer(text):
            if not _STAND_IN.fullmatch(match["value"]):
                yield Found(match.start("value"), match.end("value"), "credential")
        yield from _named_secrets(text)


def _named_secrets(text: str) -> Iterator[Found]:
    place = 0
    while match := _NAMED_SECRET.search(text, place):
        start, place = match.span("value")
        if _NAMES_ANOTHER.match(text, start):
            place = start
        elif _looks_secret(match["value"], assigned=match["link"] == "="):
            yield Found(start, place, "credential")


def _names_unspaced(text: str) -> bool:
    return not text.isascii() and any(word in text for word in _UNSPACED_NAMED)


def _values(pattern: re.Pattern[str], text: str) -> Iterator[Found]:
    for match in pattern.finditer(text):
        yield Found(match.start("value"), match.end("value"), "credential")


def _looks_secret(value: str, *, assigned: bool) -> bool:
    """Whether a named value is a secret rather than the next word of the sentence ("my password is wrong").

    A plain word is one only where it is assigned without a space ("password=letmein").
    """
    if _STAND_IN.fullmatch(value):
        return False
    if _ORDINARY.fullmatch(value):
        return assigned
    return "://" not in value and not value.lower().startswith("www.")
