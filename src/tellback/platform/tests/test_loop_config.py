"""Document 1's configuration file: what it may say, and how mistakes are explained."""

from pathlib import Path

import pytest

from tellback.kernel.errors import Invalid
from tellback.platform.loop_config import Loaded, LoopConfig, list_settings, read_loop_config, value_of
from tellback.platform.loop_config.reading import find_setting, with_overrides

#: As document 1 prints it: what was indented once stands at the margin.
PRINTED = """\
# feedback-loop.config.yaml
ingestion:
rate_limit: 100 req/min
max_payload_size: 4096
idempotency_ttl_hours: 24
schema:
version: v1
strict_mode: true
allow_unknown_fields: false
processing:
queue: feedback.ingested
concurrency: 5
retry_policy:
max_attempts: 3
backoff_ms: 1000
jitter: true
routing:
score_thresholds:
critical: 90
high: 75
medium: 50
low: 20
ticketing:
provider: linear
webhook_url: ${LINEAR_WEBHOOK_URL}
default_labels: ["feedback", "triaged"]
notifications:
provider: sendgrid
template_id: d_feedback_ack
delay_minutes: 5
max_per_user_per_day: 3
observability:
metrics:
- feedback_ingested_total
- feedback_triaged_total
- feedback_closed_loop_total
- queue_lag_seconds
alerts:
- metric: queue_lag_seconds
threshold: 300
severity: warning
"""

INDENTED = """\
ingestion:
  rate_limit: 100 req/min
  max_payload_size: 4096
  idempotency_ttl_hours: 24
{schema_inside}
processing:
  queue: feedback.ingested
  concurrency: 5
  retry_policy:
    max_attempts: 3
    backoff_ms: 1000
    jitter: true
routing:
  score_thresholds:
    critical: 90
    high: 75
    medium: 50
    low: 20
{ticketing_inside}
notifications:
  provider: sendgrid
  template_id: d_feedback_ack
  delay_minutes: 5
  max_per_user_per_day: 3
observability:
  metrics:
    - feedback_ingested_total
    - feedback_triaged_total
    - feedback_closed_loop_total
    - queue_lag_seconds
  alerts:
    - metric: queue_lag_seconds
      threshold: 300
      severity: warning
"""
SCHEMA = "schema:\n  version: v1\n  strict_mode: true\n  allow_unknown_fields: false"
TICKETING = (
    "ticketing:\n  provider: linear\n  webhook_url: ${LINEAR_WEBHOOK_URL}\n  default_labels: [feedback, triaged]"
)
HOOK = "https://hooks.example/linear"


