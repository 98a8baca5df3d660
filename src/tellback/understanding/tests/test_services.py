"""Writes of understanding: a worker that was stopped for too long changes nothing that another has done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import cast

import pytest
from procrastinate.job_context import JobContext

from tellback.engines.local import LocalEngine
from tellback.intake.models import ItemState, RawItem
from tellback.intake.states import recover_stuck
from tellback.platform.jobs import know_claim
from tellback.sdk.engine import Engine, ExtractedSignal, Item
from tellback.understanding.engine import get_engine
from tellback.understanding.models import Signal
from tellback.understanding.services import LEASE, understand
from tellback.understanding.tests.conftest import NOW, Talking

TEXT = "The CSV export loses the last rows."


@dataclass
class Paused:
    """An engine whose process is stopped in the middle of pass one, while `meanwhile` happens; it may then fail."""

    engine: LocalEngine
    meanwhile: Callable[[], None]
    fails: bool = False

    def __getattr__(self, name: str) -> object:
        return getattr(self.engine, name)

    def extract(self, items: Sequence[Item]) -> list[list[ExtractedSignal]]:
        self.meanwhile()
        if self.fails:
            raise ValueError("the process woke up in another world")
        return self.engine.extract(items)


@pytest.fixture
def item(talking: Talking) -> RawItem:
    """An item that waits to be understood."""
    talking.choose(engine="local")
    (item,) = talking.say(TEXT)
    Signal.objects.all().delete()
    RawItem.objects.update(processing_state=ItemState.READY, lease_until=None, attempt_count=0)
    return item


def understood_by_another(talking: Talking, item: RawItem) -> Callable[[], None]:
    def happen() -> None:
        later = NOW + LEASE + timedelta(seconds=1)
        assert recover_stuck(now=later) == 1
        engine = get_engine()
        understand(workspace_id=talking.workspace.id, item_ids=[item.id], engine=engine, now=later)
        assert RawItem.objects.get(pk=item.pk).processing_state == ItemState.INTERPRETING

    return happen


@pytest.mark.parametrize("fails", [False, True], ids=["works on", "fails"])
def test_a_worker_that_wakes_after_its_lease_changes_nothing(talking: Talking, item: RawItem, fails: bool) -> None:
    local = get_engine()
    assert isinstance(local, LocalEngine)
    happened: list[bool] = []

    def once() -> None:
        if not happened:
            happened.append(True)
            understood_by_another(talking, item)()

    zombie = Paused(local, once, fails=fails)
    understand(workspace_id=talking.workspace.id, item_ids=[item.id], engine=zombie, now=NOW)  # type: ignore[arg-type]
    assert happened
    signal = Signal.objects.get()
    assert signal.created_at == NOW + LEASE + timedelta(seconds=1)
    assert RawItem.objects.get(pk=item.pk).processing_state == ItemState.INTERPRETING
    assert RawItem.objects.get(pk=item.pk).last_error is None


def test_a_worker_that_holds_its_lease_stores_what_it_found(talking: Talking, item: RawItem) -> None:
    local = get_engine()
    assert isinstance(local, LocalEngine)
    paused = Paused(local, lambda: None)
    understand(workspace_id=talking.workspace.id, item_ids=[item.id], engine=paused, now=NOW)  # type: ignore[arg-type]
    assert Signal.objects.get().created_at == NOW
    failing = Paused(local, lambda: None, fails=True)
    RawItem.objects.update(processing_state=ItemState.READY, lease_until=None)
    understand(workspace_id=talking.workspace.id, item_ids=[item.id], engine=failing, now=NOW)  # type: ignore[arg-type]
    assert "another world" in str(RawItem.objects.get(pk=item.pk).last_error)


def as_job(number: int, act: Callable[[], None]) -> None:
    """What `act` does, done by a job of a worker."""
    job = SimpleNamespace(id=number, worker_id=1)
    know_claim(act, cast(JobContext, SimpleNamespace(job=job)), None)


def test_what_one_job_reads_no_other_reads_meanwhile(talking: Talking, item: RawItem) -> None:
    """Two jobs at once read a part of each other's items twice, and one of them for nothing."""
    engine = get_engine()
    other = Paused(cast(LocalEngine, engine), lambda: asked.append("the other"))
    asked: list[str] = []

    def read(by: object, now: datetime = NOW) -> None:
        understand(workspace_id=talking.workspace.id, item_ids=[item.id], engine=cast(Engine, by), now=now)

    def read_by_another() -> None:
        as_job(8, lambda: read(other, NOW + timedelta(seconds=1)))
        # The same job again, as after the death of its worker: it goes on with what it held, whatever it is asked for.
        again = Paused(cast(LocalEngine, engine), lambda: asked.append("again"))
        as_job(7, lambda: understand(
            workspace_id=talking.workspace.id, item_ids=[], engine=cast(Engine, again), now=NOW + timedelta(seconds=2)
        ))  # fmt: skip

    as_job(7, lambda: read(Paused(cast(LocalEngine, engine), read_by_another)))
    assert asked == ["again"]
    assert Signal.objects.get().created_at == NOW + timedelta(seconds=2)
