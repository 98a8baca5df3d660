"""What single cells mean: numbers, ratings, tags, yes or no, text in HTML. Pure."""

import re
from collections.abc import Sequence
from html.parser import HTMLParser

#: Words for what a customer thought, where a product asks with words.
RATING_WORDS = {
    "good": 5, "great": 5, "happy": 5, "satisfied": 5, "positive": 5, "very satisfied": 5, "excellent": 5,
    "neutral": 3, "ok": 3, "okay": 3,
    "bad": 1, "poor": 1, "unhappy": 1, "dissatisfied": 1, "negative": 1, "terrible": 1, "unsatisfied": 1,
}  # fmt: skip
_RATING = re.compile(r"([0-9]+(?:[.,][0-9]+)?)\s*(?:/\s*([0-9]+)|out of\s*([0-9]+)|stars?)?$", re.IGNORECASE)
_BLOCKS = frozenset(
    ["p", "div", "br", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "hr"]
)
_UNSAID = frozenset({"script", "style", "head"})


def rating_of(text: str) -> int | None:
    """1 to 5 stars: from a number, drawn stars, `4/5`, `8 out of 10` or a word. None for nothing and other scales."""
    said = text.strip()
    if not said:
        return None
    drawn = said.count("★") + said.count("⭐")
    if drawn:
        return drawn if drawn <= 5 else None
    match = _RATING.match(said)
    if match is None:
        return RATING_WORDS.get(said.casefold())
    value, best = float(match[1].replace(",", ".")), int(match[2] or match[3] or 5)
    if best == 10 and value <= 10:
        value = value / 2
    elif best != 5:
        return None
    return max(1, int(value + 0.5)) if 0 < value <= 5 else None


#: The best value of the scales that products ask on; on all of them more is better.
SCALES = {"rating": 5, "csat": 5, "ces": 7, "nps": 10}


def rating_on_scale(text: str, scale: str) -> int | None:
    """1 to 5 stars, from a number on one of `SCALES`; None for no number, and for what is no scale."""
    best = SCALES.get(scale.strip().casefold())
    match = _RATING.match(text.strip())
    if best is None or match is None or match[2] or match[3]:
        return None
    value = float(match[1].replace(",", "."))
    return max(1, int(value * 5 / best + 0.5)) if value <= best else None


def number_of(text: str) -> int | None:
    """A count, written with or without signs between its thousands; None when it is none."""
    digits = re.sub(r"[\s,.'’_](?=\d{3}\b)", "", text.strip())
    match = re.fullmatch(r"\+?(\d{1,12})(?:\.0+)?", digits)
    return int(match[1]) if match else None


def is_yes(text: str) -> bool:
    """Whether a cell says yes."""
    return text.strip().casefold() in {"1", "true", "yes", "y", "t", "ja", "oui", "si", "sí"}


def tags_of(text: str, listed: Sequence[str] = ()) -> list[str]:
    """Tags, from JSON's list or from a text with commas, semicolons or bars; each once, at most twenty of 60 signs."""
    found = listed or re.split(r"\s*[,;|\n]\s*", text.strip().strip("[]"))
    clean = (" ".join(tag.replace("\x00", "").strip("\"' ").split())[:60] for tag in found)
    return list(dict.fromkeys(tag for tag in clean if tag))[:20]


def plain_text(html: str) -> str:
    """The text of a piece of HTML, with its paragraphs, list items and line breaks as lines."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (re.sub(r"[ \t\xa0]+", " ", line).strip() for line in "".join(reader.pieces).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unsaid = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - the signature of the base
        if tag in _UNSAID:
            self._unsaid += 1
        elif tag == "li":
            self.pieces.append("\n- ")
        elif tag in _BLOCKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSAID and self._unsaid:
            self._unsaid -= 1
        elif tag in _BLOCKS - {"li", "br", "hr"}:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unsaid:
            self.pieces.append(data)
