"""The taxonomy snapshot: what a language model may sort a signal into (document 3, section 5.2).

Boards, tags and themes belong to rooms above, which offer theirs in their module `taxonomy`, loaded at the start.
Everything here was written by people or made from what they wrote: it is redacted before it may leave.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from django.db.models import F

from tellback.intake.policy import Policy
from tellback.sdk.engine import CorrectionExample, KnownTheme, NamedThing, Taxonomy, Vectors
from tellback.understanding.models import Correction

CORRECTIONS = 10
#: How long one text of a snapshot may be; a snapshot is paid for with every signal.
LENGTH = 200
GUIDANCE_LENGTH = 2_000
_ID = re.compile(r"\A[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\Z")


@dataclass(frozen=True, slots=True)
class NearThemes:
    """Themes to choose from. `shared` are the same for every signal, `near[i]` those that lie close to the i-th."""

    shared: tuple[KnownTheme, ...]
    near: tuple[tuple[KnownTheme, ...], ...]


def read_corrections() -> Sequence[CorrectionExample]:
    """What people of the team put right last, newest first. `before` and `after` may be ids, as they are kept."""
    held = Correction.objects.filter(undone_at=None).order_by("-created_at", "-id")
    kept = held.exclude(new_value="").exclude(previous_value=None).exclude(new_value=F("previous_value"))
    rows = kept.values_list("field", "previous_value", "new_value", "reason", "signal__summary")[:CORRECTIONS]
    return [
        CorrectionExample(field, str(before), str(after), reason or "", about or "")
        for field, before, after, reason, about in rows
    ]


ReadNamed = Callable[[], Sequence[NamedThing]]
ReadThemes = Callable[[Vectors, str], NearThemes]
ReadCorrections = Callable[[], Sequence[CorrectionExample]]
ReadGuidance = Callable[[], str]


@dataclass(slots=True)
class _Offered:
    """Where each part of the snapshot comes from."""

    boards: ReadNamed = tuple
    tags: ReadNamed = tuple
    themes: ReadThemes = lambda vectors, _model: NearThemes((), ((),) * len(vectors))
    corrections: ReadCorrections = read_corrections
    guidance: ReadGuidance = str


_offered = _Offered()


def offers_boards(read: ReadNamed) -> None:
    """Declare where the boards come from."""
    _offered.boards = read


def offers_tags(read: ReadNamed) -> None:
    """Declare where the tags come from."""
    _offered.tags = read


def offers_themes(read: ReadThemes) -> None:
    """Declare where themes come from: given the signals' vectors and their model, those to choose from."""
    _offered.themes = read


def offers_corrections(read: ReadCorrections) -> None:
    """Declare where recent corrections come from, instead of `read_corrections`. An id in them is said by its name."""
    _offered.corrections = read


def offers_guidance(read: ReadGuidance) -> None:
    """Declare where the workspace's guidance for sorting comes from: a few sentences, or nothing."""
    _offered.guidance = read


def named_boards() -> Sequence[NamedThing]:
    """The boards that signals are sorted into, as they are named now."""
    return _offered.boards()


def read_taxonomies(vectors: Vectors, *, model: str, policy: Policy) -> list[Taxonomy]:
    """One snapshot for each signal: the workspace's, and the themes that lie close to it. Needs a workspace set."""
    clean = _Cleaner(policy)
    boards = tuple(clean.named(one) for one in _offered.boards())
    tags = tuple(clean.named(one) for one in _offered.tags())
    found = _offered.themes(vectors, model)
    shared = tuple(clean.theme(one) for one in found.shared)
    near = [[clean.theme(one) for one in some] for some in found.near]
    names = {one.id: one.name for one in (*boards, *tags)}
    names |= {one.id: one.title for one in (*shared, *(one for some in near for one in some))}
    corrections = tuple(filter(None, (clean.correction(one, names) for one in _offered.corrections()[:CORRECTIONS])))
    guidance = clean.text(_offered.guidance(), longest=GUIDANCE_LENGTH)
    return [Taxonomy(boards, tags, _merged(shared, some), corrections, guidance) for some in near]


def _merged(shared: Sequence[KnownTheme], near: Sequence[KnownTheme]) -> tuple[KnownTheme, ...]:
    """Shared ones first, in an order that stays, so that an endpoint can reuse what it has read."""
    close = {one.id: one for one in near}
    known = {one.id for one in shared}
    return (*(close.get(one.id, one) for one in shared), *(one for one in near if one.id not in known))


class _Cleaner:
    """Takes private data out of what people named things."""

    def __init__(self, policy: Policy) -> None:
        self._redactor = policy.redactor()

    def text(self, text: str, *, longest: int = LENGTH) -> str:
        return self._redactor.redact_short(" ".join(text.split()))[:longest]

    def named(self, thing: NamedThing) -> NamedThing:
        return replace(thing, name=self.text(thing.name), about=self.text(thing.about))

    def theme(self, theme: KnownTheme) -> KnownTheme:
        return replace(
            theme,
            title=self.text(theme.title),
            summary=self.text(theme.summary),
            top_signals=tuple(self.text(quote) for quote in theme.top_signals),
        )

    def correction(self, one: CorrectionExample, names: dict[str, str]) -> CorrectionExample | None:
        """In words; None when it is about something that is gone, whose id would say nothing."""
        before, after = self._said(one.before, names), self._said(one.after, names)
        if not before or not after:
            return None
        return CorrectionExample(one.field, before, after, self.text(one.reason), self.text(one.about))

    def _said(self, value: str, names: dict[str, str]) -> str:
        if value in names:
            return names[value]
        return "" if _ID.match(value) else self.text(value)
