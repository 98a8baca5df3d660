"""Reads what somebody needs out of a clause: what fails, what is wanted, what is asked; as a short phrase.

A cheap grammar, for there is no tagger here: it looks at the small words around ("can't", "please add", "how do I"), which
tell what the words between them are. What it does not recognise gives nothing.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile

Words = Sequence[str]

#: An object or a tail of a phrase has at most so many words, articles not counted.
LONGEST = 4
VOWELS = "aeiou"
#: Four letters and one syllable: their last letter is doubled.
_DOUBLING = frozenset("scan drag plan stop drop swap snap skip ship chat clip flip grab trim spin plug crop".split())

_ARTICLES = frozenset("a an the my our your his her their its any all some this that these those own of'".split())
_NOBODY = frozenset(
    "i we you he she they it me us him them one someone somebody people everyone there which who that what this these "
    "those i'm i've it's".split()
)
#: A phrase ends before one of these: another clause begins, or something that only fills.
_STOPS = frozenset(
    "when whenever while because since as if but so and or then although though until unless which who that where why "
    "how what than i we you he she they it it's i'm i've i'd i'll they're you're please pls plz thanks thank just even "
    "anymore more again already still now today yesterday morning afternoon monday tuesday wednesday thursday friday saturday sunday lately recently always often sometimes only too very really "
    "also either ever never is are was were am be been has have had do does did don't doesn't didn't can can't cannot "
    "could couldn't will won't would wouldn't should isn't aren't wasn't unable keeps keep kept says said every".split()
)
#: A phrase never ends with one of these.
_LOOSE = frozenset(
    "a an the my our your his her their its any all some this that these those to of for from with without in into on "
    "onto off at by via about after before between per over under up down out and or than more most very so too new "
    "other another each every no not me us you it them him same few such own like as via".split()
)
_LINKS = frozenset("of to for from with on in at between by".split())
_FILLERS = frozenset("still also just always often never keeps keep constantly now kept even suddenly".split())
#: Words of feeling that people put before a name.
_MOODS = frozenset(
    "great good bad awesome terrible horrible stupid annoying damn fucking nice cool love loved useless poor sucks please "
    "sorry hello hi hey ok okay well problem issue update otherwise honestly again sometimes months weeks days".split()
)
#: Verbs that say nothing without what follows in another clause.
_EMPTY = frozenset(
    "tell believe say wait stand imagine stress help recommend give complain afford do be have even go get come make "
    "happen seem think thank express understand expect rate know see let care mind".split()
)
LONGEST_NAME = 3
_PARTICLES = frozenset("up down out off in on back over away through".split())
_AUXILIARIES = frozenset("do does did can could would will should is are was were has have had am".split())
_WISHING = frozenset("want wants wanted need needs needed wish wished like love hope prefer expect".split())
_GIVING = frozenset("add bring include support provide implement introduce offer integrate".split())
_LETTING = frozenset("let lets allow allows enable enables".split())
_ROOM = frozenset("ability option way possibility chance button feature function means able possible".split())
_ASKING = frozenset("how where".split())
_ENDED = re.compile(r"[a-z]{3,}(?:[^e]ed|pped|tted|gged|ied)$")
_STRONG = frozenset(
    "lost gone stolen broken sent wrong missing slow empty expensive late hidden stuck unavailable incorrect frozen paid "
    "taken eaten cut double invalid inaccurate impossible blurry unreadable small confusing complicated pending laggy "
    "unreliable duplicate duplicated unclear blank outdated down tiny tedious overcharged unusable shown given "
    "found held withdrawn".split()
)
_NOT_STATES = frozenset("supposed used called based interested concerned disappointed pleased need needed required indeed allowed".split())
#: What goes wrong by itself: as people write it, and as a title says it of one thing and of several.
_FAILING: dict[str, tuple[str, str]] = {
    **dict.fromkeys("crash crashes crashed crashing".split(), ("crashes", "crash")),
    **dict.fromkeys("freeze freezes froze freezing".split(), ("freezes", "freeze")),
    **dict.fromkeys("fail fails failed failing".split(), ("fails", "fail")),
    **dict.fromkeys("hang hangs hanging".split(), ("hangs", "hang")),
    **dict.fromkeys("lag lags lagging".split(), ("lags", "lag")),
    **dict.fromkeys("disappear disappears disappeared disappearing vanish vanishes vanished".split(),
                    ("disappears", "disappear")),
}  # fmt: skip
_OCCASIONS = frozenset("when whenever while".split())
_MOMENTS = frozenset("after since during on at".split())
_STARTS = frozenset("start startup start-up launch opening open launching".split())


@dataclass(frozen=True, slots=True)
class Need:
    """A phrase for a title, in lower case but for nothing; `core` are the words of it that say what it is about."""

    words: tuple[str, ...]
    core: tuple[str, ...]
    #: How plainly the clause says that this is a need, 0 to 1.
    plain: float


def find_needs(words: Words) -> list[Need]:
    """The needs that a clause, in lower-case words, speaks of; none for most clauses."""
    found: list[Need] = []
    for place in range(len(words)):
        for read in _READERS:
            need = read(words, place)
            if need is not None:
                found.append(need)
    return found


def _denied(words: Words, at: int) -> Need | None:
    """I can't open the file; unable to open the file; won't let me open the file."""
    rest = _after(words, at, ("can't",), ("cannot",), ("cant",), ("can", "not"), ("couldn't",), ("could", "not"),
                  ("unable", "to"), ("not", "able", "to"), ("won't", "let", "me"), ("doesn't", "let", "me"),
                  ("not", "let", "me"), ("doesn't", "allow", "me", "to"), ("impossible", "to"),
                  ("not", "possible", "to"), ("can", "no", "longer"), ("can", "never"))  # fmt: skip
    if rest is None:
        return None
    rest = _skip(rest, {"even", "seem", "to", "actually", "be", "able", "ever"})
    phrase = _action(rest)
    subject = _subject(words, at)
    if not phrase or phrase[0] in _EMPTY - ({"get"} if len(phrase) > 1 else set()):
        return None
    if subject and (words[at] in {"unable", "not", "impossible", "won't", "doesn't"} or _ENDED.fullmatch(phrase[0])):
        subject = ()
    if rest and rest[0] in {"be", "been"}:
        return None
    if subject:
        return Need((*subject, "can't", *phrase), (*subject, *phrase), 0.9)
    return Need(("can't", *phrase), phrase, 1.0)


def _does_not(words: Words, at: int) -> Need | None:
    """The photos don't upload; the mail never arrives; it won't sync my notes."""
    rest = _after(words, at, ("won't",), ("wont",), ("will", "not"), ("doesn't",), ("doesnt",), ("does", "not"),
                  ("don't",), ("dont",), ("do", "not"), ("didn't",), ("did", "not"), ("never",), ("no", "longer"),
                  ("hasn't",), ("has", "not"), ("haven't",), ("have", "not"), ("stopped",))  # fmt: skip
    if rest is None or not rest or rest[0] in _EMPTY | {"allow", "want", "like", "need", "use", "been", "had"}:
        return None
    subject = _subject(words, at)
    if not subject:
        return None
    rest = _skip(rest, {"even", "always", "actually", "seem", "to", "really", "yet"})
    phrase = _action(rest)
    if not phrase:
        return None
    many = _is_many(subject)
    how = {"never": "never", "hasn't": "hasn't", "haven't": "haven't", "stopped": "stopped", "has": "hasn't", "have": "haven't"}.get(words[at])
    if how == "never":
        said = ("never", *phrase)
    elif how:
        said = (how, *phrase)
    else:
        verb = _base(phrase[0]) if words[at] == "no" else phrase[0]
        said = ("don't" if many else "doesn't", verb, *phrase[1:])
    return Need((*subject, *said), (*subject, *phrase), 1.0)


def _fails(words: Words, at: int) -> Need | None:
    """The calendar crashes when I open it; crashing since the update."""
    form = _FAILING.get(words[at])
    if form is None or (at + 1 < len(words) and words[at + 1] in {"report", "reports", "log", "logs"}):
        return None
    subject = _subject(words, at)
    occasion = _occasion(words[at + 1 :])
    said = form[1] if subject and _is_many(subject) else form[0]
    if not subject and not occasion:
        return Need(("app", said), (said,), 0.9)
    return Need((*subject, said, *occasion), (*subject, said, *(word for word in occasion if word not in _LOOSE | _OCCASIONS)), 0.95)


def _occasion(rest: Words) -> tuple[str, ...]:
    """When it happens: "when opening calendar", "on start", "since last update"; nothing when that is not said."""
    for place, word in enumerate(rest[:5]):
        following = rest[place + 1 :]
        if word in {"every", "each", "any"} and following[:1] == ["time"]:
            word, following = "when", following[1:]
        if word == "as" and list(following[:2]) == ["soon", "as"]:
            word, following = "when", following[2:]
        if word in _OCCASIONS:
            following = _skip(following, {*_NOBODY, "am", "are", "is", "try", "trying", "tries", "to", "was"})
            phrase = _action(following)
            if not phrase:
                return ()
            return ("on", "start") if phrase[0] in {"start", "launch"} and len(phrase) == 1 else ("when", _gerund(phrase[0]), *phrase[1:3])
        if word in _MOMENTS:
            if following[:1] and following[0] in _STARTS:
                return ("on", "start")
            phrase = tuple(takewhile(lambda one: one not in _FAILING, _thing(following)[:3]))
            telling = [one for one in phrase if one not in _LOOSE]
            return (word, *phrase) if telling and word in {"after", "since", "during"} else ()
        if word in _NOBODY or word in {"and", "but"}:
            return ()
    return ()


def _wanted(words: Words, at: int) -> Need | None:
    """Please add dark mode; let me export invoices; I would like to sort by date; an option to sort."""
    word, rest = words[at], words[at + 1 :]
    if word in _LETTING and rest and at < 3 + (words[0] in {"please", "it"}):
        return _verb_need(_skip(rest, {"me", "us", "users", "people", "you", "everyone", "to", "parents", "customers", "students", "the", "user", "admins"}), 0.95)
    if word in _GIVING and (at == 0 or words[at - 1] in {"please", "pls", "plz", "to", "could", "can", "would", "you", "should", "and", "just", "also"}):
        if word == "integrate":
            return _verb_need(words[at:], 0.9)
        return _thing_need(rest, 1.0)
    if word in _ROOM and rest[:1] == ["to"]:
        return _verb_need(rest[1:], 0.9)
    if word in _ROOM and word not in {"able", "possible"} and rest[:1] == ["for"]:
        return _thing_need(rest[1:], 0.7)
    if word == "please" and rest and rest[0] not in _LETTING | _GIVING | {"help", "fix", "advise", "tell", "note", "make", "do", "try", "respond", "just", "take", "look", "keep", "bring", "give", "can", "could"}:
        return _verb_need(rest, 0.85)
    if word in _WISHING and rest[:1] == ["to"] and (at == 0 or words[at - 1] not in {"don't", "do", "no", "not", "didn't", "used"}):
        return _verb_need(_skip(rest[1:], {"be", "able", "to", "see"} if rest[1:2] == ["be"] else set()), 0.8)
    if word in _WISHING | {"if", "could", "should", "wish"} and rest[:1] and rest[0] in {"i", "we", "you"} and rest[1:2] and rest[1] in {"could", "can"}:
        return _verb_need(rest[2:], 0.85)
    if word in _WISHING | {"if"} and list(rest[:2]) in (["there", "was"], ["there", "were"], ["it", "had"], ["you", "had"]):
        return _thing_need(rest[2:], 0.85)
    if word in {"needs", "missing", "lacks", "lack", "lacking"} and at <= 3 and rest[:1] not in (["to"], ["for"]):
        return _thing_need(rest, 0.8)
    if word in {"need", "want"} and at <= 2 and rest[:1] not in (["to"], ["for"]):
        return _thing_need(rest, 0.6, called=())
    return None


def _welcome(words: Words, at: int) -> Need | None:
    """Dark mode would be great; search should be faster."""
    if list(words[at : at + 2]) != ["would", "be"] and list(words[at : at + 2]) not in (["would", "help"], ["would", "save"]) and words[at : at + 1] != ["please"]:
        return None
    if words[at] == "please" and at + 1 < len(words):
        return None
    subject = _subject(words, at)
    return Need(("add", *subject), subject, 0.8) if subject and at - len(subject) <= 2 else None


def _asked(words: Words, at: int) -> Need | None:
    """How do I change my PIN; where can I see my invoices; can I cancel."""
    word, rest = words[at], words[at + 1 :]
    if word in _ASKING and rest and rest[0] == "to":
        phrase = _action(rest[1:])
    elif word in _ASKING and len(rest) > 1 and rest[0] in _AUXILIARIES and rest[1] in _NOBODY:
        phrase = _action(_skip(rest[2:], {"go", "about", "get", "to", "be", "able"} if rest[2:3] in (["go"], ["get"], ["be"]) else set()))
        phrase = ("get", *phrase) if phrase and _is_state(phrase[0]) else phrase
    elif word == "can" and at == 0 and rest and rest[0] in {"i", "we"}:
        word, phrase = "how", _action(rest[1:])
    else:
        return None
    return Need((word, "to", *phrase), phrase, 0.95) if phrase else None


def _why(words: Words, at: int) -> Need | None:
    """Why was my card declined; why hasn't my transfer arrived; when will my card arrive."""
    if words[at] not in {"why", "when", "has", "is", "was"} or len(words) - at < 3:
        return None
    start = at + 1 if words[at] in {"why", "when"} else at
    if words[at] in {"has", "is", "was"} and at:
        return None
    helper = words[start]
    if helper not in _AUXILIARIES | {"hasn't", "isn't", "wasn't", "haven't", "aren't", "didn't", "won't", "doesn't", "don't"}:
        return None
    rest = list(words[start + 1 :])
    own = list(takewhile(lambda one: one in _ARTICLES, rest))
    if not own and rest[:1] and rest[0] in _NOBODY:
        return None
    subject: list[str] = []
    for one in rest[len(own) :]:
        if _is_state(one) or one in _STOPS or one in {"not", "still", "so", "being", "no", "show", "work", "arrive", "take", "get", "go", "come"} or len(subject) == 3:
            break
        subject.append(one)
    after = _skip(rest[len(own) + len(subject) :], {"been", "still", "being", "so", "get", "getting"})
    if not subject or not after or _loose(subject):
        return None
    if words[at] == "when" and helper in {"will", "does", "do"}:
        phrase = _action(after)
        return Need(("when", *subject, "will", *phrase), (*subject, *phrase), 0.9) if phrase else None
    if after[0] == "not":
        phrase = _action(after[1:])
        return Need((*subject, "not", *phrase), (*subject, *phrase), 0.95) if phrase else None
    if helper in {"hasn't", "haven't"} and _is_state(after[0]):
        return Need((*subject, helper, after[0]), (*subject, after[0]), 1.0)
    if helper in {"isn't", "wasn't", "aren't", "didn't", "won't", "doesn't", "don't"}:
        phrase = _action(after)
        return Need((*subject, helper, *phrase), (*subject, *phrase), 1.0) if phrase and phrase[0] not in _EMPTY else None
    return Need((*subject, after[0]), (*subject, after[0]), 0.95) if _is_state(after[0]) else None