def _deeper(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def load(tmp_path: Path, text: str | bytes, **environment: str) -> Loaded:
    """What a file with this text, and these variables, give."""
    path = tmp_path / "feedback-loop.config.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_loop_config(path, environment=environment)


def read(tmp_path: Path, text: str, **environment: str) -> LoopConfig:
    """The configuration of a file with this text."""
    return load(tmp_path, text, **environment).config


def mistakes(tmp_path: Path, text: str | bytes, **environment: str) -> list[str]:
    """What is said about a wrong file, each with its line, without the folder."""
    with pytest.raises(Invalid) as caught:
        load(tmp_path, text, **environment)
    error = caught.value
    found = [f"{field.pointer}: {field.detail}" for field in error.errors] or [error.detail]
    return [line.replace(f"{tmp_path}/feedback-loop.config.yaml", "file") for line in found]


@pytest.mark.parametrize(
    "text",
    [
        PRINTED,
        INDENTED.format(schema_inside=SCHEMA, ticketing_inside=TICKETING),
        INDENTED.format(schema_inside=_deeper(SCHEMA), ticketing_inside=_deeper(TICKETING)),
    ],
    ids=["as printed", "indented", "indented, schema and ticketing inside"],
)
def test_the_template_of_document_1_is_read_whole_however_it_is_indented(tmp_path: Path, text: str) -> None:
    loaded = load(tmp_path, text, LINEAR_WEBHOOK_URL=HOOK)
    config = loaded.config
    assert config.ticketing.webhook_url is not None
    assert config.ticketing.webhook_url.get_secret_value() == HOOK
    said = {setting.name: value_of(config, setting.path) for setting in list_settings()}
    del said["ticketing.webhook_url"]
    assert said == {
        "ingestion.rate_limit": 100,
        "ingestion.max_payload_size": 4096,
        "ingestion.max_payload_size_v2": 262_144,
        "ingestion.idempotency_ttl_hours": 24,
        "ingestion.widget_storage_mb": 1000,
        "schema.version": "v1",
        "schema.strict_mode": True,
        "schema.allow_unknown_fields": False,
        "processing.queue": "feedback.ingested",
        "processing.concurrency": 5,
        "processing.retry_policy.max_attempts": 3,
        "processing.retry_policy.backoff_ms": 1000,
        "processing.retry_policy.jitter": True,
        "routing.score_thresholds.critical": 90,
        "routing.score_thresholds.high": 75,
        "routing.score_thresholds.medium": 50,
        "routing.score_thresholds.low": 20,
        "ticketing.provider": "linear",
        "ticketing.default_labels": ["feedback", "triaged"],
        "notifications.provider": "sendgrid",
        "notifications.template_id": "d_feedback_ack",
        "notifications.delay_minutes": 5,
        "notifications.max_per_user_per_day": 3,
        "observability.metrics": [
            "feedback_ingested_total",
            "feedback_triaged_total",
            "feedback_closed_loop_total",
            "queue_lag_seconds",
        ],
        "observability.alerts": [{"metric": "queue_lag_seconds", "threshold": 300.0, "severity": "warning"}],
        "themes.plan_weights": ["enterprise=3", "business=2", "pro=1.5", "team=1.5"],
        "themes.revenue_for_two": 500,
    }
    everything = {setting.name for setting in list_settings()} - {
        "ingestion.max_payload_size_v2",
        "ingestion.widget_storage_mb",
        "themes.plan_weights",
        "themes.revenue_for_two",
    }
    assert set(loaded.origins) == everything


def test_each_value_remembers_its_line_and_its_variable(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        PRINTED,
        LINEAR_WEBHOOK_URL=HOOK,
        TELLBACK_NOTIFICATIONS_DELAY_MINUTES="7",
        TELLBACK_SCHEMA_VERSION="v2",
    )
    origins = {name: origin.rpartition("/")[2] for name, origin in loaded.origins.items()}
    assert origins["ingestion.rate_limit"] == "feedback-loop.config.yaml:3"
    assert origins["processing.retry_policy.max_attempts"] == "feedback-loop.config.yaml:14"
    assert origins["ticketing.webhook_url"] == "feedback-loop.config.yaml:25 (LINEAR_WEBHOOK_URL)"
    assert origins["notifications.delay_minutes"] == "environment (TELLBACK_NOTIFICATIONS_DELAY_MINUTES)"
    assert (loaded.config.notifications.delay_minutes, loaded.config.schema_.version) == (7, "v2")
    assert "ingestion.max_payload_size_v2" not in origins


def test_every_setting_but_the_alerts_has_a_variable_of_its_own(tmp_path: Path) -> None:
    values = {
        "ticketing.default_labels": "one, two",
        "observability.metrics": "queue_lag_seconds",
        "themes.plan_weights": "gold=4",
    }
    for setting in list_settings():
        if setting.variable is None:
            assert setting.name == "observability.alerts"
            continue
        text = values.get(setting.name) or {
            "ticketing.provider": "jira", "ticketing.webhook_url": HOOK, "notifications.provider": "brevo",
            "notifications.template_id": "12", "processing.queue": "mine", "schema.version": "v2",
            "ingestion.rate_limit": "5/s", "ingestion.max_payload_size": "5000",
            "ingestion.max_payload_size_v2": "5000", "routing.score_thresholds.critical": "99",
            "routing.score_thresholds.high": "76", "routing.score_thresholds.medium": "51",
            "routing.score_thresholds.low": "21",
            "schema.strict_mode": "false", "schema.allow_unknown_fields": "true",
            "processing.retry_policy.jitter": "no",
        }.get(setting.name, "9")  # fmt: skip
        loaded = load(tmp_path, "", **{setting.variable: text})
        assert loaded.origins == {setting.name: f"environment ({setting.variable})"}
        assert value_of(loaded.config, setting.path) != value_of(LoopConfig(), setting.path)


def test_an_empty_file_or_one_of_empty_sections_gives_the_defaults(tmp_path: Path) -> None:
    for text in ("", "# nothing\n", "---\n", "ingestion:\nprocessing:\n  retry_policy:\n", "\ufeff{}"):
        assert read(tmp_path, text) == LoopConfig()


@pytest.mark.parametrize(
    ("text", "per_minute"),
    [("100 req/min", 100), ("5/s", 300), ("600 / hour", 10), ("7", 7), ("30 requests per minute", 30), ("1/h", 1)],
)
def test_rates_are_read_as_people_write_them(tmp_path: Path, text: str, per_minute: int) -> None:
    assert read(tmp_path, f"ingestion: {{rate_limit: {text}}}").ingestion.rate_limit == per_minute


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ingestion:\n  rate_limits: 5", "file:2: ingestion.rate_limits is not a setting; did you mean rate_limit?"),
        ("notification:\n  x: 1", "file:1: notification is not a setting; did you mean notifications?"),
        (
            "processing:\n  retry_policy:\n    max_attempt: 5",
            "file:3: processing.retry_policy.max_attempt is not a setting; did you mean max_attempts?",
        ),
        ("observability:\n  alerts:\n    - metrik: x\n      threshold: 1", "alerts.0.metrik is not a setting"),
        ("ingestion:\nrate_limit: 5\nmax_payload_sise: 9", "file:3: ingestion.max_payload_sise is not a setting; did"),
        ("wholly: 1", "file:1: wholly is not a setting"),
    ],
)
def test_an_unknown_key_is_refused_with_its_line_and_the_nearest_that_exists(
    tmp_path: Path, text: str, expected: str
) -> None:
    assert any(expected in found for found in mistakes(tmp_path, text)), mistakes(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ingestion: {rate_limit: often}", "file:1: ingestion.rate_limit must be a rate such as"),
        ("ingestion: {rate_limit: true}", "ingestion.rate_limit must be a whole number"),
        ("ingestion: {rate_limit: 0}", "ingestion.rate_limit must be 1 or more"),
        ("ingestion:\n  max_payload_size: '4096'", "file:2: ingestion.max_payload_size must be a whole number"),
        ("ingestion: {max_payload_size: 4096.5}", "must be a whole number"),
        ("ingestion: {idempotency_ttl_hours: 10000}", "must be 720 or less"),
        ("ingestion: {idempotency_ttl_hours: }", "has no value; leave the line out for the default"),
        ("ingestion: 5", "ingestion must be a section with settings below it"),
        ("ingestion: [1]", "ingestion must be a section with settings below it"),
        ("schema: {strict_mode: 1}", "schema.strict_mode must be true or false"),
        ("schema: {version: v3}", "schema.version must be one of v1, v2"),
        ("schema: {version: 1}", "schema.version must be one of v1, v2"),
        ("ticketing: {provider: linaer}", "did you mean linear?"),
        ("ticketing: {webhook_url: 'ftp://x'}", "must be an address that begins with https:// or http://"),
        ("ticketing: {default_labels: feedback}", "ticketing.default_labels must be a list"),
        ("ticketing: {default_labels: [a, a]}", "lists “a” twice"),
        ("ticketing: {default_labels: [a, 5]}", "ticketing.default_labels.1 must be a text"),
        ("notifications: {provider: sendgird}", "did you mean sendgrid?"),
        (f"ticketing: {{default_labels: [{'x' * 51}]}}", "must have 50 characters or fewer"),
        ("ticketing: {default_labels: ['']}", "must not be empty"),
        ("processing: {queue: effects}", "another queue's name"),
        ("processing: {queue: 'Feed back'}", "has characters that do not belong there"),
        ("routing:\n  score_thresholds:\n    critical: 10", "file:2: routing.score_thresholds must fall from critical"),
        ("observability: {metrics: [queue_lag_second]}", "did you mean queue_lag_seconds?"),
        ("observability: {alerts: [{metric: queue_lag, threshold: 5}]}", "did you mean queue_lag_seconds?"),
        ("observability: {alerts: [{metric: queue_lag_seconds}]}", "alerts.0.threshold is missing"),
        ("observability: {alerts: [{metric: queue_lag_seconds, threshold: .inf}]}", "must be a number"),
        ("observability: {alerts: [{metric: queue_lag_seconds, threshold: 1, severity: dire}]}", "must be one of info"),
    ],
)
def test_a_wrong_value_is_named_with_its_line_and_what_it_must_be(tmp_path: Path, text: str, expected: str) -> None:
    found = mistakes(tmp_path, text)
    assert len(found) == 1
    assert expected in found[0]
    assert found[0].startswith("file:")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ingestion: [", "file:1: is not valid YAML"),
        ("ingestion:\n\trate_limit: 5", "file:2: is not valid YAML"),
        ("a: 1\nb: \x01", "file:2: is not valid YAML"),
        ("- 1", "file:1: must begin with section names"),
        ("just words", "file:1: must begin with section names"),
        (b"ingestion:\n  rate_limit: \xff", "file:2: is not UTF-8"),
        ("ingestion: &a\n  rate_limit: 5\nschema: *a", "file:1: has the anchor &a"),
        ("ingestion: !!python/object/apply:os.system ['true']", "file:1: has the tag"),
        ("ingestion: !custom {rate_limit: 5}", "file:1: has the tag !custom"),
        ("ingestion:\n  <<: {rate_limit: 5}", "file:2: merges another mapping"),
        ("ingestion: {rate_limit: 5}\n---\nschema: {}", "file:2: begins a second document"),
        (
            "ingestion:\n  rate_limit: 5\n  rate_limit: 6",
            "file:3: ingestion.rate_limit is set a second time; it is in line 2 already.",
        ),
        ("schema: {}\ningestion: {}\nschema: {}", "file:3: schema is set a second time; it is in line 1 already."),
        ("ingestion:\n  schema: {version: v1}\nschema: {version: v2}", "file:2: schema is there twice, also in line 3"),
        ("? [a, b]\n: 1", "file:1: has a list or a mapping where a name belongs"),
        ("ingestion: " + "[" * 5_000, "file:1: is nested too deeply"),
        ("# " + "x" * 70_000, "is larger than 65,536 bytes"),
    ],
)
def test_what_is_no_settings_file_is_refused_in_one_sentence(tmp_path: Path, text: str | bytes, expected: str) -> None:
    assert expected in mistakes(tmp_path, text)[0]


