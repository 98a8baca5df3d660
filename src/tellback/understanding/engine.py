"""Which engine understands: the local one, made once for each process, or the language model that a workspace chose."""

import functools
import subprocess
import sys
from typing import Any
from uuid import UUID

import httpx
from django.conf import settings
from django.utils import timezone

from tellback.engines.openai import Endpoint, OpenAIEngine, list_prompt_versions
from tellback.intake.policy import policy_of
from tellback.kernel.errors import Invalid, Unavailable
from tellback.platform.addresses import Allowed
from tellback.platform.outbound_http import guarded_client
from tellback.platform.tenancy import in_workspace
from tellback.sdk.engine import Engine
from tellback.understanding.language_model.books import Books
from tellback.understanding.language_model.choices import Choices, choices_of
from tellback.workspaces.models import Workspace

ENGINES = ("local", "openai")


def engine_for(workspace_id: UUID) -> Engine:
    """The engine that this workspace has chosen, as it is set now. Needs no workspace to be set."""
    with in_workspace(workspace_id):
        stored = Workspace.objects.values_list("settings", flat=True).get(pk=workspace_id)
    choices = choices_of(workspace_id, stored)
    if choices.engine == "local":
        return get_engine()
    return _language_model(workspace_id, choices, stored)


def engine_named(workspace_id: UUID, name: str, *, prompt_version: str = "") -> Engine:
    """The engine of this name as the workspace has set it up, whichever it uses now, with a version of its prompts.

    Without a version the present one. Raises `Invalid` for an engine, or a version of it, that does not exist.
    """
    if name not in ENGINES:
        raise Invalid(f"There is no engine “{name}”. There are: {', '.join(ENGINES)}.")
    with in_workspace(workspace_id):
        stored = Workspace.objects.values_list("settings", flat=True).get(pk=workspace_id)
    known = [get_engine().identity.prompt_version] if name == "local" else list_prompt_versions()
    if prompt_version and prompt_version not in known:
        raise Invalid(f"The {name} engine has no version “{prompt_version}” here. It has: {', '.join(known)}.")
    if name == "local":
        return get_engine()
    return _language_model(workspace_id, choices_of(workspace_id, stored), stored, prompt_version=prompt_version)


def _language_model(
    workspace_id: UUID, choices: Choices, stored: dict[str, Any], *, prompt_version: str = ""
) -> OpenAIEngine:
    books = Books(workspace_id=workspace_id, choices=choices, policy=policy_of(workspace_id, stored), now=timezone.now)
    return OpenAIEngine(
        endpoint=endpoint_of(choices),
        models=choices.models,
        local=get_engine(),
        host=books,
        prompt_version=prompt_version,
    )


def endpoint_of(choices: Choices) -> Endpoint:
    """The endpoint that these choices name. Connections are kept between calls."""
    return Endpoint(client=_client(choices.allowed), base_url=choices.base_url, key=choices.key)


@functools.lru_cache(maxsize=64)
def _client(allowed: Allowed) -> httpx.Client:
    return guarded_client(allowed=allowed)


@functools.cache
def get_engine() -> Engine:
    """The local engine, loaded on first use and kept for the life of the process."""
    from tellback.engines.local import load_local_engine  # noqa: PLC0415 - loads the model, only where it is needed

    return load_local_engine(cache_dir=settings.DATA_DIR / "models", model_dir=settings.OPTIONS.model_dir)


def start_preparing_engine() -> "subprocess.Popen[str]":
    """Begin to build what the engine needs on disk, in another process. End it with `finish_preparing_engine`."""
    folders = [
        str(settings.DATA_DIR / "models"),
        *([str(settings.OPTIONS.model_dir)] if settings.OPTIONS.model_dir else []),
    ]
    return subprocess.Popen(
        [sys.executable, "-m", "tellback.engines.local", *folders], stderr=subprocess.PIPE, text=True
    )


def finish_preparing_engine(process: "subprocess.Popen[str]") -> None:
    """Wait for the engine to be there. Raises `Unavailable` with the reason when it is not."""
    _, messages = process.communicate()
    if process.returncode:
        reason = (messages.strip().splitlines() or ["no message"])[-1]
        raise Unavailable(f"The sentence model could not be prepared: {reason}")
