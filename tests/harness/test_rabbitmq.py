"""Where RabbitMQ is missing, a laptop skips its tests and CI does not."""

from pathlib import Path

import pytest

from tests.harness import rabbitmq


@pytest.mark.parametrize(("ci", "outcome"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)])
def test_without_rabbitmq_a_test_is_skipped_with_a_reason_and_fails_in_ci(
    ci: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(rabbitmq, "SERVER", Path("/nowhere/rabbitmq-server"))
    with pytest.raises(outcome, match="apt-get install rabbitmq-server"):
        rabbitmq.require_rabbitmq()
