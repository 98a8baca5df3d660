"""Reads what somebody needs out of a clause: what fails, what is wanted, what is asked; as a short phrase.

It looks at the small words around ("can't", "please add", "how do I"), which tell what the words between them are. What
it does not recognise gives nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile

from tellback.engines.local.phrases import (
    ARTICLES,
    FAILING,
    LOOSE,
    NOBODY,
    STOPS,
    WORDS,
    Phrase,
    Words,
    action,
    after,
    base_form,
    gerund,
    is_empty,
    is_ended,
    is_many,
    is_state,
    skip,
    subject,
    tail,
    thing,
)

_AUXILIARIES, _EMPTY, _ROOM = WORDS["auxiliaries"], WORDS["empty"], WORDS["room"]
_NOT_AUXILIARIES = frozenset({"hasn't", "isn't", "wasn't", "haven't", "aren't", "didn't", "won't", "doesn't", "don't"})
_BE = frozenset({"is", "are", "was", "were", "been", "being", "gets", "got", "isn't", "aren't", "wasn't", "looks"})
#: Where a wish to have something added begins.
_ASKS = frozenset({"please", "pls", "plz", "to", "could", "can", "would", "you", "should", "and", "just", "also"})


@dataclass(frozen=True, slots=True)
class Need:
    """A phrase for a title, in lower case; `core` are the words of it that say what it is about.

    `plain` is how plainly the clause says that this is a need, 0 to 1.
    """

    words: Phrase
    core: Phrase
    plain: float


def find_needs(words: Words) -> list[Need]:
    """The needs that a clause, in lower-case words, speaks of; none for most clauses."""
    return [need for place in range(len(words)) for read in _READERS if (need := read(words, place)) is not None]


def _cannot(words: Words, at: int) -> Need | None:
    """I can't open the file; unable to open the file; won't let me open the file."""
    rest = after(
        words, at, "can't", "cannot", "cant", "can not", "couldn't", "could not", "unable to", "not able to",
        "won't let me", "doesn't let me", "not let me", "doesn't allow me to", "impossible to", "not possible to",
        "can no longer", "can never",
    )  # fmt: skip
    if not rest or rest[0] in {"be", "been"}:
        return None
    done = action(skip(rest, {"even", "seem", "to", "actually", "able", "ever"}))
    if not done or (done[0] in _EMPTY and not (done[0] == "get" and len(done) > 1)):
        return None
    who = subject(words, at)
    if who and words[at] not in {"unable", "not", "impossible", "won't", "doesn't"} and not is_ended(done[0]):
        return Need((*who, "can't", *done), (*who, *done), 0.9)
    return Need(("can't", *done), done, 1.0)


_HOW = {"never": "never", "hasn't": "hasn't", "haven't": "haven't", "stopped": "stopped", "has": "hasn't"}


def _does_not(words: Words, at: int) -> Need | None:
    """The photos don't upload; the mail never arrives; it won't sync my notes."""
    rest = after(
        words, at, "won't", "wont", "will not", "doesn't", "doesnt", "does not", "don't", "dont", "do not", "didn't",
        "did not", "never", "no longer", "hasn't", "has not", "haven't", "stopped",
    )  # fmt: skip
    who = subject(words, at)
    if not rest or not who or rest[0] in _EMPTY | {"allow", "want", "like", "need", "use", "been", "had"}:
        return None
    done = action(skip(rest, {"even", "always", "actually", "to", "really", "yet"}))
    if not done:
        return None
    if words[at] in _HOW:
        return Need((*who, _HOW[words[at]], *done), (*who, *done), 1.0)
    verb = base_form(done[0]) if words[at] == "no" else done[0]
    return Need((*who, "don't" if is_many(who) else "doesn't", verb, *done[1:]), (*who, *done), 1.0)


def _fails(words: Words, at: int) -> Need | None:
    """The calendar crashes when I open it; crashing since the update."""
    forms = FAILING.get(words[at])
    if forms is None or (at + 1 < len(words) and words[at + 1] in {"report", "reports", "log", "logs"}):
        return None
    who, occasion = subject(words, at), _occasion(words[at + 1 :])
    said = forms[1] if who and is_many(who) else forms[0]
    if not who and not occasion:
        return Need(("app", said), (said,), 0.9)
    core = (*who, said, *(word for word in occasion if word not in LOOSE | {"when", "since"}))
    return Need((*who, said, *occasion), core, 0.95)


def _occasion(rest: Words) -> Phrase:
    """When it happens: "when opening calendar", "on start", "since last update"; nothing when that is not said."""
    for place, word in enumerate(rest[:5]):
        here = after(rest, place, "every time", "each time", "any time", "as soon as", "when", "whenever", "while")
        if here is not None:
            done = action(skip(here, NOBODY | {"am", "are", "is", "try", "trying", "tries", "to", "was"}))
            if len(done) == 1 and done[0] in WORDS["starts"]:
                return ("on", "start")
            return ("when", gerund(done[0]), *done[1:3]) if done else ()
        if word in {"after", "since", "during", "on", "at"}:
            following = rest[place + 1 :]
            if following and following[0] in WORDS["starts"]:
                return ("on", "start")
            named = thing(following)[:3]
            return (word, *named) if word in {"after", "since", "during"} and not is_empty(named) else ()
        if word in NOBODY or word in {"and", "but"}:
            return ()
    return ()


def _added(words: Words, at: int) -> Need | None:
    """Please add dark mode; it needs a calendar; integrate with our tracker."""
    word, rest = words[at], words[at + 1 :]
    if word in WORDS["giving"] and (at == 0 or words[at - 1] in _ASKS):
        return _doing(words[at:], 0.9) if word == "integrate" else _having(rest, 1.0)
    if word in _ROOM - {"able", "possible"} and rest[:1] == ["for"]:
        return _having(rest[1:], 0.7)
    if word in WORDS["wishing"] | {"if"} and after(words, at + 1, "there was", "there were", "it had", "you had"):
        return _having(rest[2:], 0.85)
    is_object = rest[:1] not in (["to"], ["for"])
    is_lack = word in {"needs", "lacks", "lack", "lacking"} or (
        word == "missing" and at and words[at - 1] in {"is", "are", "still", "only", "just"}
    )
    if is_lack and at <= 3 and is_object:
        return _having(rest, 0.8)
    return _having(rest, 0.6, added=False) if word in {"need", "want"} and at <= 2 and is_object else None


def _allowed(words: Words, at: int) -> Need | None:
    """Let me export invoices; an option to sort; I would like to sort by date; I wish I could undo."""
    word, rest = words[at], words[at + 1 :]
    if word in WORDS["letting"] and at <= 3:
        return _doing(skip(rest, WORDS["let-whom"]), 0.95)
    if word in _ROOM and rest[:1] == ["to"]:
        return _doing(rest[1:], 0.9)
    if word == "please" and rest and rest[0] not in WORDS["letting"] | WORDS["giving"] | WORDS["vague"]:
        return _doing(rest, 0.85)
    if (
        word in WORDS["wishing"]
        and rest[:1] == ["to"]
        and (not at or words[at - 1] not in {"don't", "no", "not", "do"})
    ):
        return _doing(skip(rest, {"to", "be", "able"}), 0.8)
    could = after(words, at + 1, "i could", "we could", "you could", "i can", "we can", "you can")
    return _doing(could, 0.85) if could and word in WORDS["wishing"] | {"if"} else None


def _welcome(words: Words, at: int) -> Need | None:
    """Dark mode would be great; a reminder would help."""
    if after(words, at, "would be", "would help", "would save") is None:
        return None
    who = subject(words, at)
    return Need(("add", *who), who, 0.8) if who and at - len(who) <= 2 else None


def _asked(words: Words, at: int) -> Need | None:
    """How do I change my PIN; where can I see my invoices; can I cancel."""
    word, rest = words[at], words[at + 1 :]
    if word == "can" and at == 0 and rest[:1] in (["i"], ["we"]):
        word, done = "how", action(rest[1:])
    elif word in {"how", "where"} and rest[:1] == ["to"]:
        done = action(rest[1:])
    elif word in {"how", "where"} and len(rest) > 2 and rest[0] in _AUXILIARIES and rest[1] in NOBODY:
        done = action(
            skip(rest[2:], {"go", "about", "get", "to", "be", "able"} if rest[2] in {"go", "get", "be"} else ())
        )
    else:
        return None
    done = ("get", *done) if done and is_state(done[0]) else done
    return Need((word, "to", *done), done, 0.95) if done else None


def _wondered(words: Words, at: int) -> Need | None:
    """Why was my card declined; why hasn't my transfer arrived; when will my card arrive; is my order lost."""
    start = at + 1 if words[at] in {"why", "when"} else at
    if (start == at and (at or words[at] not in {"has", "is", "was"})) or start >= len(words):
        return None
    helper, rest = words[start], list(words[start + 1 :])
    if helper not in _AUXILIARIES | _NOT_AUXILIARIES:
        return None
    who, following = _inverted(rest)
    if not who or not following:
        return None
    if words[at] == "when" and helper in {"will", "does", "do"}:
        done = action(following)
        return Need(("when", *who, "will", *done), (*who, *done), 0.9) if done else None
    if helper in _NOT_AUXILIARIES or following[0] == "not":
        done = action(skip(following, {"not"}))
        said = helper if helper in _NOT_AUXILIARIES else "not"
        return Need((*who, said, *done), (*who, *done), 1.0) if done and done[0] not in _EMPTY else None
    return Need((*who, following[0]), (*who, following[0]), 0.95) if is_state(following[0]) else None


