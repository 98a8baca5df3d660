"""Names a theme in words taken from its own sentences.

A title is a run of words that people used, close in meaning to what sets the theme apart from the rest of the
workspace, and whose words many of the theme's sentences share; the summary is the sentence that says it most plainly,
as somebody said it.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from tellback.sdk.engine import Description, Vectors

Embed = Callable[[Sequence[str]], Vectors]
Run = tuple[str, ...]

_TOKEN = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
_CLAUSE_END = re.compile(r"[.!?,;:()\[\]{}\"“”…\n&/]|\s[-–—]\s")
_ENDING = re.compile(r"(?:ing|edly|ed|es|s|er|ers|e)$")
MAX_SENTENCES = 60
MAX_CANDIDATES = 200
MAX_WORDS = 6
#: A run that stands in one sentence only is somebody's phrase, not yet everybody's.
ONCE = 0.82
#: Words that fewer of the sentences hold are one person's story; then the plainest sentence is the title.
SHARED = 0.12
#: One word names a theme only if about half of the sentences hold it.
ALONE = 0.45
#: "Camera upload" reads better than "Upload of camera".
JOINED = 0.93
#: Who says more than this says something, in whatever words.
MOOD_WORDS = 10
LENGTH = {1: 0.64, 2: 1.0, 3: 1.06, 4: 1.04, 5: 0.98, 6: 0.92}


def _read_words() -> dict[str, frozenset[str]]:
    sections: dict[str, set[str]] = {}
    name = ""
    for line in (Path(__file__).parent / "title_words.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            name = line.strip("[]")
        elif line and not line.startswith("#"):
            sections.setdefault(name, set()).update(line.split())
    return {key: frozenset(words) for key, words in sections.items()}


_WORDS = _read_words()
#: A title neither begins nor ends with one of these.
_EDGE = _WORDS["edge"]
#: A title may begin with one of these, never end with it.
_DENIALS = _WORDS["denials"]
#: A run that carries one of these is a piece of a sentence, not a name for it.
_NOT_INSIDE = _WORDS["not_inside"]
_VERBS = _WORDS["verbs"]
_DOING = _VERBS | _WORDS["both"]
_PREPOSITIONS = _WORDS["prepositions"]
_DETERMINERS = _WORDS["determiners"]
#: Words that say how somebody feels or that something is wrong, not what it is about.
_WEAK = _WORDS["weak"]
_COMMON = _EDGE | _DENIALS | _NOT_INSIDE


def describe_theme(texts: Sequence[str], vectors: Vectors, *, background: Vectors | None, embed: Embed) -> Description:
    """Title and summary for these sentences. `background` is what the whole workspace is about, taken out first."""
    middle = vectors.mean(axis=0)
    centre = _unit(middle - background if background is not None else middle)
    order = np.argsort(-(vectors @ _unit(middle)), kind="stable")[:MAX_SENTENCES]
    title = _best_title([texts[index] for index in order], centre, _unit(middle), background, embed)
    cited = _summary(texts, vectors, centre, background, title)
    return Description(title=title or _shortened(texts[cited]), summary=_as_sentence(texts[cited]), cited=(cited,))


def is_telling(text: str) -> bool:
    """Whether a sentence names anything. "Terrible." and "Please fix it" say how somebody feels, and of nothing."""
    words = [word.lower().replace("’", "'") for word in _TOKEN.findall(text)]
    return len(words) > MOOD_WORDS or any(_tells(word) for word in words)


def _tells(word: str) -> bool:
    empty = word in _COMMON or word in _WEAK or word.endswith("ly")
    return len(word) > 1 and not word.isdigit() and not empty


def _best_title(
    sentences: list[str], centre: Vectors, middle: Vectors, background: Vectors | None, embed: Embed
) -> str:
    book = _read(sentences)
    shared = max(SHARED, 2 / book.size) if book.size > 2 else 0.0
    telling = [run for run in book.runs if _content(run) and book.coverage(run) >= _needed(run, book, shared)]
    likely = sorted(telling, key=lambda run: (-book.coverage(run), -len(run), run))[:MAX_CANDIDATES]
    if not likely:
        return ""
    vectors = embed([" ".join(run) for run in likely])
    closeness = 0.55 * (_apart(vectors, background) @ centre) + 0.45 * (vectors @ middle)
    merit = np.array([_merit(run, book) for run in likely])
    best = likely[int((closeness * merit).argmax())]
    return _sentence_case(" ".join(_usual_form(word, book.forms) for word in best))


def _needed(run: Run, book: "_Book", shared: float) -> float:
    """The share of the sentences that must hold a run. A name alone says who it is about, not what: none is enough."""
    if _content(run) > 1 or len(run) > 2:
        return shared
    word = next(word for word in run if word not in _COMMON and word not in _WEAK)
    written, count = book.forms[word].most_common(1)[0]
    is_name = len(run) == 1 and written[0].isupper() and not written.isupper() and count * 2 > book.forms[word].total()
    return 2.0 if is_name else max(ALONE if len(run) == 1 else shared, shared)


def _merit(run: Run, book: "_Book") -> float:
    weak = sum(word in _WEAK for word in run)
    mood = 0.92**weak
    known = 1.0 if book.runs[run] > 1 or book.size < 3 else ONCE
    joined = JOINED ** sum(word in _PREPOSITIONS for word in run[1:])
    return float(LENGTH[len(run)] * mood * known * joined * (0.4 + 0.6 * book.coverage(run) ** 0.5))


def _content(run: Run) -> int:
    """How many of the words say what it is about. Mood alone ("Terrible", "Five stars") names nothing."""
    return sum(word not in _WEAK and word not in _COMMON for word in run)


@dataclass(frozen=True, slots=True)
class _Book:
    """What the sentences say: how each word is written, which runs stand in how many, and each one's stems."""

    forms: dict[str, Counter[str]]
    runs: Counter[Run]
    stems: list[frozenset[str]]

    @property
    def size(self) -> int:
        return len(self.stems)

    def coverage(self, run: Run) -> float:
        """Share of the sentences that hold all of the run's telling words, in any order and form."""
        telling = {_stem(word) for word in run if word not in _COMMON}
        return sum(telling <= stems for stems in self.stems) / max(self.size, 1)


