"""The YAML file of document 1 (`feedback-loop.config.yaml`): its keys, defaults, and how it is read.

An unknown key is refused with the nearest that exists. `${NAME}` and `${NAME:-default}` are replaced from the
environment, `${NAME}` also from the file that `NAME_FILE` names.
"""

import difflib
import functools
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, model_validator

from tellback.kernel.errors import FieldError, Invalid

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_RATE = re.compile(r"(\d+)\s*(?:req(?:uests)?)?\s*/\s*(s|sec|second|m|min|minute|h|hour)")
_A_MINUTE = {"s": 60.0, "m": 1.0, "h": 1 / 60}


def _per_minute(value: object) -> object:
    """`100 req/min`, `5/s`, or a number of requests a minute."""
    if not isinstance(value, str) or value.strip().isdigit():
        return value
    match = _RATE.fullmatch(value.strip().lower())
    if match is None:
        raise ValueError("say it like “100 req/min”")
    return max(1, round(int(match[1]) * _A_MINUTE[match[2][0]]))


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Ingestion(_Section):
    """How much comes in."""

    rate_limit: Annotated[int, BeforeValidator(_per_minute)] = Field(100, ge=1, description="Requests a minute per key")
    max_payload_size: int = Field(4096, ge=256, le=1_000_000, description="Bytes of one /v1/feedback request")
    max_payload_size_v2: int = Field(
        262_144, ge=4096, le=4_000_000, description="Bytes of one /v2/feedback request, without its attachments"
    )
    idempotency_ttl_hours: int = Field(24, ge=1, le=24 * 30, description="How long a repeated request is recognised")


class SchemaRules(_Section):
    """How strictly payloads are read."""

    version: Literal["v1"] = Field("v1", description="Payload version of document 1")
    strict_mode: Literal[True] = Field(True, description="Values must have their exact type; /v1/feedback is strict")
    allow_unknown_fields: Literal[False] = Field(False, description="Unknown fields are refused on /v1/feedback")


class RetryPolicy(_Section):
    """How failed jobs of the intake queue are repeated."""

    max_attempts: int = Field(3, ge=1, le=20, description="Runs before a job is given up")
    backoff_ms: int = Field(2000, ge=1, description="First delay, doubled each time, in milliseconds")
    jitter: Literal[True] = Field(True, description="Delays are spread by half, so that retries do not come at once")


class Processing(_Section):
    """How many jobs run side by side."""

    queue: str = Field("feedback-ingest", description="Name that document 1 gives the intake queue; informative")
    concurrency: int = Field(3, ge=1, le=64, description="Intake jobs that one worker process runs side by side")
    retry_policy: RetryPolicy = RetryPolicy()


class ScoreThresholds(_Section):
    """From which score on each priority holds."""

    critical: int = Field(90, ge=0, le=100)
    high: int = Field(75, ge=0, le=100)
    medium: int = Field(50, ge=0, le=100)
    low: int = Field(20, ge=0, le=100)

    @model_validator(mode="after")
    def _descending(self) -> "ScoreThresholds":
        if not self.critical > self.high > self.medium > self.low:
            raise ValueError("must fall from critical over high and medium to low")
        return self


class Routing(_Section):
    """Where scored feedback goes."""

    score_thresholds: ScoreThresholds = ScoreThresholds()


class Ticketing(_Section):
    """The tracker that tickets are made in."""

    provider: str | None = Field(None, description="Tracker, for instance linear; none when empty")
    webhook_url: SecretStr | None = Field(None, description="Its address")
    default_labels: tuple[str, ...] = Field(("feedback", "triaged"), description="Labels of each ticket")


class Notifications(_Section):
    """How people are told."""

    provider: str | None = Field(None, description="Mail provider; how mail leaves is set by TELLBACK_MAIL_URL")
    template_id: str | None = Field(None, description="Name of the acknowledgement template at the provider")
    delay_minutes: int = Field(5, ge=0, le=24 * 60, description="How long an acknowledgement waits")
    max_per_user_per_day: int = Field(3, ge=0, le=100, description="Mails to one person in a day")


class Alert(_Section):
    """A metric and the value from which on it is trouble."""

    metric: str
    threshold: float
    severity: Literal["info", "warning", "critical"] = "warning"


