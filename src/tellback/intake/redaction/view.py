"""A text as a reader sees it: without characters that do not show, in ordinary width, with a link's escapes undone."""

import re
from collections.abc import Sequence

#: What people (or a hostile sender) put inside a value so that it is not seen: joiners, direction marks, soft hyphens.
_INVISIBLE = "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff"
_PLAIN = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_PLAIN |= dict.fromkeys([0xA0, 0x2007, 0x2009, 0x202F, 0x3000], ord(" "))
_PLAIN |= dict.fromkeys([*range(0x2010, 0x2014), 0x2212], ord("-"))
#: Dashes that part sentences, with or without a space.
_PLAIN |= dict.fromkeys([0x2014, 0x2015], ord(" "))
#: Escapes of the characters that private data is written with, in links (RFC 3986) and in HTML, and of those that part
#: it from what stands before, in JSON and code.
_ESCAPES = {
    "%20": " ", "%22": '"', "%28": "(", "%29": ")", "%2b": "+", "%2d": "-", "%2e": ".", "%2f": "/", "%3a": ":",
    "%40": "@", "%3d": "=", "%26": "&", "%5f": "_", "&#64;": "@", "&#x40;": "@", "&commat;": "@", "&#43;": "+",
    "\\n": " ", "\\r": " ", "\\t": " ",
}  # fmt: skip
_CHANGES = re.compile(f"[{_INVISIBLE}]|%[2-5][0-9a-f]|&(?:#64|#x40|commat|#43);|\\\\[nrt]", re.IGNORECASE)


def plain_view(text: str) -> tuple[str, Sequence[int] | None]:
    """The text to search, and for each of its characters (and its end) the place in the text; None when they agree."""
    plain = text if text.isascii() else text.translate(_PLAIN)
    if plain.isascii() and "%" not in plain and "&" not in plain and "\\" not in plain:
        return plain, None
    parts, places, last = [], list[int](), 0
    for match in _CHANGES.finditer(plain):
        shown = _ESCAPES.get(match.group().lower(), "" if len(match.group()) == 1 else match.group())
        if shown == match.group():
            continue
        parts += [plain[last : match.start()], shown]
        places += [*range(last, match.start()), *[match.start()] * len(shown)]
        last = match.end()
    if not last:
        return plain, None
    parts.append(plain[last:])
    places += range(last, len(plain) + 1)
    return "".join(parts), places
