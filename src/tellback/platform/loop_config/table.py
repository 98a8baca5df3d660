"""The table of keys: what each is called, what it may be, its default, and what it does."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    SecretStr,
    TypeAdapter,
    ValidationError,
    model_validator,
)

_RATE = re.compile(r"(\d{1,9})\s*(?:req(?:uests?)?)?\s*(?:/|per)\s*(s|sec|second|m|min|minute|h|hour)")
_A_MINUTE = {"s": 60.0, "m": 1.0, "h": 1 / 60}
#: The metrics that document 1 names; `observability.metrics` chooses among them.
LOOP_METRICS = (
    "feedback_ingested_total",
    "feedback_triaged_total",
    "feedback_closed_loop_total",
    "queue_lag_seconds",
)
#: What else can be watched.
OWN_METRICS = (
    "tellback_effects",
    "tellback_items",
    "tellback_outbox_lag_seconds",
    "tellback_queue_depth",
    "tellback_workspaces",
)
_HTTP = TypeAdapter(HttpUrl)


def _per_minute(value: object) -> object:
    """`100 req/min`, `5/s`, or a number of requests a minute."""
    if not isinstance(value, str):
        return value
    if value.strip().isascii() and value.strip().isdigit():
        return int(value.strip()[:10])
    match = _RATE.fullmatch(value.strip().lower())
    if match is None:
        raise ValueError("must be a rate such as “100 req/min”, “5/s”, or a number of requests a minute")
    return max(1, round(int(match[1]) * _A_MINUTE[match[2][0]]))


def _as_text(value: object) -> object:
    """Some providers number their templates."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _web_address(value: SecretStr) -> SecretStr:
    try:
        _HTTP.validate_python(value.get_secret_value())
    except ValidationError:
        raise ValueError("must be an address that begins with https:// or http://") from None
    return value


def _unique(values: tuple[str, ...]) -> tuple[str, ...]:
    twice = next((value for n, value in enumerate(values) if value in values[:n]), None)
    if twice is not None:
        raise ValueError(f"lists “{twice}” twice")
    return values


Whole = Annotated[int, Field(strict=True)]
Flag = Annotated[bool, Field(strict=True)]
Label = Annotated[str, Field(min_length=1, max_length=50, pattern=r"^[^\s,][^,\x00-\x1f]*$")]
#: A key that each workspace may set for itself.
PER_WORKSPACE: dict[str, Any] = {"per_workspace": True}


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Ingestion(_Section):
    """How much comes in."""

    rate_limit: Annotated[Whole, BeforeValidator(_per_minute)] = Field(
        100, ge=1, le=1_000_000, description="Requests a minute for each key that has no limit of its own; more are "
        "answered with 429"
    )  # fmt: skip
    max_payload_size: Whole = Field(
        4096, ge=256, le=1_000_000, description="Bytes of one /v1/feedback request; more are answered with 413"
    )
    max_payload_size_v2: Whole = Field(
        262_144,
        ge=4096,
        le=4_000_000,
        description="Bytes of one /v2/feedback request without its attachments; a batch may have eight times as many",
    )
    idempotency_ttl_hours: Whole = Field(
        24,
        ge=1,
        le=24 * 30,
        description="How long a repeated request is recognised and answered with its first receipt",
    )
    widget_storage_mb: Whole = Field(
        1000,
        ge=0,
        le=1_000_000,
        description="Megabytes that files from widgets may take in a workspace; when they are full, words are taken "
        "without their files",
    )


class SchemaRules(_Section):
    """How strictly payloads are read."""

    version: Literal["v1", "v2"] = Field(
        "v1", description="Payload version that /feedback takes, the address that names none"
    )
    strict_mode: Flag = Field(
        True, description="Values of version 1 have exactly their type; when false, numbers are taken where texts are "
        "expected, and seconds since 1970 for times"
    )  # fmt: skip
    allow_unknown_fields: Flag = Field(
        False, description="Whether fields that a version does not know are left out instead of refused"
    )


class RetryPolicy(_Section):
    """How failed jobs of the intake queue are repeated."""

    max_attempts: Whole = Field(3, ge=1, le=20, description="Runs of an intake job before it is given up")
    backoff_ms: Whole = Field(2000, ge=1, le=3_600_000, description="First delay in milliseconds, doubled each time")
    jitter: Flag = Field(True, description="Spread delays by half, so that retries do not come all at once")


