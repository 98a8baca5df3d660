"""What people set for their workspace: kept in `Workspace.settings`, read and written here."""

from collections.abc import Mapping
from typing import Any

from tellback.workspaces.models import Principal, Workspace
from tellback.workspaces.services import record_audit

_ANONYMOUS = "anonymous_feedback"


def takes_anonymous(settings: Mapping[str, Any]) -> bool:
    """Whether feedback may be sent to the API without a key. It may, until somebody switches it off."""
    return bool(settings.get(_ANONYMOUS, True))


def set_anonymous(*, workspace: Workspace, taken: bool, actor: Principal | None) -> None:
    """Take feedback without a key, or no more."""
    workspace.settings = {**workspace.settings, _ANONYMOUS: taken}
    workspace.save(update_fields=["settings", "updated_at"])
    record_audit(
        workspace=workspace,
        actor=actor,
        action="anonymous_feedback.on" if taken else "anonymous_feedback.off",
        subject=workspace.public_id,
        details={},
    )
