"""A replay from its start to a person's decision, step by step: any process may do the next one, after any crash."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from tellback.engines.openai import PASSING, REASONS
from tellback.kernel.errors import Conflict, Invalid, NotFound
from tellback.platform.jobs import Queue, defer_once
from tellback.platform.tenancy import in_workspace
from tellback.sdk.engine import FREE, Engine
from tellback.themes.candidates import OPEN
from tellback.themes.models import UNDER_WAY, Replay, ReplaySignal, ReplayState, Theme
from tellback.themes.replay.adopting import adopt_some
from tellback.themes.replay.grouping import begin_grouping, group_some, name_next
from tellback.themes.replay.report import figures_of
from tellback.themes.replay.shadow import as_content, drop_shadow, items_of, next_items
from tellback.understanding.engine import engine_for, engine_named
from tellback.understanding.models import Signal
from tellback.understanding.services import Derived, derive
from tellback.workspaces.models import Principal, Workspace
from tellback.workspaces.services import record_audit

#: Stages that go on by themselves, without a person.
WORKING = frozenset({ReplayState.READING, ReplayState.GROUPING, ReplayState.WORDING, ReplayState.ADOPTING})
#: Items that are grouped, and adopted, in one transaction.
GROUPED, ADOPTED = 256, 64


def find_replay() -> Replay | None:
    """The replay of the present workspace that is not over."""
    return Replay.objects.filter(state__in=UNDER_WAY).first()


def get_replay() -> Replay:
    """The replay that is not over. Raises `NotFound` when there is none."""
    replay = find_replay()
    if replay is None:
        raise NotFound(_("No replay is under way. Start one with: tellback replay --engine local"))
    return replay


def begin_replay(
    *, workspace_id: UUID, engine: str, prompt_version: str = "", since: datetime | None = None, now: datetime
) -> Replay:
    """Start a replay, or find the one that is under way with the same wishes. Nothing that is shown changes.

    Raises `Invalid` for an engine or version that does not exist, `Conflict` while another replay is under way.
    """
    identity = engine_named(workspace_id, engine, prompt_version=prompt_version).identity
    with in_workspace(workspace_id):
        Workspace.objects.select_for_update().get(pk=workspace_id)
        there = find_replay()
        if there is not None:
            if (there.engine, there.prompt_version, there.since) != (engine, identity.prompt_version, since):
                raise Conflict(_("Another replay is under way (%s). Adopt or discard it first.") % there)
            return there
        if since is not None and _other_vectors(identity.embedding_model):
            raise Invalid(
                _("This engine’s vectors cannot be compared with those of now, so everything has to be replayed: "
                  "leave out --since.")
            )  # fmt: skip
        replay = Replay(
            workspace_id=workspace_id,
            engine=engine,
            model=identity.model,
            prompt_version=identity.prompt_version,
            embedding_model=identity.embedding_model,
            since=since,
            until=now,
        )
        replay.item_count = items_of(replay).count()
        replay.save()
        return replay


def _other_vectors(model: str) -> bool:
    return Theme.objects.filter(status__in=OPEN).exclude(centroid_model=None).exclude(centroid_model=model).exists()


def go_on(*, workspace_id: UUID, replay_id: UUID, now: datetime) -> bool:
    """Do the next step of a replay; whether another follows at once.

    A step that was interrupted is done again; what two processes do at once is stored once.
    """
    with in_workspace(workspace_id):
        replay = Replay.objects.get(pk=replay_id)
    if replay.state == ReplayState.ADOPTING:
        _adopt(workspace_id, replay, now)
    elif replay.state in WORKING:
        engine = engine_named(workspace_id, replay.engine, prompt_version=replay.prompt_version)
        _check_same(replay, engine)
        _STAGES[ReplayState(replay.state)](workspace_id, replay, engine, now)
    with in_workspace(workspace_id):
        replay.refresh_from_db()
    return replay.state in WORKING and not replay.waits


def _check_same(replay: Replay, engine: Engine) -> None:
    own = engine.identity
    if (own.model, own.embedding_model) != (replay.model, replay.embedding_model):
        raise Conflict(_("The models were changed since this replay began. Discard it and start again."))


def _read(workspace_id: UUID, replay: Replay, engine: Engine, now: datetime) -> None:
    with in_workspace(workspace_id):
        items = next_items(replay, most=engine.identity.batch)
    derived = {one.item_id: one for one in derive(workspace_id=workspace_id, items=items, engine=engine, now=now)}
    waits = next((place for place, item in enumerate(items) if _passing(derived.get(item.id))), len(items))
    first = derived[items[waits].id] if waits < len(items) else None
    with in_workspace(workspace_id):
        held = _hold(replay)
        if held is None:
            return
        held.waits = REASONS.get(first.fallback, first.fallback) if first and not waits else ""
        if not items:
            held.state, held.cursor, held.done_count = ReplayState.GROUPING, None, 0
            begin_grouping(held, engine)
        for item in items[:waits]:
            _keep(held, item.id, derived.get(item.id))
        held.save()


def _passing(derived: Derived | None) -> bool:
    return derived is not None and derived.fallback in PASSING


def _keep(replay: Replay, item_id: UUID, derived: Derived | None) -> None:
    replay.cursor = item_id
    replay.done_count += 1
    if derived is None:
        replay.skipped.append(str(item_id))
        return
    usage = derived.usage or FREE
    replay.input_tokens += usage.input_tokens
    replay.output_tokens += usage.output_tokens
    replay.stood_in_count += bool(derived.fallback)
    if not derived.signals and Signal.objects.filter(raw_feedback_item_id=item_id).exists():
        replay.emptied.append(str(item_id))
    ReplaySignal.objects.bulk_create(
        ReplaySignal(
            workspace_id=replay.workspace_id,
            replay=replay,
            raw_feedback_item_id=item_id,
            position=signal.position,
            content=as_content(signal),
            embedding=signal.embedding,
            embedding_model=signal.embedding_model or replay.embedding_model,
        )
        for signal in derived.signals
    )


def _group(workspace_id: UUID, replay: Replay, engine: Engine, now: datetime) -> None:
    with in_workspace(workspace_id):
        held = _hold(replay)
        if held is None:
            return
        items = next_items(held, most=GROUPED)
        if items:
            group_some(held, [item.id for item in items], engine, now)
            held.cursor, held.done_count = items[-1].id, held.done_count + len(items)
        else:
            held.state, held.cursor = ReplayState.WORDING, None
        held.save()


def _name(workspace_id: UUID, replay: Replay, engine: Engine, now: datetime) -> None:  # noqa: ARG001 - one signature
    with in_workspace(workspace_id):
        named = name_next(replay)
    words = engine.describe(named.texts, named.vectors, background=named.background) if named else None
    fallback = words.origin.fallback if words and words.origin else ""
    with in_workspace(workspace_id):
        held = _hold(replay)
        if held is None:
            return
        held.waits = REASONS.get(fallback, fallback) if fallback in PASSING else ""
        if named is None:
            held.state = ReplayState.READY
            held.figures = figures_of(held)
        elif words and not held.waits:
            named.keep(words)
            held.named = named.theme.number
            usage = words.origin.usage if words.origin else FREE
            held.input_tokens += usage.input_tokens
            held.output_tokens += usage.output_tokens
        held.save()


def _adopt(workspace_id: UUID, replay: Replay, now: datetime) -> None:
    with in_workspace(workspace_id):
        held = _hold(replay)
        if held is not None:
            adopt_some(held, most=ADOPTED, now=now)
            held.save()


_STAGES: dict[ReplayState, Callable[[UUID, Replay, Engine, datetime], None]] = {
    ReplayState.READING: _read,
    ReplayState.GROUPING: _group,
    ReplayState.WORDING: _name,
}


def _hold(replay: Replay) -> Replay | None:
    """The replay locked, if it is where the step found it: another process may have done the step meanwhile."""
    held = Replay.objects.select_for_update().filter(pk=replay.pk, state=replay.state).first()
    same = held is not None and (held.cursor, held.named) == (replay.cursor, replay.named)
    return held if same else None


def adopt_replay(*, workspace_id: UUID, actor: Principal | None, now: datetime) -> Replay:
    """Take a replay over: from now on its signals and themes replace the present ones, item by item, in steps.

    Raises `NotFound` without a replay, `Conflict` when it is not ready, or when new feedback would be understood with
    vectors that cannot be compared with the replay's. Safe to repeat.
    """
    chosen = engine_for(workspace_id).identity
    with in_workspace(workspace_id), transaction.atomic():
        replay = Replay.objects.select_for_update().get(pk=get_replay().pk)
        if replay.state == ReplayState.ADOPTING:
            return replay
        if replay.state != ReplayState.READY:
            raise Conflict(_("The replay is not ready yet (%s).") % replay.get_state_display().lower())
        if chosen.embedding_model != replay.embedding_model:
            raise Conflict(
                _("New feedback would not find these themes: its vectors are made by another model. Choose the engine "
                  "of the replay under Settings, AI first.")
            )  # fmt: skip
        replay.state, replay.cursor, replay.done_count, replay.decided_at = ReplayState.ADOPTING, None, 0, now
        replay.save()
        _record(replay, "replay.adopted", actor)
        defer_once("themes.replay", queue=Queue.AI, workspace_id=workspace_id)
        return replay


def discard_replay(*, workspace_id: UUID, actor: Principal | None, now: datetime) -> Replay:
    """Throw the shadow away. Raises `NotFound` without a replay, `Conflict` when it is being adopted already."""
    with in_workspace(workspace_id), transaction.atomic():
        replay = Replay.objects.select_for_update().get(pk=get_replay().pk)
        if replay.state == ReplayState.ADOPTING:
            raise Conflict(_("It is being adopted already, which cannot be stopped half way."))
        drop_shadow(replay, now=now)
        _record(replay, "replay.discarded", actor)
        return replay


def _record(replay: Replay, action: str, actor: Principal | None) -> None:
    details: dict[str, object] = {"engine": replay.engine, "prompt_version": replay.prompt_version}
    workspace = Workspace.objects.get(pk=replay.workspace_id)
    record_audit(workspace=workspace, actor=actor, action=action, subject=replay.public_id, details=details)


def list_replays(*, most: int = 20) -> Sequence[Replay]:
    """The latest replays, newest first."""
    return list(Replay.objects.order_by("-created_at", "-id")[:most])
