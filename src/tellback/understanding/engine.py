"""Which engine understands: the local one, made once for each process, or the language model that a workspace chose."""

import functools
import logging
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from django.conf import settings
from django.utils import timezone

from tellback.engines.openai import PASS_SECONDS, Endpoint, OpenAIEngine, list_prompt_versions
from tellback.intake.policy import policy_of
from tellback.kernel.errors import Invalid, Unavailable
from tellback.platform.addresses import Allowed
from tellback.platform.outbound_http import guarded_client
from tellback.platform.tenancy import in_workspace
from tellback.sdk.engine import Engine, Vectors
from tellback.understanding.language_model.books import Books
from tellback.understanding.language_model.choices import Choices, choices_of
from tellback.workspaces.models import Workspace

ENGINES = ("local", "openai")
#: How long somebody who searches waits for an endpoint that makes the vectors.
QUESTION_SECONDS = 2.0
logger = logging.getLogger(__name__)


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


@dataclass(frozen=True, slots=True)
class Meaning:
    """A text as a vector of length one (one row), and the model that made it."""

    vector: Vectors
    model: str


def find_meaning(workspace_id: UUID, text: str) -> Meaning | None:
    """What a text means, by what makes the workspace's vectors; None where that cannot say now.

    For pages, which do not wait: a process that has not loaded the sentence model yet begins to, in the background, and
    an endpoint gets two seconds. What goes to an endpoint is redacted.
    """
    if not _is_loaded():
        return None
    with in_workspace(workspace_id):
        stored = Workspace.objects.values_list("settings", flat=True).get(pk=workspace_id)
    choices = choices_of(workspace_id, stored)
    engine: Engine = get_engine()
    if choices.engine != "local" and choices.models.embedding:
        engine = _language_model(workspace_id, choices, stored, seconds=QUESTION_SECONDS)
        text = policy_of(workspace_id, stored).redactor().redact(text)
    try:
        return Meaning(engine.embed([text]), engine.identity.embedding_model)
    except Unavailable as error:
        logger.warning("A question is answered by words alone: %s", error)
        return None


_loading = threading.Lock()


def _is_loaded() -> bool:
    """Whether this process has the local engine; where not, a thread begins to load it, once."""
    if get_engine.cache_info().currsize:
        return True
    if _loading.acquire(blocking=False):
        threading.Thread(target=_load, daemon=True).start()
    return False


def _load() -> None:
    try:
        get_engine()
    except Unavailable as error:
        logger.warning("The sentence model cannot be loaded: %s", error)
    finally:
        _loading.release()


def language_of(text: str) -> str | None:
    """The language of a text (ISO 639-1), or None where it is too short or too mixed to say."""
    from tellback.engines.local.languages import detect_language  # noqa: PLC0415 - the package brings the model's runtime

    return detect_language(text)


def _language_model(
    workspace_id: UUID,
    choices: Choices,
    stored: dict[str, Any],
    *,
    prompt_version: str = "",
    seconds: float = PASS_SECONDS,
) -> OpenAIEngine:
    books = Books(workspace_id=workspace_id, choices=choices, policy=policy_of(workspace_id, stored), now=timezone.now)
    return OpenAIEngine(
        endpoint=endpoint_of(choices),
        models=choices.models,
        local=get_engine(),
        host=books,
        prompt_version=prompt_version,
        seconds=seconds,
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
