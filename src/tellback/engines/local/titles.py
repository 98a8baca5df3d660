"""Names a theme in words taken from its own sentences.

A title is a run of words that several people used, close in meaning to what sets the theme apart from the rest of the
workspace; the summary is the sentence that says it most plainly, as somebody said it.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from tellback.sdk.engine import Description, Vectors

_TOKEN = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
_CLAUSE_END = re.compile(r"[.!?,;:()\[\]{}\"“”…\n]|\s[-–—]\s")
MAX_SENTENCES = 60
MAX_CANDIDATES = 160
MAX_WORDS = 5

#: A title neither begins nor ends with one of these.
_EDGE = frozenset(
    [
        "a",
        "about",
        "above",
        "after",
        "again",
        "all",
        "also",
        "always",
        "am",
        "an",
        "and",
        "any",
        "anyone",
        "anything",
        "are",
        "as",
        "at",
        "back",
        "be",
        "because",
        "been",
        "before",
        "being",
        "both",
        "but",
        "by",
        "came",
        "can",
        "cannot",
        "can't",
        "come",
        "comes",
        "could",
        "couldn't",
        "did",
        "didn't",
        "do",
        "does",
        "doesn't",
        "doing",
        "don't",
        "done",
        "down",
        "each",
        "either",
        "else",
        "etc",
        "even",
        "ever",
        "every",
        "everyone",
        "everything",
        "few",
        "first",
        "for",
        "from",
        "get",
        "gets",
        "getting",
        "give",
        "go",
        "goes",
        "going",
        "good",
        "got",
        "great",
        "had",
        "has",
        "have",
        "haven't",
        "having",
        "he",
        "her",
        "here",
        "him",
        "his",
        "how",
        "i",
        "i'd",
        "i'll",
        "i'm",
        "i've",
        "if",
        "im",
        "in",
        "into",
        "is",
        "isn't",
        "it",
        "it's",
        "its",
        "ive",
        "just",
        "keep",
        "keeps",
        "kind",
        "know",
        "last",
        "least",
        "let",
        "like",
        "likely",
        "little",
        "lot",
        "lots",
        "made",
        "make",
        "makes",
        "many",
        "may",
        "maybe",
        "me",
        "might",
        "mine",
        "more",
        "most",
        "much",
        "must",
        "my",
        "need",
        "needs",
        "never",
        "new",
        "next",
        "nice",
        "no",
        "none",
        "nor",
        "not",
        "nothing",
        "now",
        "of",
        "off",
        "ok",
        "okay",
        "on",
        "once",
        "one",
        "only",
        "or",
        "other",
        "our",
        "ours",
        "out",
        "over",
        "own",
        "per",
        "please",
        "pls",
        "put",
        "quite",
        "rather",
        "really",
        "right",
        "same",
        "say",
        "says",
        "see",
        "seem",
        "seems",
        "she",
        "should",
        "since",
        "so",
        "some",
        "someone",
        "something",
        "soon",
        "still",
        "such",
        "sure",
        "take",
        "than",
        "that",
        "that's",
        "the",
        "their",
        "them",
        "then",
        "there",
        "there's",
        "these",
        "they",
        "they're",
        "thing",
        "things",
        "think",
        "this",
        "those",
        "though",
        "through",
        "to",
        "together",
        "too",
        "totally",
        "try",
        "trying",
        "two",
        "under",
        "until",
        "up",
        "us",
        "use",
        "used",
        "very",
        "want",
        "wants",
        "was",
        "wasn't",
        "way",
        "we",
        "we'd",
        "we'll",
        "we're",
        "we've",
        "well",
        "went",
        "were",
        "what",
        "what's",
        "when",
        "where",
        "which",
        "while",
        "who",
        "whole",
        "whose",
        "why",
        "will",
        "with",
        "within",
        "without",
        "won't",
        "would",
        "wouldn't",
        "yes",
        "yet",
        "you",
        "you're",
        "your",
        "yours",
        "hi",
        "hello",
        "thanks",
        "thank",
        "love",
        "hope",
        "wish",
        "able",
        "dont",
        "doesnt",
        "cant",
        "didnt",
        "isnt",
        "wont",
        "actually",
        "literally",
        "basically",
        "completely",
        "absolutely",
        "currently",
        "recently",
        "suddenly",
        "already",
        "today",
        "yesterday",
        "tomorrow",
        "week",
        "weeks",
        "month",
        "months",
        "year",
        "years",
        "day",
        "days",
        "time",
        "times",
        "app",
        "lately",
        "using",
        "since",
        "happening",
        "happens",
        "happened",
        "und",
        "der",
        "die",
        "das",
        "ich",
        "ist",
        "nicht",
        "mit",
        "le",
        "la",
        "les",
        "des",
        "une",
        "est",
        "pas",
        "pour",
        "el",
        "los",
        "las",
        "una",
        "que",
        "con",
        "para",
    ]
)
#: Words that carry no need on their own.
_WEAK = frozenset(
    [
        "app",
        "apps",
        "application",
        "issue",
        "issues",
        "problem",
        "problems",
        "error",
        "errors",
        "update",
        "updates",
        "version",
        "feature",
        "features",
        "option",
        "options",
        "work",
        "works",
        "working",
        "fix",
        "fixed",
        "please",
        "user",
        "users",
        "phone",
        "thing",
        "people",
        "account",
        "great",
        "good",
        "bad",
        "best",
        "love",
        "awesome",
        "amazing",
        "nice",
    ]
)


def describe_theme(
    texts: Sequence[str], vectors: Vectors, *, background: Vectors | None, embed: Callable[[Sequence[str]], Vectors]
) -> Description:
    """Title and summary for these sentences. `background` is what the whole workspace is about, taken out first."""
    middle = vectors.mean(axis=0)
    centre = middle - (background if background is not None else 0)
    order = np.argsort(-(vectors @ _unit(middle)))[:MAX_SENTENCES]
    near = [texts[index] for index in order]
    title = _best_title(near, _unit(centre), _unit(middle), background, embed)
    cited = _summary(texts, vectors, _unit(centre), background)
    return Description(title=title or _sentence_case(texts[cited]), summary=_as_sentence(texts[cited]), cited=(cited,))


def _best_title(
    sentences: list[str],
    centre: Vectors,
    middle: Vectors,
    background: Vectors | None,
    embed: Callable[[Sequence[str]], Vectors],
) -> str:
    forms, frequency = _candidates(sentences)
    if not frequency:
        return ""
    enough = 2 if len(sentences) >= 3 else 1
    likely = sorted(
        (run for run, count in frequency.items() if count >= enough or len(run) >= 3),
        key=lambda run: (-frequency[run] * len(run) ** 0.7, run),
    )[:MAX_CANDIDATES]
    if not likely:
        return ""
    shown = [" ".join(run) for run in likely]
    vectors = embed(shown)
    apart = vectors - background if background is not None else vectors
    apart = apart / np.maximum(np.linalg.norm(apart, axis=1, keepdims=True), 1e-6)
    closeness = 0.6 * (apart @ centre) + 0.4 * (vectors @ middle)
    share = np.array([min(frequency[run], 12) / min(len(sentences), 12) for run in likely])
    length = np.array([{1: 0.72, 2: 1.0, 3: 1.06, 4: 1.04}.get(len(run), 0.94) for run in likely])
    weak = np.array([0.8 if all(word in _WEAK for word in run) else 1.0 for run in likely])
    ranked = closeness * (0.55 + 0.45 * np.sqrt(share)) * length * weak
    best = likely[int(ranked.argmax())]
    return _sentence_case(" ".join(_usual_form(word, forms) for word in best))


def _candidates(sentences: Sequence[str]) -> tuple[dict[str, Counter[str]], Counter[tuple[str, ...]]]:
    """How each word is written, and in how many sentences each run of words stands."""
    forms: dict[str, Counter[str]] = {}
    frequency: Counter[tuple[str, ...]] = Counter()
    for sentence in sentences:
        runs: set[tuple[str, ...]] = set()
        for clause in _CLAUSE_END.split(sentence):
            words = _TOKEN.findall(clause)
            lower = [word.lower().replace("’", "'") for word in words]
            for index, word in enumerate(words):
                # The first word's capital says nothing about how it is written elsewhere.
                forms.setdefault(lower[index], Counter())[word if index else lower[index]] += 1
            runs |= _runs(lower)
        frequency.update(runs)
    return forms, frequency


def _runs(words: Sequence[str]) -> set[tuple[str, ...]]:
    found = set()
    for start in range(len(words)):
        for size in range(1, MAX_WORDS + 1):
            run = tuple(words[start : start + size])
            if len(run) == size and _may_be_title(run):
                found.add(run)
    return found


def _may_be_title(run: tuple[str, ...]) -> bool:
    if run[0] in _EDGE or run[-1] in _EDGE or len(set(run)) < len(run):
        return False
    return all(len(word) > 2 and not word.isdigit() for word in (run[0], run[-1]))


def _usual_form(word: str, forms: dict[str, Counter[str]]) -> str:
    """A name keeps its capitals when most people write it so; shouting does not count."""
    written, count = forms[word].most_common(1)[0]
    if written.isupper() and len(written) > 4:
        return word
    return written if count * 2 > forms[word].total() else word


def _sentence_case(text: str) -> str:
    line = " ".join(text.split())
    return line[:1].upper() + line[1:]


def _summary(texts: Sequence[str], vectors: Vectors, centre: Vectors, background: Vectors | None) -> int:
    """Position of the sentence to quote: near the centre, short, complete."""
    apart = vectors - background if background is not None else vectors
    apart = apart / np.maximum(np.linalg.norm(apart, axis=1, keepdims=True), 1e-6)
    words = np.array([len(_TOKEN.findall(text)) for text in texts])
    fit = np.where(words < 4, 0.75, np.where(words > 26, 0.8, 1.0)) * (1 - 0.006 * np.maximum(words - 8, 0))
    return int(((apart @ centre) * fit).argmax())


def _as_sentence(text: str) -> str:
    line = _sentence_case(text)
    if line.isupper():
        line = line.capitalize()
    return line if line[-1:] in ".!?…" else line + "."


def _unit(vector: Vectors) -> Vectors:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-6), dtype=np.float32)