def _inverted(rest: list[str]) -> tuple[Phrase, Words]:
    """What a question is about, which stands behind its first word, and what follows; nothing for a pronoun."""
    own = len(list(takewhile(ARTICLES.__contains__, rest)))
    if not own and rest[:1] and rest[0] in NOBODY:
        return (), ()
    ends = STOPS | _EMPTY | {"not", "so", "being", "no", "show", "work", "arrive", "take"}
    who = tuple(takewhile(lambda word: not is_state(word) and word not in ends, rest[own:]))[:3]
    if is_empty(who):
        return (), ()
    return who, skip(rest[own + len(who) :], {"been", "still", "being", "so", "get", "getting"})


def _state(words: Words, at: int) -> Need | None:
    """The total is wrong; my payment was declined; the invoice is still missing."""
    if words[at] not in _BE:
        return None
    denied = next((word for word in words[at + 1 : at + 3] if word in {"never", "not"}), "")
    rest = skip(words[at + 1 :], WORDS["degrees"])
    is_too = rest[:1] == ["too"]
    rest = rest[1:] if is_too else rest
    if not rest or not is_state(rest[0]):
        return None
    who = subject(words, at - 1 if at and words[at - 1] in {"has", "have", "had", "just"} else at)
    how = _how(rest[1:])
    if not who:
        is_whole = bool(how) or rest[0] == "overcharged"
        return Need((rest[0], *how), (rest[0], *how), 0.8) if rest[0] in WORDS["befalls"] and is_whole else None
    if denied:
        return Need((*who, denied, rest[0], *tail(how, 2)), (*who, rest[0]), 0.95)
    be = "are" if is_many(who) else "is"
    be = f"{be}n't" if words[at].endswith("n't") else be
    needs_verb = rest[0] in WORDS["states"] or is_too or be.endswith("n't")
    said = (be, *(("too",) if is_too else ()), rest[0]) if needs_verb else (rest[0],)
    return Need((*who, *said, *tail(how, 2)), (*who, rest[0]), 0.9)


