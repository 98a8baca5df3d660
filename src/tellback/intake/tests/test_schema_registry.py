"""A published version may only grow: what breaks an older client is refused, with a reason."""

import copy
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tellback.intake.schemas import VERSIONS, Version, check
from tellback.intake.schemas.compatibility import breaking_changes
from tellback.intake.schemas.lifetime import lifetime_headers

Schema = dict[str, Any]
Change = Callable[[Schema], object]
PUBLISHED: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["content"],
    "properties": {
        "content": {"type": "string", "minLength": 1, "maxLength": 2000},
        "severity": {"type": "string", "enum": ["high", "low"], "default": "low"},
        "rating": {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 5}, {"type": "null"}], "default": None},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 60}, "maxItems": 20},
        "link": {"type": "string", "format": "uri", "pattern": "^https"},
        "author": {"$ref": "#/$defs/Author"},
        "free": {"type": "object", "additionalProperties": True},
    },
    "$defs": {
        "Author": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"email": {"type": "string"}, "manager": {"$ref": "#/$defs/Author"}},
        }
    },
}


def changed(change: Change) -> list[str]:
    proposed = copy.deepcopy(PUBLISHED)
    change(proposed)
    return breaking_changes(published=PUBLISHED, proposed=proposed)


def fields(schema: Schema) -> Schema:
    found: Schema = schema["properties"]
    return found


BREAKING: list[tuple[str, Change, str]] = [
    ("removed field", lambda s: fields(s).pop("severity"), "/severity: the field is gone or renamed"),
    ("renamed field", lambda s: fields(s).update(body=fields(s).pop("content")), "/content: the field is gone"),
    ("field of a part", lambda s: s["$defs"]["Author"]["properties"].pop("email"), "/author/email: the field is gone"),
    ("new required field", lambda s: s["required"].append("rating"), "/rating: the field has become required"),
    ("other type", lambda s: fields(s)["content"].update(type="integer"), "/content: the type string has become"),
    ("null no more", lambda s: fields(s).update(rating={"type": "integer"}), "/rating: the type null has become"),
    ("lost value", lambda s: fields(s)["severity"]["enum"].pop(), "/severity: the values low are no longer taken"),
    ("values where any was taken", lambda s: fields(s)["content"].update(enum=["a"]), "/content: only certain values"),
    ("shorter text", lambda s: fields(s)["content"].update(maxLength=500), "/content: maxLength has fallen"),
    ("longer text", lambda s: fields(s)["content"].update(minLength=3), "/content: minLength has risen"),
    ("lower number", lambda s: fields(s)["rating"]["anyOf"][0].update(maximum=3), "/rating: maximum has fallen"),
    ("fewer items", lambda s: fields(s)["tags"].update(maxItems=5), "/tags: maxItems has fallen"),
    ("shorter items", lambda s: fields(s)["tags"]["items"].update(maxLength=5), "/tags/*: maxLength has fallen"),
    (
        "new limit",
        lambda s: s["$defs"]["Author"]["properties"]["email"].update(maxLength=9),
        "/author/email: maxLength",
    ),
    ("other pattern", lambda s: fields(s)["link"].update(pattern="^ftp"), "/link: pattern has changed"),
    ("other format", lambda s: fields(s)["link"].update(format="email"), "/link: format has changed"),
    ("new pattern", lambda s: fields(s)["content"].update(pattern="."), "/content: pattern has changed from none"),
    (
        "other default",
        lambda s: fields(s)["severity"].update(default="high"),
        "/severity: the default 'low' has changed",
    ),
    ("lost default", lambda s: fields(s)["severity"].pop("default"), "/severity: the default 'low' has changed"),
    ("closed", lambda s: fields(s)["free"].update(additionalProperties=False), "/free: unknown fields were taken"),
]
HARMLESS: list[tuple[str, Change]] = [
    ("nothing", lambda s: None),
    ("new optional field", lambda s: fields(s).update(extra={"type": "string"})),
    ("new optional part", lambda s: s["$defs"]["Author"]["properties"].update(name={"type": "string"})),
    ("no longer required", lambda s: s.update(required=[])),
    ("new value", lambda s: fields(s)["severity"]["enum"].append("critical")),
    ("any value", lambda s: fields(s)["severity"].pop("enum")),
    ("longer text", lambda s: fields(s)["content"].update(maxLength=20_000)),
    ("no limit", lambda s: fields(s)["content"].pop("maxLength")),
    ("null too", lambda s: fields(s).update(content={"anyOf": [fields(s)["content"], {"type": "null"}]})),
    ("numbers too", lambda s: fields(s)["rating"]["anyOf"][0].update(type="number")),
    ("no pattern", lambda s: fields(s)["link"].pop("pattern")),
    ("another title", lambda s: s.update(title="Feedback", description="For people.")),
    ("open", lambda s: s["$defs"]["Author"].update(additionalProperties=True)),
]