def _state(words: Words, at: int) -> Need | None:
    """The total is wrong; my payment was declined; the invoice is still missing."""
    if words[at] not in {"is", "are", "was", "were", "been", "being", "gets", "got", "isn't", "aren't", "wasn't", "looks"}:
        return None
    denied = next((word for word in words[at + 1 : at + 3] if word in {"never", "not"}), "")
    rest = _skip(words[at + 1 :], {"never", "not", "still", "so", "far", "very", "really", "always", "now", "also", "extremely", "completely", "been", "all", "just", "being", "quite", "again", "suddenly", "totally", "automatically"})
    too = rest[:1] == ["too"]
    rest = rest[1:] if too else rest
    if not rest or not _is_state(rest[0]):
        return None
    start = at - 1 if at and words[at - 1] in {"has", "have", "had", "just"} else at
    subject = _subject(words, start)
    tail = _tail(rest[1:])
    if not subject:
        return Need((rest[0], *tail), (rest[0], *tail), 0.8) if rest[0] in _BEFALLS and (tail or rest[0] in _WHOLE) else None
    many = _is_many(subject)
    if denied:
        return Need((*subject, denied, rest[0], *_strip(tail[:2])), (*subject, rest[0]), 0.95)
    be = ("are" if many else "is") if words[at] not in {"isn't", "aren't", "wasn't"} else ("aren't" if many else "isn't")
    said = (be, *(("too",) if too else ()), rest[0]) if rest[0] in _STRONG or too or be.endswith("n't") else (rest[0],)
    return Need((*subject, *said, *_strip(tail[:2])), (*subject, rest[0]), 0.9)