def _how(rest: Words) -> Phrase:
    """How or where something was done; what says it all by itself is not told where."""
    found = tail(rest)
    return found[:1] if found[:1] in (("twice",), ("double",), ("out",), ("again",)) else found


_PAST = {"charging": "charged", "logs": "logged", "kicks": "kicked", "signs": "signed"}


def _befell(words: Words, at: int) -> Need | None:
    """They charged me twice; it logs me out."""
    verb, rest = _PAST.get(words[at], words[at]), words[at + 1 :]
    if verb not in WORDS["befalls"] or rest[:1] not in (["me"], ["us"], ["my"], ["i"]):
        return None
    how = _how(skip(rest[1:], {"card"}))
    return Need((verb, *how), (verb, *how), 0.9) if how else None


_PRESENT = {"losing": "loses", "lost": "loses", "overwriting": "overwrites", "deleted": "deletes", "erased": "erases"}


def _loses(words: Words, at: int) -> Need | None:
    """It deleted all my notes."""
    rest = skip(words[at + 1 :], {"all", "of", "my", "our", "the", "every", "half", "everything"})
    what = thing(rest)[:2]
    if words[at] not in WORDS["loses"] or is_empty(what) or len(rest) == len(words) - at - 1:
        return None
    verb = _PRESENT.get(words[at], words[at])
    return Need((verb, *what), (verb, *what), 0.9)


_READERS: tuple[Callable[[Words, int], Need | None], ...] = (
    _cannot, _does_not, _fails, _added, _allowed, _welcome, _asked, _wondered, _state, _befell, _loses,
)  # fmt: skip


def _doing(rest: Words, plain: float) -> Need | None:
    done = action(rest)
    return Need(done, done, plain) if len(done) > 1 else None


def _having(rest: Words, plain: float, *, added: bool = True) -> Need | None:
    """Add a dark mode; a way to export, which is to export; notifications when a grade is posted."""
    if any(word in _ROOM for word in rest[:3]) and "to" in rest[:4]:
        return _doing(rest[list(rest).index("to") + 1 :], plain)
    rest = skip(rest, WORDS["called"])
    what = thing(rest)
    if is_empty(what) or what[0] in LOOSE or what[0].endswith("ing"):
        return None
    when = _when(rest)
    return Need((*(("add",) if added else ()), *what, *when), (*what, *when[1:]), plain)


def _when(rest: Words) -> Phrase:
    """Of "notifications when a grade is posted" the words from "when" on."""
    place = next((place for place, word in enumerate(rest[:5]) if word in {"when", "if"}), None)
    clause = rest[place + 1 :] if place is not None else ()
    verb = next((at for at, word in enumerate(clause[:5]) if word in {"is", "are", "was", "gets", "has"}), None)
    who = subject(clause, verb) if verb is not None else ()
    if verb is None or not who or len(clause) <= verb + 1 or not is_state(clause[verb + 1]):
        return ()
    return ("when", *who, clause[verb], clause[verb + 1])
