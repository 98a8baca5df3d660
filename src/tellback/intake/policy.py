"""What a workspace has decided about private data: its own patterns, and whether originals are sealed."""

import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tellback.intake.redaction import Detector, Plain, Redactor
from tellback.intake.redaction.custom import MAX_PATTERNS, CustomPattern, check_pattern, detectors_of
from tellback.kernel.errors import Conflict, Invalid, NotFound
from tellback.workspaces.models import Principal, Workspace
from tellback.workspaces.services import record_audit

SETTING = "privacy"
REMEMBERED = 200


@dataclass(frozen=True, slots=True)
class Policy:
    """How the items of a workspace are redacted. The default is that of a workspace which has decided nothing."""

    workspace_id: UUID | None = None
    custom: tuple[Detector, ...] = ()
    plain: Plain | None = None
    seals: bool = False
    patterns: tuple[CustomPattern, ...] = field(default=())

    def redactor(self) -> Redactor:
        """What redacts one item."""
        return Redactor(custom=self.custom, plain=self.plain)


DEFAULT = Policy()
_made: OrderedDict[tuple[UUID, str], Policy] = OrderedDict()


def policy_of(workspace_id: UUID, settings: dict[str, Any]) -> Policy:
    """The policy that a workspace's settings say. Made once for the same settings, since patterns are compiled."""
    stored = settings.get(SETTING) or {}
    if not stored.get("vault") and not stored.get("patterns"):
        return DEFAULT
    key = (workspace_id, json.dumps(stored, sort_keys=True))
    if key not in _made:
        patterns = tuple(CustomPattern(one["name"], one["expression"]) for one in stored.get("patterns") or ())
        plain = Plain() if patterns else None
        _made[key] = Policy(workspace_id, detectors_of(patterns), plain, bool(stored.get("vault")), patterns)
        while len(_made) > REMEMBERED:
            _made.popitem(last=False)
    return _made[key]


def get_policy(workspace_id: UUID) -> Policy:
    """The policy of the present workspace, read afresh."""
    return policy_of(workspace_id, Workspace.objects.values_list("settings", flat=True).get(pk=workspace_id))


def add_pattern(*, workspace: Workspace, pattern: CustomPattern, actor: Principal | None) -> None:
    """Find this too, from the next item on. Raises `Invalid` for what cannot be used, `Conflict` for a known name."""
    check_pattern(pattern)
    patterns = list(policy_of(workspace.id, workspace.settings).patterns)
    if any(known.name == pattern.name for known in patterns):
        raise Conflict(f"There is a pattern “{pattern.name}” already. Take it out first, or choose another name.")
    if len(patterns) >= MAX_PATTERNS:
        raise Invalid(f"A workspace may have {MAX_PATTERNS} patterns.")
    _save(workspace, patterns=[*patterns, pattern])
    _record(workspace, actor, "privacy.pattern_added", {"name": pattern.name, "expression": pattern.expression})


def remove_pattern(*, workspace: Workspace, name: str, actor: Principal | None) -> None:
    """Find this no more. Raises `NotFound`."""
    patterns = list(policy_of(workspace.id, workspace.settings).patterns)
    kept = [known for known in patterns if known.name != name]
    if len(kept) == len(patterns):
        raise NotFound(f"There is no pattern “{name}”.")
    _save(workspace, patterns=kept)
    _record(workspace, actor, "privacy.pattern_removed", {"name": name})


def switch_vault(*, workspace: Workspace, on: bool, actor: Principal | None) -> None:
    """Keep originals sealed from the next item on, or no more. What is sealed already stays until it is erased."""
    workspace.settings = {**workspace.settings, SETTING: {**(workspace.settings.get(SETTING) or {}), "vault": on}}
    workspace.save(update_fields=["settings", "updated_at"])
    _record(workspace, actor, "privacy.vault_on" if on else "privacy.vault_off", {})


def _save(workspace: Workspace, *, patterns: Sequence[CustomPattern]) -> None:
    stored = [{"name": pattern.name, "expression": pattern.expression} for pattern in patterns]
    workspace.settings = {
        **workspace.settings,
        SETTING: {**(workspace.settings.get(SETTING) or {}), "patterns": stored},
    }
    workspace.save(update_fields=["settings", "updated_at"])


def _record(workspace: Workspace, actor: Principal | None, action: str, details: dict[str, object]) -> None:
    record_audit(workspace=workspace, actor=actor, action=action, subject=workspace.public_id, details=details)
