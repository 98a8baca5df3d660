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

from tellback.engines.local.needs import Need, find_needs
from tellback.engines.local.phrases import gerund, read_words
from tellback.sdk.engine import Description, Vectors

Embed = Callable[[Sequence[str]], Vectors]
Run = tuple[str, ...]

_TOKEN = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
_CLAUSE_END = re.compile(r"[.!?,;:()\[\]{}\"“”…\n&/]|\s[-–—]\s")
_SHOUTED = re.compile(r"[.!?]{2,}$")
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
JOINED = 0.87
#: Who says more than this says something, in whatever words.
MOOD_WORDS = 10
#: A title that is a mere thing is worth so much of one that says plainly what is wanted or what fails.
NAMED = 0.68
#: So is a need of a single word beside names ("Can't play").
VAGUE = 0.88
MOST_TITLES = 12
#: When so many of the sentences say that something is wrong, a title that is a mere thing says so too.
TROUBLED = 0.4
#: A sentence of so many words can stand as a title.
SHORT = 9
LONGEST_NEED = 7
NEED_LENGTH = {2: 0.95, 3: 1.05, 4: 1.06, 5: 1.03, 6: 0.97, 7: 0.9}
LENGTH = {1: 0.5, 2: 1.0, 3: 1.06, 4: 1.04, 5: 0.98, 6: 0.92}


def _read_same(groups: frozenset[str]) -> dict[str, str]:
    """For the stem of each word the one that stands for its group."""
    return {_bare_stem(word): _bare_stem(group.split("=")[0]) for group in groups for word in group.split("=")}


_WORDS = read_words(Path(__file__).parent / "title_words.txt")
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
    found = _titles([texts[index] for index in order], centre, _unit(middle), background, embed)
    title, *others = found or [""]
    cited = _summary(texts, vectors, centre, background, title)
    if len(title.split()) == 1 and len(texts[cited].split()) <= SHORT:
        # A word is no title; a short sentence is.
        title, others = "", found
    return Description(
        title=title or _shortened(texts[cited]),
        summary=_as_sentence(texts[cited]),
        cited=(cited,),
        other_titles=tuple(others),
    )


def is_telling(text: str) -> bool:
    """Whether a sentence names anything. "Terrible." and "Please fix it" say how somebody feels, and of nothing."""
    words = [word.lower().replace("’", "'") for word in _TOKEN.findall(text)]
    return len(words) > MOOD_WORDS or any(_tells(word) for word in words)


def _tells(word: str) -> bool:
    empty = word in _COMMON or word in _WEAK or word.endswith("ly")
    return len(word) > 1 and not word.isdigit() and not empty


def _titles(
    sentences: list[str], centre: Vectors, middle: Vectors, background: Vectors | None, embed: Embed
) -> list[str]:
    """Titles for these sentences, the best first, none of which says the same as another; empty when none fits."""
    book = _read(sentences)
    shared = max(SHARED, 2 / book.size) if book.size > 2 else 0.0
    phrases = [*book.needs, *(run for run in book.runs if run not in book.needs)]
    telling = [run for run in phrases if _content(run) and book.coverage(run) >= _needed(run, book, shared)]
    likely = sorted(telling, key=lambda run: (run not in book.needs, -book.coverage(run), -len(run), run))
    likely = sorted(likely[: 2 * MAX_CANDIDATES], key=lambda run: (-book.reach(run), -len(run), run))[:MAX_CANDIDATES]
    if not likely:
        return []
    vectors = embed([" ".join(run) for run in likely])
    closeness = 0.55 * (_apart(vectors, background) @ centre) + 0.45 * (vectors @ middle)
    merit = closeness * np.array([_merit(run, book) for run in likely])
    best = [likely[place] for place in np.argsort(-merit, kind="stable")]
    chosen: dict[frozenset[str], Run] = {}
    for run in best[:MOST_TITLES]:
        chosen.setdefault(frozenset(_stem(word) for word in run if word not in _COMMON), run)
    return [_as_title(run, book) for run in chosen.values()]