class Processing(_Section):
    """The intake queue."""

    queue: str = Field(
        "feedback-ingest",
        pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$",
        description="What the intake queue is called: in metrics, in `tellback jobs` and `tellback worker --queues`",
    )
    concurrency: Whole = Field(3, ge=1, le=64, description="Intake jobs that one worker process runs side by side")
    retry_policy: RetryPolicy = RetryPolicy()

    @model_validator(mode="after")
    def _of_its_own(self) -> "Processing":
        if self.queue in {"feedback-ai", "feedback-maintenance", "effects"}:
            raise ValueError(f"queue cannot be {self.queue}, which is another queue's name")
        return self


class ScoreThresholds(_Section):
    """From which score on each priority holds."""

    critical: Whole = Field(
        90, ge=0, le=100, description="From this score on it is urgent", json_schema_extra=PER_WORKSPACE
    )
    high: Whole = Field(
        75, ge=0, le=100, description="From this score on it is high, and a ticket", json_schema_extra=PER_WORKSPACE
    )
    medium: Whole = Field(
        50, ge=0, le=100, description="From this score on it is medium; below, it is low and goes to the backlog",
        json_schema_extra=PER_WORKSPACE,
    )  # fmt: skip
    low: Whole = Field(
        20, ge=0, le=100, description="Below this score no ticket is made", json_schema_extra=PER_WORKSPACE
    )

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

    provider: (
        Literal[
            "asana", "azure-devops", "clickup", "github", "gitlab", "jira", "linear", "monday", "notion", "shortcut",
            "trello", "webhook",
        ]
        | None
    ) = Field(None, description="Tracker whose webhook takes the tickets; named in each of them")  # fmt: skip
    webhook_url: Annotated[SecretStr, AfterValidator(_web_address)] | None = Field(
        None, description="Address that each ticket is posted to as JSON, once; no tickets when empty"
    )
    default_labels: Annotated[tuple[Label, ...], AfterValidator(_unique)] = Field(
        ("feedback", "triaged"), max_length=20, description="Labels of each ticket", json_schema_extra=PER_WORKSPACE
    )


class Notifications(_Section):
    """How people are told."""

    provider: Literal["smtp", "sendgrid", "mailgun", "postmark", "resend", "brevo", "sparkpost"] | None = Field(
        None,
        description="Who delivers mail, with the key in the provider's own variable (SENDGRID_API_KEY …); "
        "TELLBACK_MAIL_URL goes before it",
    )
    template_id: Annotated[str, BeforeValidator(_as_text), Field(min_length=1, max_length=200)] | None = Field(
        None, description="The provider's template for acknowledgements; ours when empty, or when mail leaves by SMTP"
    )
    delay_minutes: Whole = Field(
        5, ge=0, le=24 * 60, description="Minutes that an acknowledgement waits", json_schema_extra=PER_WORKSPACE
    )
    max_per_user_per_day: Whole = Field(
        3, ge=0, le=100, description="Mails to one person in a day (UTC) about what they said and follow",
        json_schema_extra=PER_WORKSPACE,
    )  # fmt: skip


def _weights(values: tuple[str, ...]) -> tuple[str, ...]:
    """Each a plan and a number: `enterprise=3`. Raises `ValueError` for what is none, and for a plan named twice."""
    _unique(tuple(value.partition("=")[0].strip().lower() for value in values))
    for value in values:
        plan, _, number = value.partition("=")
        if not plan.strip() or not re.fullmatch(r"\d{1,3}(\.\d{1,2})?", number.strip()):
            raise ValueError(f"has “{value[:60]}”, which is no plan and weight such as “enterprise=3”")
    return values


class Themes(_Section):
    """How much a person counts for the strength of a theme."""

    plan_weights: Annotated[tuple[str, ...], AfterValidator(_weights)] = Field(
        ("enterprise=3", "business=2", "pro=1.5", "team=1.5"),
        max_length=50,
        description="How many people one on this plan counts for, as plan=number; on any other plan one",
        json_schema_extra=PER_WORKSPACE,
    )
    revenue_for_two: Whole = Field(
        500,
        ge=0,
        le=10_000_000,
        description="Monthly revenue from which a person counts for two, three at three times as much, four at seven "
        "times; 0 when revenue is not to count. The greater of plan and revenue counts",
        json_schema_extra=PER_WORKSPACE,
    )

    def weight_of(self, plan: str) -> float:
        """How many people one on this plan counts for."""
        pairs = (value.partition("=") for value in self.plan_weights)
        return next((float(number) for name, _, number in pairs if name.strip().lower() == plan.strip().lower()), 1.0)


