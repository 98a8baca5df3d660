"""Training a workspace's heads from what its people judged, and holding what engines say to them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
from django.db import transaction
from django.db.models import Exists, OuterRef

from tellback.platform.jobs import Queue, defer_once
from tellback.understanding.engine import get_engine
from tellback.understanding.learning.heads import SHOWN, Judged, Reading, WorkspaceHead, fit_workspace_head
from tellback.understanding.models import CorrectedField, Correction, LearntHead, Sentiment, Signal, SignalType

#: What a head can learn, and the words it chooses from.
CLASSES: dict[str, Sequence[str]] = {CorrectedField.TYPE: SignalType.values, CorrectedField.SENTIMENT: Sentiment.values}
#: The latest judgements of a field that count, and how few teach nothing yet.
REMEMBERED, FEWEST = 2000, 3
#: How long a run of corrections is waited for before the heads are trained again.
PAUSE = timedelta(seconds=20)
#: How sure an engine is taken to have been where nobody kept it.
UNKNOWN = 0.6

Kind = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class LearntHeads:
    """A workspace's heads by field, engine and embedding model."""

    heads: dict[Kind, WorkspaceHead]

    @classmethod
    def load(cls) -> "LearntHeads":
        """Those of the workspace that is set. One query."""
        return cls({(one.field, one.engine, one.embedding_model): _weights(one) for one in LearntHead.objects.all()})

    def hold(self, signals: Iterable[Signal]) -> None:
        """Change what these signals, which are not stored yet, are said to be; what the engine said is kept on them."""
        if not self.heads:
            return
        signals = list(signals)
        for name in CLASSES:
            groups: dict[Kind, list[Signal]] = defaultdict(list)
            for signal in signals:
                kind = (name, engine_of(signal, name), signal.embedding_model or "")
                if kind in self.heads and signal.embedding is not None and getattr(signal, name):
                    groups[kind].append(signal)
            for kind, some in groups.items():
                answers = self.heads[kind].answer([_said(signal, name) for signal in some])
                for signal, (answer, confidence) in zip(some, answers, strict=True):
                    _change(signal, name, answer, round(confidence, 4))


def learn_soon(*, workspace_id: UUID) -> None:
    """Have the heads trained once the people who put things right have paused."""
    defer_once("understanding.learn", queue=Queue.AI, workspace_id=workspace_id, delay=PAUSE)


@transaction.atomic
def learn(*, workspace_id: UUID, now: datetime) -> int:
    """Train the heads of the workspace anew from what holds today; returns how many there are.

    One for each field, engine version and embedding model of which three judgements or more are known; others are
    removed. The same judgements give the same heads.
    """
    kept = []
    for name, classes in CLASSES.items():
        for (engine, embedding_model), judged in _judged(name).items():
            if len(judged) < FEWEST:
                continue
            head = fit_workspace_head(
                judged,
                untouched=_untouched(name, engine, embedding_model),
                classes=classes,
                middle=_middle(embedding_model, len(judged[0].reading.vector)),
            )
            row, _created = LearntHead.objects.update_or_create(
                workspace_id=workspace_id,
                field=name,
                engine=engine,
                embedding_model=embedding_model,
                defaults={"judged": len(judged), "weights": head.as_json(), "trained_at": now},
            )
            kept.append(row.pk)
    LearntHead.objects.exclude(pk__in=kept).delete()
    return len(kept)


def engine_of(signal: Signal, name: str) -> str:
    """Which engine version said what stands in this field."""
    if name == CorrectedField.TYPE:
        return version_of(signal.extraction_model, signal.extraction_prompt_version)
    return version_of(signal.interpretation_model, signal.interpretation_prompt_version)


def version_of(model: str | None, prompt_version: str | None) -> str:
    """The name of an engine version: its model, and its prompts where they are versioned apart."""
    return model or "" if model == prompt_version else f"{model} {prompt_version}"


def _weights(row: LearntHead) -> WorkspaceHead:
    return WorkspaceHead.of_json(row.weights)


def _said(signal: Signal, name: str) -> Reading:
    """What the engine said in this field, whatever stands there now."""
    kept = (signal.engine_reading or {}).get(name)
    sure = signal.extraction_confidence if name == CorrectedField.TYPE else signal.interpretation_confidence
    answer, confidence = kept or (getattr(signal, name), sure)
    return Reading(answer, UNKNOWN if confidence is None else confidence, np.asarray(signal.embedding))


def _change(signal: Signal, name: str, answer: str, confidence: float) -> None:
    said = _said(signal, name)
    if answer == said.answer:
        return
    signal.engine_reading = {**(signal.engine_reading or {}), name: [said.answer, said.confidence]}
    setattr(signal, name, answer)
    if name == CorrectedField.TYPE:
        signal.extraction_confidence = confidence
    else:
        signal.interpretation_confidence = confidence


def _judged(name: str) -> dict[tuple[str, str], list[Judged]]:
    """What people said of this field, by engine version and embedding model; of the same words only the last counts.

    Corrections that hold for one author alone have no embedding, and teach nothing.
    """
    held = Correction.objects.filter(field=name, undone_at=None, embedding__isnull=False).select_related("signal")
    found: dict[tuple[str, str], list[Judged]] = defaultdict(list)
    words = set()
    for one in held.order_by("-created_at", "-id")[:REMEMBERED]:
        about = (one.raw_feedback_item_id, str(one.evidence_spans))
        if about not in words:
            words.add(about)
            kind = (version_of(one.model, one.prompt_version), one.embedding_model or "")
            found[kind].append(Judged(_reading_of(one), str(one.new_value)))
    return found


def _reading_of(correction: Correction) -> Reading:
    """What the engine had said of the words: as kept on their signal, else what stood there when it was put right."""
    signal, vector = correction.signal, np.asarray(correction.embedding)
    kept = (signal.engine_reading or {}).get(correction.field) if signal else None
    if kept:
        return Reading(kept[0], kept[1], vector)
    of_type = correction.field == CorrectedField.TYPE
    sure = (signal.extraction_confidence if of_type else signal.interpretation_confidence) if signal else None
    return Reading(str(correction.previous_value), UNKNOWN if sure is None else sure, vector)


def _untouched(name: str, engine: str, embedding_model: str) -> list[Reading]:
    """The latest answers of this engine that nobody said anything about."""
    touched = Correction.objects.filter(signal=OuterRef("pk"), field=name, undone_at=None)
    latest = Signal.objects.filter(~Exists(touched), embedding_model=embedding_model, embedding__isnull=False)
    rows = latest.exclude(**{name: None}).order_by("-id")[: 2 * SHOWN]
    return [_said(signal, name) for signal in rows if engine_of(signal, name) == engine][:SHOWN]


def _middle(embedding_model: str, dimensions: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """What feedback in general is about, where this machine's engine made the vectors; else nothing is taken off."""
    local = get_engine()
    if local.identity.embedding_model == embedding_model:
        return local.background.reshape(-1)
    return np.zeros(dimensions, dtype=np.float32)