#: What befalls somebody: "charged twice", "logged out".
_BEFALLS = frozenset("charged billed locked logged blocked signed kicked overcharged debited asked forced stuck refunded".split())
_WHOLE = frozenset("overcharged".split())


def _befell(words: Words, at: int) -> Need | None:
    """They charged me twice; it logs me out."""
    word, rest = words[at], words[at + 1 :]
    if word in {"charged", "billed", "charging", "logs", "kicks", "signs", "logged", "locked"} and rest and rest[0] in {"me", "us", "my", "i"}:
        rest = rest[1:]
        if rest[:1] == ["card"]:
            rest = rest[1:]
        tail = _tail(rest)
        verb = {"charging": "charged", "logs": "logged", "kicks": "kicked", "signs": "signed"}.get(word, word)
        return Need((verb, *tail), (verb, *tail), 0.9) if tail else None
    return None


def _loses(words: Words, at: int) -> Need | None:
    """It deleted all my notes; my photos disappeared is read elsewhere."""
    if words[at] not in {"lost", "loses", "losing", "deleted", "deletes", "erased", "overwrites", "overwriting", "duplicates"}:
        return None
    rest = _skip(words[at + 1 :], {"all", "of", "my", "our", "the", "every", "half", "everything"})
    phrase = _thing(rest)[:2]
    verb = {"losing": "loses", "overwriting": "overwrites", "lost": "loses", "deleted": "deletes", "erased": "erases"}.get(words[at], words[at])
    return Need((verb, *phrase), (verb, *phrase), 0.9) if phrase and not _loose(phrase) and len(rest) < len(words[at + 1 :]) else None


