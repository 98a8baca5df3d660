"""The part of the measurement of moves that works inside the installation; run as a process, reports JSON on stdout."""

import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from tellback.cli.environment import ready
from tellback.cli.output import print_json

if TYPE_CHECKING:
    from tellback.understanding.models import Signal


def move(path: Path, *, moves: int, seed: int) -> dict[str, int]:
    """Move signals, run upkeep, replay and upkeep; count after each which of them are where they were put."""
    with ready():
        from tellback.platform.tenancy import in_workspace, list_workspace_ids

        workspace_id = list_workspace_ids()[0]
        with in_workspace(workspace_id):
            carried = _keep_up(workspace_id)
            put = _move_some(_labels(path), moves=moves, seed=seed)
        with in_workspace(workspace_id):
            carried += _keep_up(workspace_id)
            by_upkeep = _count_kept(put)
        _replay(workspace_id)
        with in_workspace(workspace_id):
            carried += _keep_up(workspace_id)
            by_replay = _count_kept(put)
    return {"moved": len(put), "kept_by_upkeep": by_upkeep, "kept_by_replay": by_replay, "carried_out": carried}


def _labels(path: Path) -> dict[str, str]:
    from tellback.understanding.evaluation.files import read_table

    return {" ".join(row["text"].split()): row["label"] for row in read_table(path, columns=["text", "label"])}


def _keep_up(workspace_id: UUID) -> int:
    """Carry out all that upkeep proposes, as a workspace does that wants no questions; how many proposals that were."""
    from django.utils import timezone

    from tellback.themes.upkeep import accept_all, propose_changes
    from tellback.understanding.engine import get_engine

    now = timezone.now()
    return accept_all(proposals=propose_changes(workspace_id=workspace_id, engine=get_engine(), now=now), now=now)


def _move_some(labels: dict[str, str], *, moves: int, seed: int) -> dict[UUID, UUID]:
    """Moves as a person makes them; returns which item's signal was put into which theme."""
    from django.utils import timezone

    from tellback.themes.corrections import move_signal, move_signal_to_new_theme
    from tellback.understanding.models import Signal
    from tellback.workspaces.models import Principal, Workspace

    actor = Principal.objects.create(workspace=Workspace.objects.get(), display_name="Bench")
    signals = list(Signal.objects.exclude(theme_id=None).select_related("raw_feedback_item").order_by("id"))
    put: dict[UUID, UUID] = {}
    for signal, home in _misplaced(signals, labels, seed=seed):
        if len(put) == moves:
            break
        now = timezone.now()
        if len(put) % 2:
            title = f"Of its own {len(put)}"
            made = move_signal_to_new_theme(signal_id=signal.id, title=title, actor=actor, now=now)
        else:
            made = move_signal(signal_id=signal.id, theme_id=home, actor=actor, now=now)
        put[signal.raw_feedback_item_id] = UUID(str(made.new_value))
    return put


def _misplaced(signals: list["Signal"], labels: dict[str, str], *, seed: int) -> Iterator[tuple["Signal", UUID]]:
    """Signals outside the theme that most of their label are in, and that theme, drawn by the seed; one of an item."""
    found = {one.id: labels.get(" ".join(str(one.raw_feedback_item.content["text"]).split())) for one in signals}
    places: dict[str, Counter[UUID]] = {}
    for one in signals:
        label = found[one.id]
        if label is not None and one.theme_id is not None:
            places.setdefault(label, Counter())[one.theme_id] += 1
    items: set[UUID] = set()
    for one in random.Random(seed).sample(signals, len(signals)):  # noqa: S311 - a draw, not a secret
        label = found[one.id]
        home = places[label].most_common(1)[0][0] if label is not None else None
        if home is None or home == one.theme_id or one.raw_feedback_item_id in items:
            continue
        items.add(one.raw_feedback_item_id)
        yield one, home


def _count_kept(put: dict[UUID, UUID]) -> int:
    from tellback.themes.changes import successor_of
    from tellback.themes.models import Theme
    from tellback.understanding.models import Signal

    themes = {theme.pk: successor_of(theme).pk for theme in Theme.objects.filter(pk__in=set(put.values()))}
    return sum(
        Signal.objects.filter(raw_feedback_item_id=item_id, theme_id=themes[theme_id]).exists()
        for item_id, theme_id in put.items()
    )


def _replay(workspace_id: UUID) -> None:
    from django.utils import timezone

    from tellback.platform.tenancy import in_workspace
    from tellback.themes.replay.services import WORKING, adopt_replay, begin_replay, go_on

    replay = begin_replay(workspace_id=workspace_id, engine="local", now=timezone.now())
    for step in (None, adopt_replay):
        if step is not None:
            replay = step(workspace_id=workspace_id, actor=None, now=timezone.now())
        while replay.state in WORKING:
            go_on(workspace_id=workspace_id, replay_id=replay.pk, now=timezone.now())
            with in_workspace(workspace_id):
                replay.refresh_from_db()


if __name__ == "__main__":
    print_json(move(Path(sys.argv[1]), moves=int(sys.argv[2]), seed=int(sys.argv[3])))
