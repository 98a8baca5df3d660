"""What understanding keeps sealed: the key of a workspace's language model, in its settings."""

from tellback.platform.resealing import Holder, is_current, resealed_text, reseals
from tellback.platform.sealing import secret_ring
from tellback.platform.tenancy import current_workspace_id
from tellback.understanding.language_model.choices import SETTING, about_key
from tellback.workspaces.models import Workspace


def _count() -> tuple[int, int]:
    key = _key_of(Workspace.objects.get(pk=current_workspace_id()))
    return int(bool(key)), int(bool(key) and not is_current(secret_ring(), key))


def _reseal(most: int) -> int:  # noqa: ARG001 - a workspace has one key
    workspace = Workspace.objects.select_for_update().get(pk=current_workspace_id())
    key = _key_of(workspace)
    if not key or is_current(secret_ring(), key):
        return 0
    anew = resealed_text(key, about=about_key(workspace.id))
    workspace.settings = {**workspace.settings, SETTING: {**workspace.settings[SETTING], "key": anew}}
    workspace.save(update_fields=["settings", "updated_at"])
    return 1


def _key_of(workspace: Workspace) -> str:
    return (workspace.settings.get(SETTING) or {}).get("key") or ""


reseals(Holder("keys of language models", _count, _reseal))