def test_a_bomb_of_aliases_is_refused_before_anything_grows(tmp_path: Path) -> None:
    levels = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 20))
    found = mistakes(tmp_path, f"l0: &l0 [x]\n{levels}")
    assert "file:1: has the anchor &l0" in found[0]
    assert len(found) <= 20


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    found = mistakes(tmp_path, "ingestion:\n  rate_limit: often\nprocessing:\n  concurrency: none at all\nbogus: 1\n")
    assert [line.split(" ")[0] for line in found] == ["file:2:", "file:4:", "file:5:"]


def test_references_are_replaced_from_the_environment_a_file_or_their_default(tmp_path: Path) -> None:
    text = "ticketing:\n  webhook_url: '${HOOK:-https://default.example}'"
    secret = tmp_path / "hook"
    secret.write_text("https://file.example\n")
    for environment, expected in (
        ({}, "https://default.example"),
        ({"HOOK": ""}, "https://default.example"),
        ({"HOOK": "https://set.example"}, "https://set.example"),
        ({"HOOK_FILE": str(secret)}, "https://file.example"),
    ):
        url = read(tmp_path, text, **environment).ticketing.webhook_url
        assert url is not None
        assert url.get_secret_value() == expected
    assert "file:2: ticketing.webhook_url uses ${HOOK}, which is not set" in mistakes(
        tmp_path, "ticketing:\n  webhook_url: ${HOOK}"
    )[0]  # fmt: skip
    assert "cannot read the file that HOOK_FILE names" in mistakes(tmp_path, text, HOOK_FILE=str(tmp_path / "none"))[0]
    assert "names no variable" in mistakes(tmp_path, "ticketing: {webhook_url: '${'}")[0]