def _read(sentences: Sequence[str]) -> _Book:
    forms: dict[str, Counter[str]] = {}
    runs: Counter[Run] = Counter()
    stems = []
    for sentence in sentences:
        found: set[Run] = set()
        seen: set[str] = set()
        for clause in _clauses(sentence):
            lower = [word.lower().replace("’", "'") for word in clause]
            for index, word in enumerate(clause):
                # The first word's capital says nothing about how it is written elsewhere.
                forms.setdefault(lower[index], Counter())[word if index else lower[index]] += 1
            seen.update(_stem(word) for word in lower)
            found |= _runs(lower)
        runs.update(found)
        stems.append(frozenset(seen))
    return _Book(forms, runs, stems)


def _clauses(sentence: str) -> list[list[str]]:
    """Words between marks; a common word with a capital begins another clause, for people leave out full stops."""
    clauses: list[list[str]] = []
    for part in _CLAUSE_END.split(sentence):
        clauses.append([])
        for word in _TOKEN.findall(part):
            if word[0].isupper() and not word.isupper() and word.lower() in _COMMON | _WEAK and clauses[-1]:
                clauses.append([])
            clauses[-1].append(word)
    return [clause for clause in clauses if clause]


def _runs(words: Sequence[str]) -> set[Run]:
    return {
        run
        for start in range(len(words))
        for size in range(1, MAX_WORDS + 1)
        if len(run := tuple(words[start : start + size])) == size and _may_be_title(run)
    }


def _may_be_title(run: Run) -> bool:
    first, last = run[0], run[-1]
    if (first in _EDGE and first not in _DENIALS | _VERBS) or last in _COMMON or len(set(run)) < len(run):
        return False
    if not _reads_well(run):
        return False
    if any(word in _NOT_INSIDE for word in run) or last.endswith("ly") or (first.endswith("ly") and len(first) > 5):
        return False
    return all(len(word) > 2 and not word.isdigit() for word in (first, last))


