"""`tellback doctor` and the other reporting commands against a real installation, sound and harmed."""

import json
from pathlib import Path
from typing import Any

import pytest

from tellback.platform.tests.bucket import fake_bucket
from tests.harness.processes import Installation, Queues

pytestmark = pytest.mark.trust

REVIVE = "INSERT INTO procrastinate_jobs (task_name, queue_name, args, status, attempts) VALUES "


def wrong(installation: Installation, **more: str) -> dict[str, str]:
    """The checks that found something, each with its fix; the exit code agrees."""
    done = installation.run("doctor", "--json", **more)
    report: dict[str, Any] = json.loads(done.stdout)
    found = {check["check"]: check["fix"] for check in report["checks"] if check["verdict"] == "wrong"}
    assert done.returncode == (3 if found else 0), done
    assert report["ok"] is not bool(found)
    return found


def test_a_sound_installation_has_nothing_to_mend(installation: Installation) -> None:
    assert wrong(installation) == {}


@pytest.mark.parametrize(
    ("check", "harm", "mend"),
    [
        ("migrations", "DELETE FROM django_migrations WHERE name = '0001_job_failure'",
         "INSERT INTO django_migrations (app, name, applied) VALUES ('platform', '0001_job_failure', now())"),
        ("row security", "ALTER TABLE effect NO FORCE ROW LEVEL SECURITY",
         "ALTER TABLE effect FORCE ROW LEVEL SECURITY"),
        ("role", "ALTER ROLE tellback_app BYPASSRLS", "ALTER ROLE tellback_app NOBYPASSRLS"),
        ("queues", REVIVE + "('x', 'effects', '{}', 'failed', 8)", "DELETE FROM procrastinate_jobs"),
    ],
)  # fmt: skip
def test_a_harmed_database_is_named_with_its_fix(
    installation: Installation, queues: Queues, check: str, harm: str, mend: str
) -> None:
    queues.rows(harm)
    try:
        found = wrong(installation)
    finally:
        queues.rows(mend)
    assert list(found) == [check]
    assert found[check]


def test_wrong_settings_are_named_with_their_fix(installation: Installation, tmp_path: Path) -> None:
    (tmp_path / "loop.yaml").write_text("ingestion: {rate_limits: 5}")
    (tmp_path / "file").write_text("in the way")
    found = wrong(
        installation,
        TELLBACK_CONFIG=str(tmp_path / "loop.yaml"),
        TELLBACK_SECRET_KEY="short",
        TELLBACK_MAIL_URL="smtp://127.0.0.1:1",
        TELLBACK_DATA_DIR=str(tmp_path / "file" / "var"),
        TELLBACK_ENGINE="openai",
    )
    assert {"configuration file", "secret key", "mail", "storage", "engine"} <= set(found)
    assert "did you mean rate_limit" in found["configuration file"]


def test_a_bucket_that_refuses_or_is_not_there_is_named_without_its_secret(installation: Installation) -> None:
    with fake_bucket() as bucket:
        assert wrong(installation, TELLBACK_FILES_URL=bucket.url()) == {}
        refused = wrong(installation, TELLBACK_FILES_URL=bucket.url(secret="not-the-secret"))
    assert list(refused) == ["files"]
    assert "not-the-secret" not in refused["files"]
    misspelt = wrong(installation, TELLBACK_FILES_URL="s3://bucket?endpont=x")
    assert "must look like s3://" in misspelt["settings"]


def test_config_says_where_each_value_came_from_and_hides_secrets(installation: Installation, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from a mounted file, long enough\n")
    done = installation.run(
        "config", "show", "--json", TELLBACK_PORT="8123", TELLBACK_SECRET_KEY_FILE=str(tmp_path / "secret")
    )
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert (rows["TELLBACK_PORT"]["value"], rows["TELLBACK_PORT"]["origin"]) == (8123, "environment")
    assert (rows["TELLBACK_HOST"]["value"], rows["TELLBACK_HOST"]["origin"]) == ("127.0.0.1", "default")
    key = rows["TELLBACK_SECRET_KEY"]
    assert (key["value"], key["origin"]) == ("********", f"file {tmp_path}/secret")
    assert rows["processing.retry_policy.backoff_ms"]["origin"] == f"{installation.environment['TELLBACK_CONFIG']}:5"
    assert rows["ingestion.rate_limit"]["origin"] == "default"
    assert "mounted" not in done.stdout


def test_a_misspelt_variable_is_found_before_a_start(installation: Installation) -> None:
    assert installation.run("config", "check").returncode == 0
    done = installation.run("config", "check", TELLBACK_BASEURL="https://example.com")
    assert done.returncode == 3
    assert "TELLBACK_BASE_URL" in done.stderr
    assert installation.run("config", "check", "--production").returncode == 3


def test_a_key_is_made_listed_without_its_secret_and_revoked(home_with_workspace: Installation) -> None:
    home = home_with_workspace
    made = json.loads(home.run("key", "create", "Desk", "--json").stdout)
    assert made["key"].startswith("tb_")
    listed = home.run("key", "list", "--json").stdout
    assert made["key"] not in listed
    assert made["id"] in listed
    assert home.run("key", "revoke", made["id"]).returncode == 0
    rows = {row["id"]: row for row in json.loads(home.run("key", "list", "--json").stdout)}
    assert rows[made["id"]]["revoked"]
    missing = home.run("key", "revoke", "tb_nothing")
    assert missing.returncode == 2
    assert "key list" in missing.stderr


def test_a_person_is_let_in_once(home_with_workspace: Installation) -> None:
    home = home_with_workspace
    made = json.loads(home.run("user", "create", "Ana@Example.com", "--role", "admin", "--json").stdout)
    assert made["email"] == "ana@example.com"
    assert made["role"] == "admin"
    again = home.run("user", "create", "ana@example.com")
    assert again.returncode == 1
    assert "user grant" in again.stderr
    assert (
        json.loads(home.run("user", "grant", "ana@example.com", "--role", "owner", "--json").stdout)["role"] == "owner"
    )
    assert home.run("user", "grant", "nobody@example.com").returncode == 2
