"""Cues that decide more surely than any trained head: how people ask, threaten to leave, greet and hurry."""

import re

# Patterns are one line a thought, however long.
# ruff: noqa: E501

_ASK_FOR = re.compile(
    r"\b(?:please|pls|plz)\s+(?:add|allow|support|let|give|bring|include|make|consider)\b"
    r"|\b(?:could|can|would|will)\s+(?:you|we|it)\b.{0,30}\b(?:add|allow|support|integrate|offer|include|implement|have|get)\b"
    r"|\b(?:would|it'd|it would)\s+be\s+(?:\w+\s+)?(?:nice|great|good|cool|helpful|useful|lovely|awesome|amazing|perfect)\b"
    r"|\b(?:i|we)\s+(?:wish|(?:would|'d)\s+(?:love|like)|really\s+need|need\s+(?:a|an|to|some|the\s+ability))\b"
    r"|\b(?:feature\s+request|ability\s+to|option\s+to|any\s+plans?\s+(?:to|for)|should\s+have\s+an?\s+option)\b"
    r"|\bi\s+wish\b|\b(?:is|are)\s+missing\s+an?\b|\bneeds\s+(?:a|an|to)\b",
    re.IGNORECASE,
)
_QUESTION_START = re.compile(
    r"^(?:so\s+|and\s+|but\s+|hi,?\s+)?(?:how|where|when|why|what|which|who|whose|is|are|does|do|did|can|could|will|would|may|am|"
    r"has|have|wie|wo|wann|warum|comment|pourquoi|où|cómo|dónde|cuándo)\b",
    re.IGNORECASE,
)
_LEAVING = re.compile(
    r"\b(?:cancel(?:l?ing|led)?\s+(?:my|our|the)\s+(?:subscription|account|plan|membership|contract)"
    r"|(?:switch(?:ing|ed)?|mov(?:e|ing|ed)|migrat(?:e|ing))\s+(?:over\s+)?to\s+(?:a|an|another|the|your)?\s*(?:other|another|competitor|different|alternative)"
    r"|uninstall(?:ed|ing)?\b|(?:want|need|give\s+me|get)\s+(?:my|our)\s+money\s+back|(?:not|won't|will\s+not)\s+renew"
    r"|(?:close|delet(?:e|ing))\s+(?:my|our)\s+account|look(?:ing)?\s+(?:for|at)\s+(?:an?\s+)?(?:alternatives?|competitors?|other\s+tools?)"
    r"|last\s+straw|we(?:'re|\s+are)\s+leaving|i(?:'m|\s+am)\s+leaving)",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"^(?:hi|hello|hey|dear|good\s+(?:morning|afternoon|evening)|hallo|guten\s+(?:tag|morgen)|moin|sehr\s+geehrte\s+damen\s+und\s+herren|sehr\s+geehrte[rs]?\s+(?:frau|herr)|bonjour|bonsoir|hola|buen[oa]s\s+(?:días|tardes|noches)|ciao|buongiorno|olá|bom\s+dia|hej|dzień\s+dobry|greetings|"
    r"fyi|f\.y\.i\.?|(?:please\s+)?see\s+(?:the\s+\w+\s+)?(?:below|attached)\b[^?]{0,60}|(?:ticket|case|request|anfrage|vorgang)\s*(?:id|no\.?|nr\.?)?\s*[:#]?\s*#?[A-Z]{0,5}-?\d+|"
    r"thanks(?:\s+in\s+advance|\s+again|\s+a\s+lot|\s+so\s+much|\s+for\s+(?:your|any)\s+help)?|thank\s+you(?:\s+in\s+advance|\s+again|\s+very\s+much)?|"
    r"cheers|regards|best(?:\s+regards)?|kind\s+regards|sincerely|all\s+the\s+best|sent\s+from\s+my\s+\w+)"
    r"(?:[\s,]+(?:all|team|there|everyone|folks|\[name:\d+\]|[A-Z][\w.-]+)){0,3}[\s,.!:-]*$",
    re.IGNORECASE,
)
#: "You can reach me at …": says nothing about the product.
_CONTACT = re.compile(
    r"^.{0,40}\b(?:write|mail|e-?mail|contact|reach|call|text|ping|reply|get\s+back)\b.{0,25}\[(?:email|phone|name):\d+\].{0,12}$",
    re.IGNORECASE,
)
_CRITICAL = re.compile(
    r"\b(?:data\s+loss|lost\s+(?:all|an?\s+entire|our|my)\s+(?:\w+\s+)?(?:data|work|entries|files|photos|changes|day)|security|breach|"
    r"charged\s+twice|double[- ]charged|outage|production\s+is\s+down|(?:completely|totally)\s+(?:down|unusable|blocked)|"
    r"legal|lawsuit|gdpr|nobody\s+can\s+(?:work|log\s*in)|whole\s+(?:team|company)\s+is\s+(?:blocked|stuck))\b",
    re.IGNORECASE,
)
_HIGH = re.compile(
    r"\b(?:urgent(?:ly)?|asap|immediately|as\s+soon\s+as\s+possible|right\s+(?:now|away)|today|deadline|block(?:s|ed|ing|er)|"
    r"cannot\s+work|can'?t\s+(?:work|log\s*in|login|use|open)|unable\s+to|crash(?:es|ed|ing)?|unusable|every\s+time|keeps?\s+\w+ing|"
    r"stopped\s+working|not\s+working|doesn'?t\s+work|won'?t\s+(?:open|load|start)|stürzt|plante)\b",
    re.IGNORECASE,
)
_LOW = re.compile(
    r"\b(?:nice\s+to\s+have|no\s+(?:rush|hurry)|minor|small\s+thing|nitpick|not\s+urgent|some\s*day|whenever|typo|cosmetic)\b",
    re.IGNORECASE,
)