class Observability(_Section):
    """What is measured and from when on it is trouble."""

    metrics: tuple[str, ...] = (
        "feedback_ingested_total",
        "feedback_triaged_total",
        "feedback_closed_loop_total",
        "queue_lag_seconds",
    )
    alerts: tuple[Alert, ...] = (Alert(metric="queue_lag_seconds", threshold=300),)

    def threshold(self, metric: str, *, default: float) -> float:
        """The lowest alert threshold of a metric."""
        return min((alert.threshold for alert in self.alerts if alert.metric == metric), default=default)


class LoopConfig(BaseModel):
    """Document 1's configuration, whole."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ingestion: Ingestion = Ingestion()
    schema_: SchemaRules = Field(SchemaRules(), alias="schema")
    processing: Processing = Processing()
    routing: Routing = Routing()
    ticketing: Ticketing = Ticketing()
    notifications: Notifications = Notifications()
    observability: Observability = Observability()


@functools.cache
def get_loop_config() -> LoopConfig:
    """The configuration of this process: the file that TELLBACK_CONFIG names, or the defaults."""
    path = os.environ.get("TELLBACK_CONFIG")
    return read_loop_config(Path(path), environment=os.environ) if path else LoopConfig()


def read_loop_config(path: Path, *, environment: Mapping[str, str]) -> LoopConfig:
    """The configuration in this file. Raises `Invalid` naming each wrong key, its place, and what it may have meant."""
    return parse_loop_config(read_document(path, environment=environment))


def read_document(path: Path, *, environment: Mapping[str, str]) -> dict[str, Any]:
    """The file as it stands, with references replaced."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"Cannot read the file that TELLBACK_CONFIG names, {path}: {error}") from error
    try:
        document = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" in line {mark.line + 1}" if mark else ""
        raise Invalid(f"{path} is not valid YAML{place}: {getattr(error, 'problem', error)}") from error
    if not isinstance(document, dict):
        raise Invalid(f"{path} must begin with section names such as ingestion: and notifications:")
    replaced: dict[str, Any] = _replace(document, environment)
    return replaced


def parse_loop_config(document: Mapping[str, Any]) -> LoopConfig:
    """The typed configuration of a document. Raises `Invalid`."""
    try:
        return LoopConfig.model_validate(dict(document))
    except ValidationError as error:
        problems = [
            FieldError("/" + "/".join(map(str, problem["loc"])), _explain(problem["loc"], problem))
            for problem in error.errors()
        ]
        raise Invalid("The configuration file has mistakes:", errors=problems) from None


def _explain(place: tuple[int | str, ...], problem: Any) -> str:
    if problem["type"] != "extra_forbidden":
        return str(problem["msg"]).removeprefix("Value error, ")
    near = difflib.get_close_matches(str(place[-1]), _keys_beside(place), n=1, cutoff=0.5)
    return f"is not a setting; did you mean {near[0]}?" if near else "is not a setting"


def _keys_beside(place: tuple[int | str, ...]) -> list[str]:
    model: type[BaseModel] = LoopConfig
    for part in place[:-1]:
        for name, field in model.model_fields.items():
            if part in {name, field.alias} and isinstance(field.annotation, type):
                model = field.annotation
    return [field.alias or name for name, field in model.model_fields.items()]


def _replace(value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _replace(inner, environment) for key, inner in value.items()}
    if isinstance(value, list):
        return [_replace(inner, environment) for inner in value]
    if isinstance(value, str):
        return _REFERENCE.sub(lambda match: _look_up(match[1], match[2], environment), value)
    return value


def _look_up(name: str, default: str | None, environment: Mapping[str, str]) -> str:
    if name in environment:
        return environment[name]
    if f"{name}_FILE" in environment:
        return Path(environment[f"{name}_FILE"]).read_text(encoding="utf-8").strip()
    if default is not None:
        return default
    raise Invalid(f"The configuration file uses ${{{name}}}, which is not set. Set it, or write ${{{name}:-default}}.")


def flatten(config: BaseModel, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Every setting with its dotted name, in the order of the file."""
    for name, field in type(config).model_fields.items():
        value = getattr(config, name)
        dotted = prefix + (field.alias or name)
        if isinstance(value, BaseModel):
            yield from flatten(value, dotted + ".")
        elif isinstance(value, tuple):
            yield dotted, [inner.model_dump() if isinstance(inner, BaseModel) else inner for inner in value]
        else:
            yield dotted, value
