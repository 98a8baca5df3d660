"""What a workspace has set for itself of document 1's configuration, in place of the installation's."""

import logging
from collections.abc import Mapping
from uuid import UUID

from django.db import transaction

from tellback.kernel.errors import Invalid, NotFound
from tellback.platform.loop_config import Loaded, LoopConfig, get_loop_config, list_settings
from tellback.platform.loop_config.reading import find_setting, with_overrides
from tellback.workspaces.models import Principal, Workspace
from tellback.workspaces.services import record_audit

logger = logging.getLogger(__name__)
SETTING = "loop"


def get_workspace_config(workspace_id: UUID) -> LoopConfig:
    """What holds in the present workspace, read afresh.

    A workspace's settings that do not fit the installation's any more are passed over, with a warning.
    """
    stored = Workspace.objects.values_list("settings", flat=True).get(pk=workspace_id).get(SETTING)
    if not stored:
        return get_loop_config()
    try:
        return with_overrides(Loaded(get_loop_config()), stored, origin="").config
    except Invalid as error:
        logger.warning("The settings of workspace %s are passed over: %s", workspace_id, error.errors[0].detail)
        return get_loop_config()


def with_workspace(loaded: Loaded, workspace: Workspace) -> Loaded:
    """The installation's configuration with what the workspace has set. Raises `Invalid` when they do not fit."""
    return with_overrides(loaded, overrides_of(workspace), origin=f"workspace {workspace.slug}")


def overrides_of(workspace: Workspace) -> Mapping[str, object]:
    """What the workspace has set, by dotted name."""
    stored: dict[str, object] = workspace.settings.get(SETTING) or {}
    return stored


def set_loop_setting(*, workspace: Workspace, name: str, value: object, actor: Principal | None) -> None:
    """Set a key for this workspace, from the next thing on.

    Raises `Invalid` for a key that is none, that is the whole installation's, or for a value that cannot be.
    """
    change_loop_settings(workspace=workspace, changes={name: value}, actor=actor)


def unset_loop_setting(*, workspace: Workspace, name: str, actor: Principal | None) -> None:
    """Let the installation's value hold again. Raises `NotFound` when the workspace has set none."""
    if name not in overrides_of(workspace):
        raise NotFound(f"This workspace has not set {name}.")
    change_loop_settings(workspace=workspace, changes={name: None}, actor=actor)


@transaction.atomic
def change_loop_settings(*, workspace: Workspace, changes: Mapping[str, object], actor: Principal | None) -> None:
    """Set these keys for this workspace, from the next thing on; None lets the installation's value hold again.

    All of them or none. What changes is in the audit trail. Raises `Invalid` as `set_loop_setting` does, with every
    mistake.
    """
    for name in changes:
        _require_own(name)
    locked = Workspace.objects.select_for_update().get(pk=workspace.pk)
    before = overrides_of(locked)
    after = {name: value for name, value in {**before, **changes}.items() if value is not None}
    with_overrides(Loaded(get_loop_config()), after, origin=f"workspace {workspace.slug}")
    _save(locked, workspace, after)
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            action = "setting.changed" if name in after else "setting.unset"
            details = {"name": name, **({"value": after[name]} if name in after else {})}
            record_audit(workspace=workspace, actor=actor, action=action, subject=workspace.public_id, details=details)


def _require_own(name: str) -> None:
    if not find_setting(name).per_workspace:
        own = ", ".join(one.name for one in list_settings() if one.per_workspace)
        raise Invalid(f"{name} holds for the whole installation. A workspace may set: {own}.")


def _save(locked: Workspace, given: Workspace, overrides: Mapping[str, object]) -> None:
    locked.settings = {**locked.settings, SETTING: dict(overrides)}
    locked.save(update_fields=["settings", "updated_at"])
    given.settings = locked.settings
