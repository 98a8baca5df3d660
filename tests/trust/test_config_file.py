"""Document 1's file at work in real processes: what the door makes of it, and what the commands say."""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tellback.platform.tests.test_loop_config import PRINTED
from tests.harness.processes import Installation, Queues
from tests.trust.test_intake import Door, add_workspace, open_door, payload

pytestmark = pytest.mark.trust

FILE = """\
ingestion:
  rate_limit: 12 req/min
  max_payload_size: 600
  max_payload_size_v2: 5000
schema:
  version: v2
  allow_unknown_fields: true
processing:
  queue: feedback.ingested
"""


@pytest.fixture(scope="module")
def door(migrated: Installation, queues: Queues, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A web process that reads the file."""
    path = tmp_path_factory.mktemp("file") / "feedback-loop.config.yaml"
    path.write_text(FILE)
    (key,) = add_workspace(queues, "configured", 1)
    queues.rows("UPDATE api_key SET rate_limit = NULL WHERE prefix = %s", [key[:10]])
    here = Installation({**migrated.environment, "TELLBACK_CONFIG": str(path)}, migrated.log)
    opened = open_door(here, queues, key=key)
    yield opened
    opened.process.terminate()
    opened.process.wait(30)


def test_the_door_keeps_to_the_file(door: Door) -> None:
    address = door.url.removesuffix("/v1/feedback")
    body = payload()
    large = {**body, "idempotencyKey": str(uuid4()), "metadata": {"userAgent": "x" * 700}}
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {door.key}"}, trust_env=False) as client:
        assert client.post("/v1/feedback", json=large).status_code == 413
        assert client.post("/v2/feedback", json=large).status_code == 202
        assert client.post("/v2/feedback", json={**large, "content": "x" * 5000}).status_code == 413
        only_v2 = {"idempotencyKey": str(uuid4()), "content": "It is slow", "rating": 2, "mood": "cross"}
        assert client.post("/feedback", json=only_v2).status_code == 202
        assert client.post("/v1/feedback", json=only_v2).status_code == 422
        codes = [client.post("/v1/feedback", json=payload()).status_code for _ in range(12)]
        assert set(codes) == {202, 429}
        assert codes.count(202) <= 12 - 5 + 2
        assert 'queue_lag_seconds{queue="feedback.ingested"}' in client.get("/metrics").text


def test_check_accepts_the_template_as_printed_and_says_what_mail_waits_for(
    migrated: Installation, tmp_path: Path
) -> None:
    path = tmp_path / "feedback-loop.config.yaml"
    path.write_text(PRINTED)
    hook = {"LINEAR_WEBHOOK_URL": "https://hooks.example/s3cret"}
    done = migrated.run("config", "check", "--json", TELLBACK_CONFIG=str(path), **hook)
    assert done.returncode == 0, done.stdout
    answer = json.loads(done.stdout)
    assert answer["ok"] is True
    assert "SENDGRID_API_KEY" in answer["notes"][0]["detail"]
    shown = migrated.run(
        "config", "show", "--json", TELLBACK_CONFIG=str(path), TELLBACK_PROCESSING_CONCURRENCY="4", **hook
    )
    rows = {row["name"]: row for row in json.loads(shown.stdout)}
    assert "s3cret" not in shown.stdout
    assert rows["ingestion.rate_limit"]["origin"] == f"{path}:3"
    assert rows["ticketing.webhook_url"]["origin"] == f"{path}:25 (LINEAR_WEBHOOK_URL)"
    assert rows["processing.concurrency"]["origin"] == "environment (TELLBACK_PROCESSING_CONCURRENCY)"
    assert rows["processing.concurrency"]["value"] == 4
    assert rows["ingestion.max_payload_size_v2"]["origin"] == "default"


def test_a_mistake_ends_every_command_with_its_file_and_line(migrated: Installation, tmp_path: Path) -> None:
    path = tmp_path / "feedback-loop.config.yaml"
    path.write_text("ingestion:\n  rate_limits: 5\n")
    said = f"{path}:2: ingestion.rate_limits is not a setting; did you mean rate_limit?"
    checked = migrated.run("config", "check", TELLBACK_CONFIG=str(path), TELLBACK_PROCESING_QUEUE="x")
    near = "TELLBACK_PROCESING_QUEUE: is not a setting; did you mean TELLBACK_PROCESSING_QUEUE?"
    assert (checked.returncode, checked.stderr.splitlines()) == (3, [said, near])
    started = migrated.run("web", TELLBACK_CONFIG=str(path), TELLBACK_PORT="0")
    assert started.returncode == 2
    assert said in started.stderr
    assert "Traceback" not in started.stderr


def test_a_workspace_sets_a_key_and_show_says_so(migrated: Installation, queues: Queues) -> None:
    add_workspace(queues, "harbour", 1)
    done = migrated.run("config", "set", "notifications.delay_minutes", "0", "--workspace", "harbour")
    assert done.returncode == 0, done.stderr
    shown = migrated.run("config", "show", "--workspace", "harbour", "--json")
    rows = {row["name"]: row for row in json.loads(shown.stdout)}
    assert (rows["notifications.delay_minutes"]["value"], rows["notifications.delay_minutes"]["origin"]) == (
        0, "workspace harbour",
    )  # fmt: skip