class Alert(_Section):
    """A metric and the value from which on it is trouble."""

    metric: str = Field(description="Name of the metric; its largest value counts, of counters their sum")
    threshold: float = Field(strict=True, ge=0, allow_inf_nan=False, description="Value from which on it is trouble")
    severity: Literal["info", "warning", "critical"] = Field(
        "warning", description="What `tellback doctor` makes of it: critical is wrong, the others are hints"
    )

    @model_validator(mode="after")
    def _known(self) -> "Alert":
        known_metric(self.metric, among=LOOP_METRICS + OWN_METRICS)
        return self


def known_metric(name: str, *, among: tuple[str, ...]) -> None:
    """Raises `ValueError` with the nearest name when there is no such metric."""
    if name not in among:
        near = difflib.get_close_matches(name, among, n=1, cutoff=0.5)
        raise ValueError(f"there is no metric {name[:80]}" + (f"; did you mean {near[0]}?" if near else ""))


class Observability(_Section):
    """What is measured and from when on it is trouble."""

    metrics: Annotated[tuple[str, ...], AfterValidator(_unique)] = Field(
        LOOP_METRICS, description="Which of the document's metrics /metrics shows, beside our own (tellback_…)"
    )
    alerts: tuple[Alert, ...] = Field(
        (Alert(metric="queue_lag_seconds", threshold=300),),
        max_length=50,
        description="Values from which on something is trouble: seen in `tellback doctor` and as tellback_alert_firing "
        "in /metrics; the lowest threshold of queue_lag_seconds also decides when /readyz refuses",
    )

    @model_validator(mode="after")
    def _known(self) -> "Observability":
        for name in self.metrics:
            known_metric(name, among=LOOP_METRICS)
        return self

    def threshold(self, metric: str, *, default: float) -> float:
        """The lowest alert threshold of a metric."""
        return min((alert.threshold for alert in self.alerts if alert.metric == metric), default=default)


class LoopConfig(BaseModel):
    """Document 1's configuration, whole, with what themes add to it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ingestion: Ingestion = Ingestion()
    schema_: SchemaRules = Field(SchemaRules(), alias="schema")
    processing: Processing = Processing()
    routing: Routing = Routing()
    ticketing: Ticketing = Ticketing()
    notifications: Notifications = Notifications()
    themes: Themes = Themes()
    observability: Observability = Observability()


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of the table. `path` is where it stands in the file; `section` what the section is for."""

    path: tuple[str, ...]
    section: str
    kind: str
    default: object
    description: str
    per_workspace: bool
    is_list: bool

    @property
    def name(self) -> str:
        """Its dotted name."""
        return ".".join(self.path)

    @property
    def variable(self) -> str | None:
        """The environment variable that goes before the file; None for what is no single value."""
        return None if self.name == "observability.alerts" else "TELLBACK_" + "_".join(self.path).upper()


def list_settings(model: type[BaseModel] = LoopConfig, path: tuple[str, ...] = ()) -> Iterator[Setting]:
    """Every key, in the order of the file."""
    for name, field in model.model_fields.items():
        here = (*path, field.alias or name)
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from list_settings(inner, here)
            continue
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        yield Setting(
            path=here,
            section=(model.__doc__ or "").split("\n")[0],
            kind=_kind(field, here),
            default=field.default,
            description=field.description or "",
            per_workspace=bool(extra.get("per_workspace")),
            is_list=get_origin(inner) is tuple,
        )


def _kind(field: Any, path: tuple[str, ...]) -> str:
    """What values a key takes, for a person."""
    if path[-1] == "rate_limit":
        return "a rate: 100 req/min, 5/s"
    if get_origin(field.annotation) is tuple:
        return "a list of metric, threshold, severity" if path[-1] == "alerts" else "a list of texts"
    for kind in (field.annotation, *get_args(field.annotation)):
        if get_origin(kind) is Literal:
            return ", ".join(map(str, get_args(kind)))
    if field.annotation is bool:
        return "true or false"
    if field.annotation is int:
        bounds = {type(one).__name__: one for one in field.metadata}
        return f"{bounds['Ge'].ge:,} to {bounds['Le'].le:,}"
    return "a web address" if path[-1] == "webhook_url" else "a text"


def value_of(config: BaseModel, path: tuple[str, ...]) -> object:
    """The value of a key, lists and their parts as plain data."""
    value: object = config
    for part in path:
        value = getattr(value, "schema_" if part == "schema" else part)
    if isinstance(value, tuple):
        return [inner.model_dump() if isinstance(inner, BaseModel) else inner for inner in value]
    return value