@pytest.mark.parametrize(("change", "sentence"), [case[1:] for case in BREAKING], ids=[case[0] for case in BREAKING])
def test_what_an_older_client_would_notice_is_refused_with_a_reason(change: Change, sentence: str) -> None:
    found = changed(change)
    assert any(one.startswith(sentence) for one in found), found


@pytest.mark.parametrize("change", [case[1] for case in HARMLESS], ids=[case[0] for case in HARMLESS])
def test_what_no_older_client_can_notice_is_taken(change: Change) -> None:
    assert changed(change) == []


def test_a_keyword_that_the_rules_do_not_know_is_never_overlooked() -> None:
    with pytest.raises(ValueError, match="do not know not"):
        changed(lambda s: fields(s)["content"].update({"not": {"pattern": "x"}}))


def objects_of(schema: Any) -> Iterator[Schema]:
    """Every object of a schema that has fields, the schema itself first."""
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield schema
        for inner in schema.values():
            yield from objects_of(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from objects_of(inner)


@pytest.mark.parametrize("version", VERSIONS)
def test_no_field_of_a_published_version_can_disappear_or_become_required_unnoticed(version: str) -> None:
    published = VERSIONS[version].schema()
    places = [(place, name) for place, part in enumerate(objects_of(published)) for name in part["properties"]]
    assert len(places) > 5
    for place, name in places:
        gone = copy.deepcopy(published)
        del list(objects_of(gone))[place]["properties"][name]
        assert any(f"/{name}: the field is gone" in one for one in breaking_changes(published=published, proposed=gone))
        if name not in list(objects_of(published))[place].get("required", []):
            stern = copy.deepcopy(published)
            list(objects_of(stern))[place].setdefault("required", []).append(name)
            assert breaking_changes(published=published, proposed=stern), (version, name)


def test_every_version_is_published_as_it_stands() -> None:
    assert check.main([]) == 0


def test_a_breaking_change_is_not_published_either(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check.publish({"v1": PUBLISHED}, folder=tmp_path)
    narrowed = copy.deepcopy(PUBLISHED)
    narrowed["properties"]["content"]["maxLength"] = 5
    assert check.findings({"v1": PUBLISHED}, folder=tmp_path) == {"v1": []}
    assert check.findings({"v1": narrowed}, folder=tmp_path)["v1"][0].startswith("/content: maxLength has fallen")
    assert "is gone" in check.findings({}, folder=tmp_path)["v1"][0]
    grown = copy.deepcopy(PUBLISHED)
    grown["properties"]["extra"] = {"type": "string"}
    assert (check.findings({"v1": grown}, folder=tmp_path), check.unpublished({"v1": grown}, folder=tmp_path)) == (
        {"v1": []},
        ["v1"],
    )


def test_the_check_fails_the_build_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stricter = VERSIONS["v1"].schema()
    stricter["properties"]["userId"]["anyOf"][0]["maxLength"] = 10**6
    check.publish({"v1": stricter}, folder=tmp_path)
    before = (tmp_path / "feedback-v1.json").read_text()
    monkeypatch.setattr(check, "FOLDER", tmp_path)
    assert check.main(["--publish"]) == 1
    assert "v1 /userId: maxLength has fallen from 1000000 to 4096" in capsys.readouterr().out
    assert (tmp_path / "feedback-v1.json").read_text() == before
    assert json.loads(before)["properties"]


def test_a_version_that_is_current_says_nothing_of_its_end() -> None:
    assert lifetime_headers("v2", base_url="https://feedback.example") == {}


def test_a_retired_version_says_since_when_until_when_and_what_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    retired = Version(
        VERSIONS["v1"].model,
        retired_at=datetime(2027, 3, 1, tzinfo=UTC),
        ends_at=datetime(2028, 3, 1, 12, tzinfo=UTC),
        successor="v2",
    )
    monkeypatch.setitem(VERSIONS, "v1", retired)
    assert lifetime_headers("v1", base_url="https://feedback.example") == {
        "deprecation": "@1803859200",
        "sunset": "Wed, 01 Mar 2028 12:00:00 GMT",
        "link": (
            '<https://feedback.example/schemas/>; rel="deprecation"; type="application/json", '
            '<https://feedback.example/v2/feedback>; rel="successor-version"'
        ),
    }
    assert not retired.has_ended(datetime(2028, 3, 1, 11, tzinfo=UTC))
    assert retired.has_ended(datetime(2028, 3, 1, 12, tzinfo=UTC))