def test_a_reference_gives_the_type_that_its_text_would_have(tmp_path: Path) -> None:
    text = "ingestion: {max_payload_size: '${SIZE}'}"
    assert "must be a whole number" in mistakes(tmp_path, text, SIZE="5000")[0]
    plain = "ingestion:\n  max_payload_size: ${SIZE:-6000}\nschema:\n  strict_mode: ${STRICT}\n"
    config = read(tmp_path, plain, STRICT="false")
    assert (config.ingestion.max_payload_size, config.schema_.strict_mode) == (6000, False)
    assert read(tmp_path, "ticketing:\n  webhook_url: ${HOOK:-}\n").ticketing.webhook_url is None
    assert read(tmp_path, "notifications:\n  template_id: $${x}").notifications.template_id == "${x}"


def test_what_a_variable_holds_is_not_repeated_in_a_mistake(tmp_path: Path) -> None:
    text = "ticketing:\n  webhook_url: ${HOOK}\n  provider: ${HOOK}\n"
    assert "s3cret" not in " ".join(mistakes(tmp_path, text, HOOK="s3cret: [value"))


def test_a_wrong_variable_is_named_itself(tmp_path: Path) -> None:
    found = mistakes(tmp_path, "", TELLBACK_PROCESSING_CONCURRENCY="many")
    assert found == ["TELLBACK_PROCESSING_CONCURRENCY: processing.concurrency must be a whole number"]


