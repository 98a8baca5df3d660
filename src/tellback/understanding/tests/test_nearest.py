"""The nearest signals are the nearest, by the index as without it; bands meet where texts are alike."""

import time

import numpy as np
import pytest
from django.utils import timezone

from tellback.intake.models import DeliveryMode, FeedbackSource, RawItem
from tellback.sdk.engine import Vectors
from tellback.understanding import nearest
from tellback.understanding.bands import BANDS, bands_of
from tellback.understanding.models import Signal, SignalVector
from tellback.understanding.nearest import items_of, nearest_signals
from tellback.workspaces.models import Workspace

MODEL = "test-model"


@pytest.fixture
def vectors(workspace: Workspace) -> Vectors:
    """Forty signals of twenty items, with vectors drawn by a seed; by another model one more."""
    drawn = np.random.default_rng(5).normal(size=(40, 384)).astype(np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    source = FeedbackSource.objects.create(
        workspace=workspace, source_type="api", delivery_mode=DeliveryMode.PASSIVE, name="API"
    )
    items = [
        RawItem.objects.create(
            workspace=workspace, source=source, source_type="api", external_id=str(n), dedupe_key=str(n),
            source_created_at=timezone.now(), content={"text": "x"}, channel="in-app", receipt_token=str(n),
        )
        for n in range(20)
    ]  # fmt: skip
    rows = [(items[n // 2], n % 2, vector, MODEL) for n, vector in enumerate(drawn)]
    rows.append((items[0], 2, drawn[0], "another"))
    for item, position, vector, model in rows:
        Signal.objects.create(
            workspace=workspace, raw_feedback_item=item, position=position, signal_type="question", summary="x",
            extraction_confidence=1, embedding=vector, embedding_model=model,
        )  # fmt: skip
    return drawn


@pytest.mark.parametrize("few", [2_000, 0], ids=["one by one", "by the index"])
def test_the_nearest_come_first(vectors: Vectors, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "FEW", few)
    found = nearest_signals(vectors[[3, 30]], model=MODEL, limit=5)
    for row, near in zip((3, 30), found, strict=True):
        truth = np.sort(vectors @ vectors[row])[::-1][:5]
        assert [one.cosine for one in near] == pytest.approx(truth, abs=2e-3)
        assert near[0].cosine == pytest.approx(1, abs=1e-3)
        assert next(iter(items_of(near).values())) == near[0].cosine


def test_what_is_asked_for_is_read_once_and_not_beside_each_signal(vectors: Vectors) -> None:
    """A batch took ten seconds beside two thousand signals, and everything else waited."""
    began = time.perf_counter()
    found = nearest_signals(np.tile(vectors, (50, 1)), model=MODEL, limit=1)
    assert len(found) == 2_000
    assert time.perf_counter() - began < 1.5


def test_vectors_follow_their_signals(vectors: Vectors, workspace: Workspace) -> None:
    assert SignalVector.objects.count() == Signal.objects.count() == 41
    first = Signal.objects.order_by("id").first()
    assert first
    Signal.objects.filter(pk=first.pk).update(embedding=vectors[7])
    assert nearest_signals(vectors[[7]], model=MODEL, limit=2)[0][1].cosine == pytest.approx(1, abs=1e-3)
    Signal.objects.filter(pk=first.pk).update(embedding=None)
    assert not SignalVector.objects.filter(pk=first.pk).exists()
    Signal.objects.all().delete()
    assert SignalVector.objects.count() == 0


def test_a_text_and_its_edited_copy_share_bands_and_two_texts_do_not() -> None:
    first = "The export of the monthly report crashes on my tablet every single time"
    copy = "the exprot of the monthly report crashes on my tablet EVERY single time!!"
    assert len(bands_of(first)) == BANDS
    assert set(bands_of(first)) & set(bands_of(copy))
    assert not set(bands_of(first)) & set(bands_of("Please add a dark mode, the white screen hurts my eyes"))
    assert bands_of("👍") == []
    assert all(-(1 << 31) <= band < 1 << 31 for band in bands_of(first))
