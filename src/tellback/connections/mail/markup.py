"""HTML mail as text: what a person would have typed."""

import re
from html.parser import HTMLParser

import nh3

LONGEST = 400_000
#: Elements that are read: tens of thousands inside of each other take the parser their square.
MOST_TAGS = 15_000
DEEPEST_QUOTE = 9
# fmt: off
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "center", "dd", "div", "dl", "dt", "fieldset", "figure", "footer",
    "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section",
    "table", "tr", "ul",
})
# fmt: on
_KEPT = _BLOCKS | {"a", "br", "img", "span", "td", "th", "b", "i", "em", "strong", "font", "code", "tbody", "thead"}
_DROPPED = {"script", "style", "head", "title", "template", "noscript", "svg", "math", "object", "select"}
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])", re.IGNORECASE)
_VOID = frozenset({"br", "img", "hr"})


def text_of(html: str) -> str:
    """The words of an HTML mail, a line for each block, quotes marked with “> ” as in a plain one.

    What is hidden from readers, scripts and styles are left out. Takes time in proportion to the input, whatever it is:
    it is made well-formed first.
    """
    safe = nh3.clean(
        _bounded(html),
        tags=set(_KEPT),
        clean_content_tags=_DROPPED,
        attributes={"*": {"style", "hidden"}, "img": {"alt"}},
        link_rel=None,
    )
    reader = _Reader()
    reader.feed(safe)
    reader.close()
    return reader.text()


def _bounded(html: str) -> str:
    end = 0
    for _ in range(MOST_TAGS):
        end = html.find("<", end, LONGEST) + 1
        if not end:
            return html[:LONGEST]
    return html[: end - 1]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = []
        self._line = ""
        self._quotes = 0
        self._verbatim = 0
        self._hidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        hides = "hidden" in given or _HIDDEN.search(given.get("style") or "")
        if tag not in _VOID and (self._hidden or hides):
            self._hidden.append(tag)
        if tag in _BLOCKS or tag == "br":
            self._end_line()
        if tag == "li":
            self._line = "- "
        elif tag in {"td", "th"} and self._line.strip():
            self._line += " "
        elif tag == "img" and not self._hidden and not hides:
            self._line += given.get("alt") or ""
        self._quotes += tag == "blockquote"
        self._verbatim += tag == "pre"

    def handle_endtag(self, tag: str) -> None:
        if self._hidden and self._hidden[-1] == tag:
            self._hidden.pop()
        if tag in _BLOCKS:
            self._end_line()
            if tag in {"p", "blockquote", "table", "ul", "ol"} or tag[0] == "h":
                self._lines.append(self._mark())
        self._quotes -= tag == "blockquote"
        self._verbatim -= tag == "pre"

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        if self._verbatim:
            first, *more = data.split("\n")
            self._line += first
            for line in more:
                self._end_line()
                self._line = line
            return
        self._line += re.sub(r"[ \t\r\n\f\xa0]+", " ", data)

    def _end_line(self) -> None:
        line = self._line.rstrip() if self._verbatim else re.sub(r" {2,}", " ", self._line).strip()
        if line and line != "-":
            self._lines.append(self._mark() + line)
        self._line = ""

    def _mark(self) -> str:
        return "> " * min(self._quotes, DEEPEST_QUOTE)

    def text(self) -> str:
        """Everything read so far, with at most one empty line between two others."""
        self._end_line()
        return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in self._lines)).strip()
