"""Which language a text is in: by its script, or by the small words that every sentence of a language has."""

import re
import unicodedata
from collections import Counter
from pathlib import Path

from tellback.engines.local.sentences import without_addresses

#: Languages that the sentence model and the heads were made for. In others meaning is guessed from what they share.
WELL_READ = frozenset(["en"])
#: So many letters are needed to tell by script, so many small words to tell by them.
LETTERS = 4
SMALL_WORDS = 2
#: The share of a text's words that small words make at least, and how far ahead the best language must be.
SHARE = 0.12
AHEAD = 1.25

#: What the name of a letter begins with, and the language that most who write it write in.
_SCRIPTS = {
    "HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko", "CJK": "zh", "ARABIC": "ar", "HEBREW": "he", "DEVANAGARI": "hi",
    "THAI": "th", "GREEK": "el", "CYRILLIC": "ru",
}  # fmt: skip
_UKRAINIAN = frozenset("іїєґ")


def _read_languages() -> dict[str, tuple[str, frozenset[str]]]:
    known: dict[str, tuple[str, set[str]]] = {}
    code = ""
    for line in (Path(__file__).parent / "languages.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            code, name = line.strip("[]").split(" ", 1)
            known[code] = (name, set())
        elif line and not line.startswith("#"):
            known[code][1].update(line.split())
    return {code: (name, frozenset(words)) for code, (name, words) in known.items()}


_LANGUAGES = _read_languages()
#: Which languages have a small word.
_SPOKEN_IN = {
    word: tuple(code for code, (_, words) in _LANGUAGES.items() if word in words)
    for word in frozenset().union(*(words for _, words in _LANGUAGES.values()))
}
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")


def detect_language(text: str) -> str | None:
    """The code of the language (ISO 639-1), or None where the text is too short or too mixed to say."""
    words = without_addresses(text)
    return _by_script(words) or _by_small_words(words)


def _by_script(text: str) -> str | None:
    letters = [character for character in text if character.isalpha()]
    strange = [character for character in letters if ord(character) > 0x24F]
    if len(strange) < LETTERS or len(strange) * 3 < len(letters):
        return None
    scripts = Counter(unicodedata.name(character, "").split()[0].split("-")[0] for character in strange)
    if scripts["HIRAGANA"] + scripts["KATAKANA"]:
        return "ja"
    if scripts["CYRILLIC"]:
        lower = text.lower()
        if _UKRAINIAN & set(lower):
            return "uk"
        # Bulgarian does without these two letters, which a Russian sentence hardly can.
        return "ru" if {"ы", "э"} & set(lower) or len(strange) < 40 else "bg"
    return _SCRIPTS.get(scripts.most_common(1)[0][0])


def _by_small_words(text: str) -> str | None:
    words = [word.lower().replace("’", "'") for word in _WORD.findall(text)]
    found = Counter(code for word in words for code in _SPOKEN_IN.get(word, ()))
    (best, count), (_, second) = [*found.most_common(2), ("", 0), ("", 0)][:2]
    if count < max(SMALL_WORDS, SHARE * len(words)) or count < AHEAD * second:
        return None
    return best


def note_on(text: str, stated: str | None) -> str:
    """What to say on a signal of a text that the local model reads less well; empty where it reads it well.

    `stated` is the sender's own language tag, which is believed unless the text plainly says otherwise.
    """
    code = detect_language(text) or (stated or "").lower().split("-")[0]
    if not code or code in WELL_READ:
        return ""
    name = _LANGUAGES[code][0] if code in _LANGUAGES else code
    return f"Read as {name}. The local engine knows English best, so its reading may be off."
