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


@transaction.atomic
def set_loop_setting(*, workspace: Workspace, name: str, value: object, actor: Principal | None) -> None:
    """Set a key for this workspace, from the next thing on.

    Raises `Invalid` for a key that is none, that is the whole installation's, or for a value that cannot be.
    """
    setting = find_setting(name)
    if not setting.per_workspace:
        own = ", ".join(one.name for one in list_settings() if one.per_workspace)
        raise Invalid(f"{name} holds for the whole installation. A workspace may set: {own}.")
    locked = Workspace.objects.select_for_update().get(pk=workspace.pk)
    overrides = {**overrides_of(locked), name: value}
    with_overrides(Loaded(get_loop_config()), overrides, origin=f"workspace {workspace.slug}")
    _save(locked, workspace, overrides)
    record_audit(
        workspace=workspace,
        actor=actor,
        action="setting.changed",
        subject=workspace.public_id,
        details={"name": name, "value": value},
    )


@transaction.atomic
def unset_loop_setting(*, workspace: Workspace, name: str, actor: Principal | None) -> None:
    """Let the installation's value hold again. Raises `NotFound` when the workspace has set none."""
    locked = Workspace.objects.select_for_update().get(pk=workspace.pk)
    overrides = dict(overrides_of(locked))
    if name not in overrides:
        raise NotFound(f"This workspace has not set {name}.")
    del overrides[name]
    _save(locked, workspace, overrides)
    record_audit(
        workspace=workspace, actor=actor, action="setting.unset", subject=workspace.public_id, details={"name": name}
    )


def _save(locked: Workspace, given: Workspace, overrides: Mapping[str, object]) -> None:
    locked.settings = {**locked.settings, SETTING: dict(overrides)}
    locked.save(update_fields=["settings", "updated_at"])
    given.settings = locked.settings