def _reads_well(run: Run) -> bool:
    """Whether each small word stands where one may stand: a cheap grammar, for there is no tagger here.

    "Can't open" and "Job into an invoice" do; "Job the calendar", "Music work" and "Not through" do not.
    """
    if run[0] in _DENIALS and (len(run) == 1 or not _may_be_denied(run[0], run[1])):
        return False
    if run[0] in _WEAK and len(run) > 1 and run[1] in _DETERMINERS:
        return False
    for before, word in pairwise(run):
        if word in _DETERMINERS and before not in _PREPOSITIONS and not _is_verb(before):
            return False
        if word in _VERBS and before not in _DENIALS and before not in {"to", "and", "or"}:
            return False
        if word in _PREPOSITIONS and before in _PREPOSITIONS | _DETERMINERS | _DENIALS:
            return False
    # "Freezing" names what is wrong; "Log" and "Understands" name nothing.
    return len(run) > 1 or run[0].endswith("ing") or not _is_verb(run[0])


def _may_be_denied(denial: str, word: str) -> bool:
    if denial == "no":
        return word not in _VERBS and word not in _COMMON
    if denial == "not":
        return word.endswith(("ing", "ed"))
    return word in _DOING or (denial == "unable" and word == "to")


def _is_verb(word: str) -> bool:
    return _stem(word) in _VERB_STEMS


def _stem(word: str) -> str:
    """The word without its ending, so that crash, crashes, crashed and crashing count as one."""
    stem = _ENDING.sub("", word) if len(word) > 4 else word.rstrip("s") if len(word) == 4 else word
    return stem[:-1] if len(stem) > 3 and stem[-1] == stem[-2] else stem


_VERB_STEMS = frozenset(_stem(verb) for verb in _DOING)


def _usual_form(word: str, forms: dict[str, Counter[str]]) -> str:
    """A name keeps its capitals when most people write it so; shouting does not count."""
    written, count = forms[word].most_common(1)[0]
    if written.isupper() and len(written) > 4:
        return word
    return written if count * 2 > forms[word].total() else word


def _sentence_case(text: str) -> str:
    line = " ".join(text.split())
    first = line.split(" ", 1)[0]
    # A name such as iPad or iOS keeps its own case.
    return line if any(character.isupper() for character in first[1:]) else line[:1].upper() + line[1:]


def _shortened(text: str) -> str:
    words = text.split()
    return _sentence_case(" ".join(words[:8])).rstrip(".,;:!?") + ("…" if len(words) > 8 else "")


def _summary(texts: Sequence[str], vectors: Vectors, centre: Vectors, background: Vectors | None, title: str) -> int:
    """Position of the sentence to quote: near the centre, short, complete, and speaking of what the title names."""
    named = {_stem(word.lower()) for word in _TOKEN.findall(title) if word.lower() not in _COMMON}
    fit = []
    for text in texts:
        words = [word.lower() for word in _TOKEN.findall(text)]
        brief = 0.7 if len(words) < 4 else 1 - 0.012 * max(len(words) - 9, 0)
        told = len(named & {_stem(word) for word in words}) / max(len(named), 1)
        fit.append(max(brief, 0.3) * (0.65 + 0.35 * told) * (0.9 if text.endswith("…") else 1.0))
    return int(((_apart(vectors, background) @ centre) * np.array(fit)).argmax())


def _as_sentence(text: str) -> str:
    line = _sentence_case(text)
    if line.isupper():
        line = line.capitalize()
    return line if line[-1:] in ".!?…" else line + "."


def _apart(vectors: Vectors, background: Vectors | None) -> Vectors:
    apart = vectors - background if background is not None else vectors
    return np.asarray(apart / np.maximum(np.linalg.norm(apart, axis=1, keepdims=True), 1e-6), dtype=np.float32)


def _unit(vector: Vectors) -> Vectors:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-6), dtype=np.float32)
