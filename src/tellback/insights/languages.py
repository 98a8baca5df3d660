"""Which of PostgreSQL's text search configurations stems which language. Pure."""

#: By ISO 639-1. What is not here is indexed by whole words.
CONFIGURATIONS = {
    "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek", "en": "english", "es": "spanish",
    "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian", "hy": "armenian",
    "id": "indonesian", "it": "italian", "lt": "lithuanian", "nb": "norwegian", "ne": "nepali", "nl": "dutch",
    "nn": "norwegian", "no": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian",
    "sv": "swedish", "ta": "tamil", "tr": "turkish",
}  # fmt: skip
WHOLE_WORDS = "simple"
#: Of a text too short to tell its language, and the configurations whose stems it is indexed by, all together.
UNTOLD = "mixed"
LIKELY = ("english", "german", "french", "spanish", "italian", "portuguese", "dutch")


def configuration_of(detected: str | None, stated: str | None) -> str:
    """The configuration for a text, by the language it was found to be in, else by the one its sender named.

    `UNTOLD` where neither is known.
    """
    code = detected or (stated or "").lower().replace("_", "-").split("-")[0]
    return CONFIGURATIONS.get(code, WHOLE_WORDS) if code else UNTOLD