def _as_title(run: Run, book: "_Book") -> str:
    if run[0] == "app" and "app" not in book.forms:
        run = run[1:]
    line = " ".join(_usual_form(word, book.forms) for word in run if word not in _OWN)
    if run in book.needs:
        return _sentence_case(line)
    # Of an update by itself people only speak when something went wrong with it.
    if run[-1] in _UPDATES:
        return f"Trouble since {line}"
    if book.troubled < TROUBLED:
        return _sentence_case(line)
    if run[0] in _WORDS["both"] and len(run) > 1 and run[1].endswith("s"):
        first, *rest = line.split(" ")
        return f"Trouble {gerund(first)} {' '.join(rest)}"
    return f"Trouble with {line}"


def _needed(run: Run, book: "_Book", shared: float) -> float:
    """The share of the sentences that must hold a run. A name alone says who it is about, not what: none is enough."""
    if run in book.needs:
        return min(shared, 1 / book.size) if book.says_what(run) else 2.0
    told = [word for word in run if word not in _COMMON and word not in _WEAK]
    if all(book.is_name(word) for word in told) and not (len(run) > 1 and run[-1] in _UPDATES):
        return 2.0
    return max(ALONE, shared) if len(book.telling(run)) == 1 else shared


def _merit(run: Run, book: "_Book") -> float:
    """What a title is worth beside how near it is: a need said plainly, by many, in few words, without mood."""
    weak = sum(word in _WEAK for word in run)
    known = 1.0 if book.runs[run] > 1 or book.counted(run) > 1 or book.size < 3 else ONCE
    joined = JOINED ** sum(word in _PREPOSITIONS for word in run[1:])
    plain = NAMED + (1 - NAMED) * book.needs[run].plain if run in book.needs else NAMED
    if run in book.needs:
        length = NEED_LENGTH.get(len(run), 0.85) * (1.0 if book.says_what(run) > 1 else VAGUE)
    else:
        length = LENGTH[1] if len(book.telling(run)) == 1 else LENGTH[len(run)]
    return float(length * 0.92**weak * known * joined * plain * (0.35 + 0.65 * book.reach(run) ** 0.5))


def _content(run: Run) -> int:
    """How many of the words say what it is about. Mood alone ("Terrible", "Five stars") names nothing."""
    return sum(word not in _WEAK and word not in _COMMON for word in run)


@dataclass(frozen=True, slots=True)
class _Book:
    """What the sentences say: how words are written, which runs and needs stand in how many, and each one's stems."""

    forms: dict[str, Counter[str]]
    runs: Counter[Run]
    needs: dict[Run, Need]
    said: Counter[Run]
    stems: list[frozenset[str]]

    @property
    def size(self) -> int:
        return len(self.stems)

    @property
    def troubled(self) -> float:
        """Share of the sentences that say that something is wrong."""
        return sum(not _TROUBLE.isdisjoint(stems) for stems in self.stems) / max(self.size, 1)

    def telling(self, run: Run) -> set[str]:
        """The stems that say what a phrase is about."""
        if run in self.needs:
            return {_stem(word) for word in self.needs[run].core if word not in _SMALL}
        return {_stem(word) for word in run if word not in _COMMON}

    def coverage(self, run: Run) -> float:
        """Share of the sentences that hold all of the run's telling words, in any order and form."""
        telling = self.telling(run)
        return sum(telling <= stems for stems in self.stems) / max(self.size, 1) if telling else 0.0

    def reach(self, run: Run) -> float:
        """Like `coverage`, where a sentence that holds some of the words counts for a part."""
        telling = self.telling(run)
        parts = sum((len(telling & stems) / len(telling)) ** 2 for stems in self.stems) if telling else 0.0
        return 0.5 * self.coverage(run) + 0.5 * parts / max(self.size, 1)

    def says_what(self, run: Run) -> int:
        """How many words of a need tell something and are no names: "Install Dropbox" has one."""
        core = (word for word in self.needs[run].core if word not in _COMMON and word not in _WEAK)
        return sum(not self.is_name(word) for word in core)

    def counted(self, run: Run) -> int:
        """How many sentences say this need in these words."""
        return self.said[run]

    def is_name(self, word: str) -> bool:
        """Whether most people write it like a name: with a capital where no sentence begins."""
        if word not in self.forms:
            return False
        written, count = self.forms[word].most_common(1)[0]
        return written[0].isupper() and not written.isupper() and count * 2 > self.forms[word].total()


