"""Document 1's configuration file: what it may say, and how mistakes are explained."""

from pathlib import Path

import pytest

from tellback.kernel.errors import Invalid
from tellback.platform.loop_config import LoopConfig, flatten, read_loop_config

DOCUMENT_1 = """
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
  metrics: [feedback_ingested_total, feedback_triaged_total, feedback_closed_loop_total, queue_lag_seconds]
  alerts:
    - metric: queue_lag_seconds
      threshold: 300
      severity: warning
"""


def read(tmp_path: Path, text: str, **environment: str) -> LoopConfig:
    """The configuration of a file with this text."""
    path = tmp_path / "feedback-loop.config.yaml"
    path.write_text(text)
    return read_loop_config(path, environment=environment)


def mistakes(tmp_path: Path, text: str, **environment: str) -> dict[str, str]:
    """What is said about each wrong place."""
    with pytest.raises(Invalid) as caught:
        read(tmp_path, text, **environment)
    return {field.pointer: field.detail for field in caught.value.errors} or {"": caught.value.detail}


def test_the_template_of_document_1_is_read_whole(tmp_path: Path) -> None:
    config = read(tmp_path, DOCUMENT_1, LINEAR_WEBHOOK_URL="https://example.com/hook")
    assert config.ingestion.rate_limit == 100
    assert config.processing.concurrency == 5
    assert config.ticketing.webhook_url is not None
    assert config.ticketing.webhook_url.get_secret_value() == "https://example.com/hook"
    assert config.observability.threshold("queue_lag_seconds", default=1) == 300


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    assert read(tmp_path, "") == LoopConfig()


@pytest.mark.parametrize(("text", "per_minute"), [("100 req/min", 100), ("5/s", 300), ("600 / hour", 10), ("7", 7)])
def test_rates_are_read_as_people_write_them(tmp_path: Path, text: str, per_minute: int) -> None:
    assert read(tmp_path, f"ingestion: {{rate_limit: {text}}}").ingestion.rate_limit == per_minute


def test_an_unknown_key_is_refused_with_the_nearest_that_exists(tmp_path: Path) -> None:
    found = mistakes(tmp_path, "ingestion: {rate_limits: 5}\nnotification: {delay_minutes: 1}")
    assert found == {
        "/ingestion/rate_limits": "is not a setting; did you mean rate_limit?",
        "/notification": "is not a setting; did you mean notifications?",
    }
    assert mistakes(tmp_path, "processing: {retry_policy: {max_attempt: 5}}") == {
        "/processing/retry_policy/max_attempt": "is not a setting; did you mean max_attempts?"
    }


def test_wrong_values_are_named_with_their_place(tmp_path: Path) -> None:
    assert "/ingestion/rate_limit" in mistakes(tmp_path, "ingestion: {rate_limit: often}")
    low = "routing: {score_thresholds: {critical: 10}}"
    assert mistakes(tmp_path, low) == {
        "/routing/score_thresholds": "must fall from critical over high and medium to low"
    }
    assert "not valid YAML in line 1" in mistakes(tmp_path, "ingestion: [")[""]
    assert "section names" in mistakes(tmp_path, "- 1")[""]


def test_references_are_replaced_from_the_environment_a_file_or_their_default(tmp_path: Path) -> None:
    text = "ticketing: {webhook_url: '${HOOK:-https://default.example}'}"
    secret = tmp_path / "hook"
    secret.write_text("https://file.example\n")
    for environment, expected in (
        ({}, "https://default.example"),
        ({"HOOK": "https://set.example"}, "https://set.example"),
        ({"HOOK_FILE": str(secret)}, "https://file.example"),
    ):
        url = read(tmp_path, text, **environment).ticketing.webhook_url
        assert url is not None
        assert url.get_secret_value() == expected
    assert "${HOOK}" in mistakes(tmp_path, "ticketing: {webhook_url: '${HOOK}'}")[""]


def test_every_setting_is_listed_once_with_its_dotted_name() -> None:
    names = [name for name, _ in flatten(LoopConfig())]
    assert len(names) == len(set(names))
    assert {"schema.strict_mode", "processing.retry_policy.backoff_ms", "routing.score_thresholds.low"} <= set(names)
