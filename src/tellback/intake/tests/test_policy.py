"""What a workspace decided about private data, wherever something comes in."""

from uuid import uuid4

from tellback.intake.attachments.cleaning import Upload, clean
from tellback.intake.policy import DEFAULT, policy_of

SETTINGS = {"privacy": {"vault": True, "patterns": [{"name": "customer", "expression": r"CUST-\d{4,8}"}]}}


def test_a_workspace_that_decided_nothing_has_the_default() -> None:
    assert policy_of(uuid4(), {}) is DEFAULT
    assert policy_of(uuid4(), {"privacy": {"vault": False, "patterns": []}}) is DEFAULT


def test_the_same_settings_are_compiled_once_and_changed_ones_anew() -> None:
    workspace_id = uuid4()
    first = policy_of(workspace_id, SETTINGS)
    assert first.seals
    assert policy_of(workspace_id, SETTINGS) is first
    changed = policy_of(workspace_id, {"privacy": {"vault": False, "patterns": []}})
    assert changed.patterns == ()


def test_patterns_hold_for_the_names_and_texts_of_files_too() -> None:
    policy = policy_of(uuid4(), SETTINGS)
    upload = Upload(name="CUST-4711_4111111111111111.txt", content=b"I am CUST-4711, ada@example.com")
    file = clean(upload, policy=policy)
    assert file.content == b"I am [customer:1], [email:1]"
    assert "4711" not in file.name
    assert "4111" not in file.name
    assert file.name.endswith(".txt")