_READERS: tuple[Callable[[Words, int], Need | None], ...] = (
    _denied, _does_not, _fails, _wanted, _welcome, _asked, _why, _state, _befell, _loses,
)  # fmt: skip


def _verb_need(rest: Words, plain: float) -> Need | None:
    phrase = _action(rest)
    return Need(phrase, phrase, plain) if phrase and len(phrase) > 1 else None


def _thing_need(rest: Words, plain: float, *, called: tuple[str, ...] = ("add",)) -> Need | None:
    """Add a dark mode; add a way to export, which is to export."""
    if any(word in _ROOM for word in rest[:3]) and "to" in rest[:4]:
        return _verb_need(rest[list(rest).index("to") + 1 :], plain)
    rest = _skip(rest, {"a", "an", "the", "option", "possibility", "support", "for", "more", "button", "function", "feature"})
    phrase = _thing(rest)
    if not phrase or _loose(phrase) or phrase[0] in _LOOSE or phrase[0].endswith("ing"):
        return None
    occasion = _posted(rest)
    return Need((*called, *phrase, *occasion), (*phrase, *occasion[1:]), plain)


def _posted(rest: Words) -> tuple[str, ...]:
    """Of "notifications when a grade is posted" the words from "when" on."""
    for place, word in enumerate(rest[:5]):
        if word in {"when", "if"}:
            clause = rest[place + 1 :]
            verb = next((at for at, one in enumerate(clause[:5]) if one in {"is", "are", "was", "gets", "has", "changes"}), None)
            subject = _subject(clause, verb) if verb is not None else ()
            if subject and verb is not None and len(clause) > verb + 1 and _is_state(clause[verb + 1]):
                return ("when", *subject, clause[verb], clause[verb + 1])
    return ()


