"""What a workspace has decided about its engine: which one, where the endpoint is, which models, how much a day.

What it has not decided is the environment's. The environment's key goes to the environment's address only: a workspace
that names another address brings its own key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, cast
from uuid import UUID

from django.conf import settings

from tellback.engines.openai import Models
from tellback.kernel.errors import FieldError, Invalid, Unavailable
from tellback.platform.addresses import Allowed, check_url
from tellback.platform.outbound import operator_allows
from tellback.platform.sealing import seal, unseal
from tellback.workspaces.models import Principal, Workspace
from tellback.workspaces.services import record_audit

SETTING = "understanding"
OPENAI = "https://api.openai.com/v1"
MILLION = Decimal(1_000_000)
PASSES = ("extraction", "interpretation", "description")

EngineName = Literal["local", "openai"]


@dataclass(frozen=True, slots=True)
class Choices:
    """How a workspace understands. `key` never shows in a representation, so that no log can hold it.

    `price_in` and `price_out` are for a million tokens, in whatever currency the workspace thinks; zero shows no cost.
    """

    engine: EngineName
    base_url: str
    models: Models
    daily_tokens: int
    own_endpoint: bool
    key: str = field(default="", repr=False)
    key_lost: bool = False
    price_in: Decimal = Decimal(0)
    price_out: Decimal = Decimal(0)

    @property
    def allowed(self) -> Allowed:
        """What of the private network may be called: what whoever runs this machine named, or set as the endpoint."""
        named = operator_allows()
        return named if self.own_endpoint else named.with_url(self.base_url)

    def cost(self, *, input_tokens: int, output_tokens: int) -> Decimal:
        """What so many tokens cost."""
        return (self.price_in * input_tokens + self.price_out * output_tokens) / MILLION


def choices_of(workspace_id: UUID, stored: Mapping[str, Any]) -> Choices:
    """The choices that a workspace's settings say, filled up from the environment."""
    options, own = settings.OPTIONS, stored.get(SETTING) or {}
    own_endpoint = bool(own.get("base_url"))
    key, lost = "", False
    if not own_endpoint:
        key = options.openai_api_key.get_secret_value() if options.openai_api_key else ""
    elif own.get("key"):
        try:
            key = unseal(own["key"], about=about_key(workspace_id))
        except Unavailable:
            lost = True
    models = own.get("models") or {}
    return Choices(
        engine=cast(EngineName, own.get("engine") or options.engine),
        base_url=own.get("base_url") or options.openai_base_url or OPENAI,
        models=Models(
            extraction=models.get("extraction") or options.extraction_model,
            interpretation=models.get("interpretation") or options.interpretation_model,
            description=models.get("description") or options.description_model,
            embedding=own.get("embedding", options.embedding_model),
        ),
        daily_tokens=own["daily_tokens"] if own.get("daily_tokens") is not None else options.daily_tokens,
        own_endpoint=own_endpoint,
        key=key,
        key_lost=lost,
        price_in=Decimal(str(own.get("price_in") or 0)),
        price_out=Decimal(str(own.get("price_out") or 0)),
    )


def get_choices(workspace_id: UUID) -> Choices:
    """The choices of the present workspace, read afresh."""
    return choices_of(workspace_id, Workspace.objects.values_list("settings", flat=True).get(pk=workspace_id))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person typed into the form. An empty text leaves a thing to the environment; an empty `key` keeps it."""

    engine: EngineName
    base_url: str = ""
    key: str = field(default="", repr=False)
    models: Mapping[str, str] = field(default_factory=dict)
    embedding: str = ""
    daily_tokens: int | None = None
    price_in: Decimal = Decimal(0)
    price_out: Decimal = Decimal(0)


def preview(*, workspace: Workspace, wanted: Wanted) -> Choices:
    """The choices as they would be, without saving them. Raises `Invalid`."""
    return choices_of(workspace.id, {SETTING: _stored(workspace, wanted)})


def save_choices(*, workspace: Workspace, wanted: Wanted, actor: Principal | None) -> Choices:
    """Understand like this from the next item on. The key is sealed. Raises `Invalid` and changes nothing then."""
    stored = _stored(workspace, wanted)
    _check_usable(choices_of(workspace.id, {SETTING: stored}))
    workspace.settings = {**workspace.settings, SETTING: stored}
    workspace.save(update_fields=["settings", "updated_at"])
    shown = {name: value for name, value in stored.items() if name != "key"}
    record_audit(
        workspace=workspace, actor=actor, action="understanding.set", subject=workspace.public_id, details=shown
    )
    return choices_of(workspace.id, workspace.settings)


def _stored(workspace: Workspace, wanted: Wanted) -> dict[str, Any]:
    before = workspace.settings.get(SETTING) or {}
    base_url = check_url(wanted.base_url) if wanted.base_url else ""
    if wanted.key and not base_url:
        if settings.OPTIONS.openai_base_url:
            raise Invalid(
                "A key of your own goes with an address of your own. Give the address too.",
                errors=[FieldError("/base_url", "is missing")],
            )
        base_url = OPENAI
    # A key that was given for one address is never sent to another.
    kept = before.get("key", "") if base_url and base_url == before.get("base_url") else ""
    stored: dict[str, Any] = {
        "engine": wanted.engine,
        "base_url": base_url,
        "key": seal(wanted.key, about=about_key(workspace.id)) if wanted.key else kept,
        "models": {name: wanted.models[name].strip() for name in PASSES if wanted.models.get(name, "").strip()},
        "embedding": wanted.embedding.strip(),
        "price_in": str(wanted.price_in),
        "price_out": str(wanted.price_out),
    }
    if wanted.daily_tokens is not None:
        stored["daily_tokens"] = wanted.daily_tokens
    return stored


def _check_usable(choices: Choices) -> None:
    if choices.engine == "openai" and choices.base_url == OPENAI and not choices.key:
        raise Invalid("OpenAI’s own address needs a key.", errors=[FieldError("/key", "is missing")])


def about_key(workspace_id: UUID) -> str:
    """What a workspace's key is sealed for."""
    return f"workspace:{workspace_id}:understanding"
