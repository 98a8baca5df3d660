"""How good understanding is by the workspace's own people, and what it has learnt from them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef

from tellback.understanding.learning import rules
from tellback.understanding.learning.services import CLASSES
from tellback.understanding.models import (
    CorrectedField,
    Correction,
    Guidance,
    LearntHead,
    Sentiment,
    Signal,
    SignalType,
)

#: What is looked back on: so many weeks, and so many of the latest judgements.
WEEKS, LATEST = 12, 20_000
LABELS = {CorrectedField.TYPE: SignalType.choices, CorrectedField.SENTIMENT: Sentiment.choices}
#: Signals to be checked are drawn from so many of the latest.
DRAWN_FROM = 1000


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of answer: how many were judged, and how often it was right. Percentages."""

    label: str
    hits: int
    of: int
    value: int
    low: int
    high: int

    @property
    def width(self) -> int:
        """From the lower to the upper end of the interval."""
        return self.high - self.low


@dataclass(frozen=True, slots=True)
class FieldReport:
    """How good one field is. `checked` is of what was drawn at random, `lines` of everything that was judged."""

    name: str
    label: str
    checked: Line
    everything: Line
    lines: list[Line]
    disagreement: Line
    weeks: list[tuple[date, Line]]
    has_drifted: bool

    @property
    def measured(self) -> list[tuple[date, Line]]:
        """The weeks in which somebody judged."""
        return [(monday, line) for monday, line in self.weeks if line.of]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything the page shows."""

    fields: list[FieldReport]
    heads: list[LearntHead]
    guidance: Guidance | None


def read_report(*, today: date) -> Report:
    """Of the last twelve weeks. Four queries."""
    return Report(
        fields=[_field(name, today) for name in LABELS],
        heads=list(LearntHead.objects.defer("weights").order_by("field", "engine", "embedding_model")),
        guidance=Guidance.objects.first(),
    )


def find_to_check(*, person: UUID) -> Signal | None:
    """A signal that this person may say is right or wrong, drawn evenly from the latest; None when none is left.

    The draw is by the hash of person and signal: it stays until it is answered, and nobody can choose an easy one.
    """
    judged = Correction.objects.filter(signal=OuterRef("pk"), undone_at=None, field__in=CLASSES)
    judged = judged.filter(corrected_by_principal=person)
    dismissed = Correction.objects.filter(signal=OuterRef("pk"), undone_at=None, field=CorrectedField.NOT_FEEDBACK)
    latest = Signal.objects.exclude(summary="").exclude(sentiment=None).order_by("-id")
    ids = latest.filter(~Exists(judged), ~Exists(dismissed)).values_list("id", flat=True)[:DRAWN_FROM]
    drawn = min(ids, key=lambda pk: hashlib.sha256(person.bytes + pk.bytes).digest(), default=None)
    return Signal.objects.select_related("raw_feedback_item").filter(pk=drawn).first() if drawn else None


def _field(name: CorrectedField, today: date) -> FieldReport:
    judgements = _judgements(name, since=today - timedelta(weeks=WEEKS))
    verdicts = rules.settle(judgements)
    labels = dict(LABELS[name])
    checked = [one for one in verdicts if one.asked]
    weeks = rules.by_week(checked, until=today, weeks=WEEKS)
    shares = rules.accuracy_by_answer(verdicts)
    return FieldReport(
        name=name,
        label=str(name.label),
        checked=_line("", rules.accuracy(checked)),
        everything=_line("", rules.accuracy(verdicts)),
        lines=[_line(str(labels[kind]), shares[kind]) for kind in CLASSES[name] if kind in shares],
        disagreement=_line("", rules.disagreement(judgements)),
        weeks=[(monday, _line("", share)) for monday, share in weeks],
        has_drifted=rules.has_drifted(weeks),
    )


def _judgements(name: str, *, since: date) -> Sequence[rules.Judgement]:
    rows = Correction.objects.filter(field=name, undone_at=None, created_at__date__gte=since)
    found = rows.order_by("-created_at", "-id").values_list(
        "raw_feedback_item_id", "evidence_spans", "previous_value", "new_value", "corrected_by_principal_id",
        "created_at", "is_check",
    )[:LATEST]  # fmt: skip
    return [
        rules.Judgement(f"{item}{spans}", str(said), str(truth), str(person), _day(at), asked)
        for item, spans, said, truth, person, at, asked in reversed(found)
    ]


def _day(at: datetime) -> date:
    return at.date()


def _line(label: str, share: rules.Share) -> Line:
    low, high = share.interval
    return Line(label, share.hits, share.of, round(100 * share.value), round(100 * low), round(100 * high))