def _after(words: Words, at: int, *starts: tuple[str, ...]) -> Words | None:
    for start in starts:
        if tuple(words[at : at + len(start)]) == start:
            return words[at + len(start) :]
    return None


def _skip(words: Words, fillers: set[str]) -> Words:
    return words[len(list(takewhile(fillers.__contains__, words))) :]


def _action(words: Words) -> tuple[str, ...]:
    """A verb with what it is done to, without articles; empty when there is none."""
    if not words or words[0] in _STOPS or words[0] in _LOOSE or len(words[0]) < 2 or not words[0].isalpha():
        return ()
    return _without_loose((words[0], *_phrase(words[1:])))


def _thing(words: Words) -> tuple[str, ...]:
    return _without_loose(_phrase(words))


def _phrase(words: Words) -> tuple[str, ...]:
    kept: list[str] = []
    for word in words:
        if word in _STOPS or word in _FAILING or len(kept) - kept.count("a") - kept.count("an") == LONGEST:
            break
        if (word in _ARTICLES and not (kept and word in {"a", "an"})) or word.endswith("ly"):
            continue
        kept.append(word)
    return tuple(kept)


def _tail(words: Words) -> tuple[str, ...]:
    return _strip(_phrase(words)[:3])


def _strip(phrase: tuple[str, ...]) -> tuple[str, ...]:
    while phrase and (phrase[-1] in _LOOSE or phrase[-1].isdigit()):
        phrase = phrase[:-1]
    return phrase


