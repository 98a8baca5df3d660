"""Names a theme in words taken from its own sentences.

A title is a run of words that people used, close in meaning to what sets the theme apart from the rest of the workspace, and
whose words many of the theme's sentences share; the summary is the sentence that says it most plainly, as somebody said it.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tellback.sdk.engine import Description, Vectors

Embed = Callable[[Sequence[str]], Vectors]
Run = tuple[str, ...]

_TOKEN = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
_CLAUSE_END = re.compile(r"[.!?,;:()\[\]{}\"“”…\n&/]|\s[-–—]\s")
_ENDING = re.compile(r"(?:ing|edly|ed|es|s|er|ers|e)$")
MAX_SENTENCES = 60
MAX_CANDIDATES = 200
MAX_WORDS = 5
#: A run that stands in one sentence only is somebody's phrase, not yet everybody's.
ONCE = 0.82
LENGTH = {1: 0.74, 2: 1.0, 3: 1.06, 4: 1.02, 5: 0.94}

#: A title neither begins nor ends with one of these.
_EDGE = frozenset(
    """
    a able about above absolutely across actually add added adding after again against ago all allow allowed
    allows along already also although always am among amount an and another any anymore anyone anything app are
    around as ask asked at back basically be became because become becomes been before being between big bit
    both but by call called came can can't cannot cant case cause certain come comes completely con constantly
    could couldn't currently das day days der des did didn't didnt die different do does doesn't doesnt doing
    don't done dont down due during each either el else enough est etc even ever every everyone everything
    everytime except existing expect fact few finally find finding first fix fixed for found from gave get gets
    getting give given giving go goes going good got great guy guys had happened happening happens has have
    haven't having he hello help helps hence her here hi him his hope hoping how however i i'd i'll i'm i've ich
    idea if im in inside instead into is isn't isnt ist it it's its ive just keep keeps kept kind kinda know la
    las last lately le least les let lets like likely literally little lol longer look looking looks los lose
    lost lot lots love luckily made make makes man many may maybe me mean means might mine minus mit month
    months more most much must my near need needed needs never new next nice nicht no none nor not nothing now
    number of off often ok okay old on once one only onto or other our ours out over own paid para part pas pay
    per please pls plus plz pour pretty put puts que question quite rate rated rather really reason recently
    right run running said same say says see seeing seem seems seen sent several she should show showing since
    small so some someone something sometimes soon sort specific start started starting still such suddenly sure
    take taken takes taking tell than thank thanks that that's the their them then there there's therefore these
    they they're thing things think thinking this those though thought through throughout thus time times to
    today together told tomorrow too took totally toward towards tried try trying turn turned two una und under
    une unless until up upon us use used using usually various very via want wanted wants was wasn't way we we'd
    we'll we're we've week weeks well went were what what's whatever when whenever where wherever which while
    who whole whose why will wish with within without won't wont would wouldn't year years yes yesterday yet you
    you're your yours
    """.split()
)
#: A title may begin with one of these, never end with it.
_DENIALS = frozenset("can't cannot won't doesn't isn't not no unable cant wont doesnt".split())
#: A run that carries one of these is a piece of a sentence, not a name for it.
_NOT_INSIDE = frozenset(
    """
    i we you they he she it i'm i've i'd i'll it's we're we've you're they're that's there's this these those because but so
    if which who what please pls just then and/or also im ive its that when really very actually
    """.split()
)
#: Words that say how somebody feels or that something is wrong, not what it is about.
_WEAK = frozenset(
    """
    account amazing android annoyed annoying app app's application apps awesome bad beautiful best better bug
    bugs company cool crap crappy desirable developer developers device devices disappointed disappointing dumb
    enjoy error errors excellent fantastic favorite favourite feature features five fix fixed frustrated
    frustrating fun garbage good great happy hate horrible ipad iphone issue issues joke lame like love loved
    money nice option options people perfect phone please poor pretty problem problems review reviews ridiculous
    rubbish sad sorry star stars stupid suck sucks terrible thing unhappy update updates useless user users
    version waste wonderful work working works worst
    """.split()
)
_COMMON = _EDGE | _DENIALS | _NOT_INSIDE


def describe_theme(texts: Sequence[str], vectors: Vectors, *, background: Vectors | None, embed: Embed) -> Description:
    """Title and summary for these sentences. `background` is what the whole workspace is about, taken out first."""
    middle = vectors.mean(axis=0)
    centre = _unit(middle - background if background is not None else middle)
    order = np.argsort(-(vectors @ _unit(middle)), kind="stable")[:MAX_SENTENCES]
    title = _best_title([texts[index] for index in order], centre, _unit(middle), background, embed)
    cited = _summary(texts, vectors, centre, background, title)
    return Description(title=title or _shortened(texts[cited]), summary=_as_sentence(texts[cited]), cited=(cited,))


def _best_title(
    sentences: list[str], centre: Vectors, middle: Vectors, background: Vectors | None, embed: Embed
) -> str:
    book = _read(sentences)
    likely = sorted(book.runs, key=lambda run: (-book.coverage(run), -len(run), run))[:MAX_CANDIDATES]
    if not likely:
        return ""
    vectors = embed([" ".join(run) for run in likely])
    closeness = 0.55 * (_apart(vectors, background) @ centre) + 0.45 * (vectors @ middle)
    merit = np.array([_merit(run, book) for run in likely])
    best = likely[int((closeness * merit).argmax())]
    return _sentence_case(" ".join(_usual_form(word, book.forms) for word in best))


def _merit(run: Run, book: "_Book") -> float:
    weak = sum(word in _WEAK for word in run)
    content = sum(word not in _WEAK and word not in _COMMON for word in run)
    mood = 0.55 if not content else 0.92**weak
    known = 1.0 if book.runs[run] > 1 or book.size < 3 else ONCE
    return float(LENGTH[len(run)] * mood * known * (0.4 + 0.6 * book.coverage(run) ** 0.5))


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
    if (first in _EDGE and first not in _DENIALS) or last in _COMMON or len(set(run)) < len(run):
        return False
    if any(word in _NOT_INSIDE for word in run) or last.endswith("ly") or (first.endswith("ly") and len(first) > 5):
        return False
    return all(len(word) > 2 and not word.isdigit() for word in (first, last))


def _stem(word: str) -> str:
    """The word without its ending, so that crash, crashes, crashed and crashing count as one."""
    stem = _ENDING.sub("", word) if len(word) > 4 else word.rstrip("s") if len(word) == 4 else word
    return stem[:-1] if len(stem) > 3 and stem[-1] == stem[-2] else stem


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
        fit.append(max(brief, 0.3) * (0.8 + 0.2 * told) * (0.9 if text.endswith("…") else 1.0))
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