def test_a_workspace_may_set_keys_for_itself_and_they_are_checked_as_well(tmp_path: Path) -> None:
    loaded = load(tmp_path, "notifications: {delay_minutes: 7}")
    own = with_overrides(loaded, {"notifications.max_per_user_per_day": 1}, origin="workspace harbour")
    assert (own.config.notifications.delay_minutes, own.config.notifications.max_per_user_per_day) == (7, 1)
    assert own.origins["notifications.max_per_user_per_day"] == "workspace harbour"
    assert own.origins["notifications.delay_minutes"].endswith(":1")
    with pytest.raises(Invalid) as caught:
        with_overrides(loaded, {"routing.score_thresholds.high": 95}, origin="workspace harbour")
    assert "must fall" in caught.value.errors[0].detail
    with pytest.raises(Invalid, match=r"did you mean notifications\.delay_minutes"):
        find_setting("notifications.delay_minute")


def test_every_setting_is_listed_once_with_its_dotted_name_and_says_what_it_does() -> None:
    settings = list(list_settings())
    names = [setting.name for setting in settings]
    assert len(names) == len(set(names))
    assert {"schema.strict_mode", "processing.retry_policy.backoff_ms", "routing.score_thresholds.low"} <= set(names)
    assert all(setting.description and setting.kind for setting in settings)