def _without_loose(phrase: tuple[str, ...]) -> tuple[str, ...]:
    """The phrase without small words at its end, but for those that belong to its verb: "log in"."""
    while len(phrase) > 1 and phrase[-1] in _LOOSE and not (phrase[-1] in _PARTICLES and len(phrase) == 2):
        phrase = phrase[:-1]
    return phrase


def _subject(words: Words, before: int) -> tuple[str, ...]:
    """The words before this place that name a thing, "messages to teachers" for one; empty when it is a pronoun."""
    before = _back_over(words, before, _FILLERS)
    start = _name_start(words, before)
    own = tuple(words[start:before])
    if not own or (start and words[start - 1] in {"no", "not", "without", "nor"}):
        return ()
    link = _back_over(words, start, _ARTICLES) - 1
    if link > 0 and words[link] in _LINKS:
        head = _name_start(words, link)
        if head < link and len(own) + link - head < LONGEST + 1:
            return (*words[head:link], words[link], *own)
    if link >= 0 and words[link] in _LINKS:
        return ()
    return own


def _name_start(words: Words, before: int) -> int:
    """Where the name begins that ends before this place."""
    start = before
    while start and before - start < LONGEST_NAME:
        word = words[start - 1]
        if word in _PARTICLES and start == before and start > 1 and words[start - 2] not in _STOPS | _LOOSE | _ARTICLES:
            start -= 1
            continue
        if word in _STOPS or word in _LOOSE or word in _NOBODY or word in _ARTICLES or word in _FAILING:
            break
        if word.endswith("ly") or word in _AUXILIARIES or word in _MOODS:
            break
        start -= 1
    return start


def _back_over(words: Words, before: int, fillers: frozenset[str]) -> int:
    while before and words[before - 1] in fillers:
        before -= 1
    return before


def _is_state(word: str) -> bool:
    return word in _STRONG or (bool(_ENDED.fullmatch(word)) and word not in _NOT_STATES)


def _is_many(subject: Words) -> bool:
    head = tuple(takewhile(lambda word: word not in _LINKS, subject))
    last = (head or subject)[-1]
    return (last.endswith("s") and not last.endswith(("ss", "us", "is", "ios"))) or last in {"people", "children"}


def _loose(words: Words) -> bool:
    return all(word in _LOOSE or word in _ARTICLES for word in words)


def _base(verb: str) -> str:
    """accepts, accept; matches, match; replies, reply."""
    if verb.endswith("ies") and len(verb) > 4:
        return verb[:-3] + "y"
    if verb.endswith(("sses", "shes", "ches", "xes", "oes")):
        return verb[:-2]
    return verb[:-1] if verb.endswith("s") and not verb.endswith("ss") else verb


def _gerund(verb: str) -> str:
    """open, opening; use, using; tap, tapping."""
    if verb.endswith("ing"):
        return verb
    if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")):
        return verb[:-1] + "ing"
    short = len(verb) == 3 and verb[-1] not in VOWELS + "wxy" and verb[-2] in VOWELS and verb[-3] not in VOWELS
    return verb + (verb[-1] if short or verb in _DOUBLING else "") + "ing"

