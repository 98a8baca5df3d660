"""Pieces of clauses: an action with its object, a thing, what a clause is about. Small words decide where they end.

A cheap grammar, for there is no tagger here. Words are in lower case; phrases come without articles and possessives.
"""

import re
from collections.abc import Collection, Sequence
from itertools import takewhile
from pathlib import Path

Words = Sequence[str]
Phrase = tuple[str, ...]

#: An object or a tail has at most so many words, and a name.
LONGEST, LONGEST_NAME = 4, 3
_ENDED = re.compile(r"[a-z]{3,}(?:[^e]ed|pped|tted|gged|ied)$")


def read_words(path: Path) -> dict[str, frozenset[str]]:
    """The lists of words of a file, by the name of their section."""
    sections: dict[str, set[str]] = {}
    name = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            name = line.strip("[]")
        elif line and not line.startswith("#"):
            sections.setdefault(name, set()).update(line.split())
    return {key: frozenset(words) for key, words in sections.items()}


WORDS = read_words(Path(__file__).parent / "need_words.txt")
ARTICLES, STOPS, LOOSE, NOBODY = WORDS["articles"], WORDS["stops"], WORDS["loose"], WORDS["nobody"]
_FORMS = [group.split("=") for group in sorted(WORDS["failing"])]
#: What goes wrong by itself, as people write it: how a title says it of one thing, and of several.
FAILING = {form: (group[-2], group[-1]) for group in _FORMS for form in group}
_NO_NAME = STOPS | LOOSE | NOBODY | ARTICLES | WORDS["auxiliaries"] | WORDS["moods"] | frozenset(FAILING)


def action(words: Words) -> Phrase:
    """A verb with what it is done to; empty when there is none."""
    if not words or words[0] in STOPS | LOOSE or len(words[0]) < 2 or not words[0].isalpha():
        return ()
    return _closed((words[0], *_run(words[1:], inside=True)))


def thing(words: Words) -> Phrase:
    """What is named first; empty when nothing is."""
    return _closed(_run(words))


def tail(words: Words, most: int = LONGEST_NAME) -> Phrase:
    """How or where, after a state: at most so many words, and none when only small ones follow."""
    kept = _run(words)[:most]
    while kept and (kept[-1] in LOOSE or kept[-1].isdigit()):
        kept = kept[:-1]
    return kept


def subject(words: Words, before: int) -> Phrase:
    """The words before this place that name a thing, "messages to teachers" for one; empty when it is a pronoun."""
    before = _back_over(words, before, WORDS["fillers"])
    start = _name_start(words, before)
    own = tuple(words[start:before])
    if not own or (start and words[start - 1] in {"no", "not", "without", "nor"}):
        return ()
    link = _back_over(words, start, ARTICLES) - 1
    if link < 0 or words[link] not in WORDS["links"]:
        return own
    head = _name_start(words, link)
    return (*words[head:link], words[link], *own) if head < link and len(own) + link - head <= LONGEST else ()


def is_many(name: Words) -> bool:
    """Whether a name is of several things: "photos", "messages to the teacher"."""
    head = tuple(takewhile(lambda word: word not in WORDS["links"], name)) or tuple(name)
    return (head[-1].endswith("s") and not head[-1].endswith(("ss", "us", "is", "ios"))) or head[-1] == "children"


def is_state(word: str) -> bool:
    """Whether a word says how something is or what was done to it."""
    return word in WORDS["states"] or (is_ended(word) and word not in WORDS["not-states"])


def is_ended(word: str) -> bool:
    """Whether a word ends like a past form."""
    return bool(_ENDED.fullmatch(word))


def is_empty(words: Words) -> bool:
    """Whether there is nothing but small words."""
    return all(word in LOOSE or word in ARTICLES for word in words)


def skip(words: Words, fillers: Collection[str]) -> Words:
    """The words without those at their beginning."""
    return words[len(list(takewhile(fillers.__contains__, words))) :]


def after(words: Words, at: int, *starts: str) -> Words | None:
    """What follows one of these beginnings, if one stands at this place."""
    for start in starts:
        parts = start.split()
        if list(words[at : at + len(parts)]) == parts:
            return words[at + len(parts) :]
    return None


def base_form(verb: str) -> str:
    """accepts, accept; matches, match; replies, reply."""
    if verb.endswith("ies") and len(verb) > 4:
        return verb[:-3] + "y"
    if verb.endswith(("sses", "shes", "ches", "xes", "oes")):
        return verb[:-2]
    return verb[:-1] if verb.endswith("s") and not verb.endswith("ss") else verb


def gerund(verb: str) -> str:
    """open, opening; use, using; tap, tapping."""
    if verb.endswith("ing"):
        return verb
    if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")):
        return verb[:-1] + "ing"
    vowels = [letter in "aeiou" for letter in verb]
    is_short = vowels == [False, True, False] and verb[-1] not in "wxy"
    return verb + (verb[-1] if is_short or verb in WORDS["doubling"] else "") + "ing"


def _run(words: Words, *, inside: bool = False) -> Phrase:
    """Words up to where another clause begins, "a" and "an" kept where they do not stand first."""
    kept: list[str] = []
    for word in words:
        if word in STOPS or word in FAILING or len(kept) - kept.count("a") - kept.count("an") == LONGEST:
            break
        if (word in ARTICLES and not ((kept or inside) and word in {"a", "an"})) or word.endswith("ly"):
            continue
        kept.append(word)
    return tuple(kept)


def _closed(phrase: Phrase) -> Phrase:
    """The phrase without small words at its end, but for those that belong to its verb: "log in"."""
    while len(phrase) > 1 and phrase[-1] in LOOSE and not (phrase[-1] in WORDS["particles"] and len(phrase) == 2):
        phrase = phrase[:-1]
    return phrase


def _name_start(words: Words, before: int) -> int:
    """Where the name begins that ends before this place: "top up" is one too."""
    start = before
    while start and before - start < LONGEST_NAME:
        word = words[start - 1]
        is_particle = word in WORDS["particles"] and start == before and start > 1
        if not (is_particle and words[start - 2] not in STOPS | LOOSE | ARTICLES) and (
            word in _NO_NAME or word.endswith("ly")
        ):
            break
        start -= 1
    return start


def _back_over(words: Words, before: int, fillers: frozenset[str]) -> int:
    while before and words[before - 1] in fillers:
        before -= 1
    return before