def _read(sentences: Sequence[str]) -> _Book:
    forms: dict[str, Counter[str]] = {}
    runs: Counter[Run] = Counter()
    said: Counter[Run] = Counter()
    needs: dict[Run, Need] = {}
    stems = []
    for sentence in sentences:
        found: set[Run] = set()
        meant: set[Run] = set()
        seen: set[str] = set()
        for clause in _clauses(sentence):
            lower = [word.lower().replace("’", "'") for word in clause]
            for index, word in enumerate(clause):
                # The first word's capital says nothing about how it is written elsewhere.
                forms.setdefault(lower[index], Counter())[word if index else lower[index]] += 1
            seen.update(_stem(word) for word in lower)
            found |= _runs(lower)
            for need in find_needs(lower):
                if _reads_as_need(need):
                    meant.add(need.words)
                    if need.words not in needs or needs[need.words].plain < need.plain:
                        needs[need.words] = need
        runs.update(found)
        said.update(meant)
        stems.append(frozenset(seen))
    return _Book(forms, runs, needs, said, stems)


def _reads_as_need(need: Need) -> bool:
    words = need.words
    if not 2 <= len(words) <= LONGEST_NEED or not any(word not in _COMMON and word not in _WEAK for word in need.core):
        return False
    if len({_stem(word) for word in need.core}) < len(need.core):
        return False
    if any(len(word) == 1 and not word.isdigit() and word != "a" for word in words) or words[-1] in _NEVER_LAST:
        return False
    # "From the app", "on my phone": where everything happens.
    return not (words[-1] in _PLACES and words[-2] in _PREPOSITIONS)


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
    if first in _VERBS or first in _DENIALS or first in _EDGE or last in _COMMON or len(set(run)) < len(run):
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
    """What stands for the word: crash, crashes, crashed and crashing are one, and so are photo and picture."""
    stem = _bare_stem(word)
    return _SAME.get(stem, stem)


def _bare_stem(word: str) -> str:
    """The word without its ending."""
    stem = _ENDING.sub("", word) if len(word) > 4 else word.rstrip("s") if len(word) == 4 else word
    return stem[:-1] if len(stem) > 3 and stem[-1] == stem[-2] else stem


_SAME = _read_same(_WORDS["same"])
_SMALL = _PREPOSITIONS | _DETERMINERS
_TROUBLE = frozenset(map(_stem, _WORDS["trouble"]))
_PLACES = frozenset(["app", "application", "device", "program", "software", "page", "website", "site", "phone"])
_UPDATES = frozenset(["update", "upgrade", "version", "release"])
_OWN = frozenset({"my", "our", "your", "his", "her", "their"})
_NEVER_LAST = frozenset({"be", "to", "the", "of", "and", "or", "it", "not", "more", "as", "me", "you", "i"})
_VERB_STEMS = frozenset(_stem(verb) for verb in _DOING)


def _usual_form(word: str, forms: dict[str, Counter[str]]) -> str:
    """A name keeps its capitals when most people write it so; shouting does not count."""
    if word not in forms:
        return word
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
    return _sentence_case(" ".join(words[:SHORT])).rstrip(".,;:!?") + ("…" if len(words) > SHORT else "")


def _summary(texts: Sequence[str], vectors: Vectors, centre: Vectors, background: Vectors | None, title: str) -> int:
    """Position of the sentence to quote: near the centre, short, complete, and speaking of what the title names."""
    named = {_stem(word.lower()) for word in _TOKEN.findall(title) if word.lower() not in _COMMON}
    fit = []
    for text in texts:
        words = [word.lower() for word in _TOKEN.findall(text)]
        brief = 0.7 if len(words) < 4 else 1 - 0.018 * max(len(words) - 9, 0)
        told = len(named & {_stem(word) for word in words}) / max(len(named), 1)
        fit.append(max(brief, 0.3) * (0.65 + 0.35 * told) * (0.9 if text.endswith("…") else 1.0))
    return int(((_apart(vectors, background) @ centre) * np.array(fit)).argmax())


def _as_sentence(text: str) -> str:
    line = _sentence_case(_SHOUTED.sub(lambda marks: marks[0][0], text.strip()))
    if line.isupper():
        line = line.capitalize()
    return line if line[-1:] in ".!?…" else line + "."


def _apart(vectors: Vectors, background: Vectors | None) -> Vectors:
    apart = vectors - background if background is not None else vectors
    return np.asarray(apart / np.maximum(np.linalg.norm(apart, axis=1, keepdims=True), 1e-6), dtype=np.float32)


def _unit(vector: Vectors) -> Vectors:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-6), dtype=np.float32)