_POINTS_BACK = re.compile(
    r"^(?:so\s+|and\s+|but\s+)?(?:it|its|it's|this|that|these|those|they|he|she|why|which|same|what\s+(?:should|can|do|happened|is\s+(?:wrong|going))|"
    r"how\s+(?:can|do|should)\s+i\s+(?:fix|solve|get|stop|resolve)|please|pls|plz|fix|help|can\s+(?:you|someone|anyone)\s+(?:please\s+)?(?:help|fix|check|explain|tell)|"
    r"(?:is|are|was|has|have|did|does)\s+(?:it|this|that|there|these|those)|any\s+(?:idea|help))\b",
    re.IGNORECASE,
)


def points_back(sentence: str) -> bool:
    """Whether a sentence leans on the one before it, so that it is no need of its own."""
    return bool(_POINTS_BACK.match(sentence))


def cued_type(sentence: str) -> str | None:
    """The kind of signal that a sentence's wording settles, or None when it leaves it open."""
    if _LEAVING.search(sentence):
        return "churn_risk"
    if _ASK_FOR.search(sentence):
        return "feature_request"
    if sentence.rstrip().endswith("?") and _QUESTION_START.search(sentence):
        return "question"
    return None


def is_filler(sentence: str) -> bool:
    """Whether a sentence only greets, thanks in passing, signs off or leaves an address."""
    return bool(_FILLER.match(sentence.strip()) or _CONTACT.match(sentence.strip()))


def urgency_of(text: str, signal_type: str) -> str:
    """How pressing it is, by wording. No honest public labels exist for urgency, so this is rules, unmeasured."""
    if signal_type == "praise":
        return "low"
    if _CRITICAL.search(text):
        return "critical"
    if signal_type == "churn_risk" or _HIGH.search(text):
        return "high"
    if _LOW.search(text):
        return "low"
    return "medium" if signal_type in {"bug_report", "complaint", "usability_issue"} else "low"
