"""Files at a running door: kept once, refused with a reason, and never a danger to it (trust.md, ING and INP)."""

import base64
import io
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from tests.harness.processes import Installation, Queues, free_port, wait_until
from tests.trust.test_intake import Door, add_workspace, together

pytestmark = pytest.mark.trust


@pytest.fixture(scope="module")
def door(migrated: Installation, queues: Queues) -> Iterator[Door]:
    (key,) = add_workspace(queues, "harbour", 1)
    port = free_port()
    made = Door(migrated, queues, port, key, "", "", migrated.start("web", "--port", str(port)))
    wait_until(made.is_open, seconds=40, what="the web process listens")
    yield made
    made.process.terminate()
    made.process.wait(30)


def picture() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((120, 80), 50).save(out, "PNG")
    return out.getvalue()


def inside(name: str, content: bytes) -> dict[str, str]:
    return {"name": name, "data": base64.b64encode(content).decode()}


def body(**more: Any) -> dict[str, Any]:
    return {"content": "See the picture.", "idempotencyKey": str(uuid4()), **more}


def send(door: Door, path: str = "/v2/feedback", **request: Any) -> httpx.Response:
    with httpx.Client(trust_env=False, timeout=30, base_url=f"http://127.0.0.1:{door.port}") as client:
        return client.post(path, headers={"authorization": f"Bearer {door.key}"}, **request)


def kept(door: Door, key: str) -> list[tuple[Any, ...]]:
    return door.queues.rows(
        "SELECT a.name, a.media_type, a.file_key FROM attachment a JOIN raw_feedback_items r ON r.id = a.raw_item_id "
        "WHERE r.external_id = %s ORDER BY a.position",
        [key],
    )


def content_of(door: Door, file_key: str) -> bytes:
    return (Path(door.installation.environment["TELLBACK_DATA_DIR"]) / "files" / file_key).read_bytes()


def count_files(door: Door) -> int:
    folder = Path(door.installation.environment["TELLBACK_DATA_DIR"]) / "files"
    return sum(path.is_file() for path in folder.rglob("*"))


def test_files_inside_of_the_request_are_kept_in_their_order(door: Door) -> None:
    sent = body(attachments=[inside("shot.png", picture()), inside("app.log", b"ERROR for ada@example.com\n")])
    assert send(door, json=sent).status_code == 202
    (shot, log) = kept(door, sent["idempotencyKey"])
    assert (shot[:2], log[:2]) == (("shot.png", "image/png"), ("app.log", "text/plain"))
    assert Image.open(io.BytesIO(content_of(door, shot[2]))).size == (120, 80)
    assert content_of(door, log[2]) == b"ERROR for [email:1]\n"


def test_files_of_a_form_may_be_larger_and_the_same_form_again_is_known(door: Door) -> None:
    sent = body()
    files = [("files", ("clip.webm", b"\x1a\x45\xdf\xa3\x42\x82\x84webm" + bytes(3_000_000), "video/webm"))]
    before = count_files(door)
    answers = [send(door, data={"feedback": _json(sent)}, files=files) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 200]
    assert len(kept(door, sent["idempotencyKey"])) == 1
    assert count_files(door) == before + 1
    others = [("files", ("clip.webm", b"\x1a\x45\xdf\xa3\x42\x82\x84webm" + bytes(10), "video/webm"))]
    assert send(door, data={"feedback": _json(sent)}, files=others).status_code == 422
    assert count_files(door) == before + 1


def test_ten_equal_requests_with_a_picture_at_once_keep_one(door: Door) -> None:
    sent = body(attachments=[inside("shot.png", picture())])
    before = count_files(door)
    answers = together(10, lambda: send(door, json=sent))
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [202]
    assert len(kept(door, sent["idempotencyKey"])) == 1
    assert count_files(door) == before + 1


def test_a_wrong_file_is_named_and_nothing_is_stored(door: Door) -> None:
    sent = body(attachments=[inside("a.txt", b"fine"), inside("b.png", b"MZ\x00"), {"name": "c", "data": "?"}])
    refused = send(door, json=sent)
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/attachments/2/data"]
    sent["attachments"].pop()
    refused = send(door, json=sent)
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/attachments/1"]
    assert door.items(sent["idempotencyKey"]) == []


def test_version_1s_screenshot_is_kept_as_a_file_and_not_in_the_metadata(door: Door) -> None:
    tiny = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(tiny, "PNG")
    data = "data:image/png;base64," + base64.b64encode(tiny.getvalue()).decode()
    for screenshot, files in ((data, 1), ("no picture at all", 0)):
        sent = {
            **body(), "channel": "in-app", "category": "bug", "timestamp": "2026-11-20T10:00:00Z",
            "metadata": {"locale": "en", "screenshotBase64": screenshot},
        }  # fmt: skip
        assert send(door, "/v1/feedback", json=sent).status_code == 202
        assert len(kept(door, sent["idempotencyKey"])) == files
        ((metadata,),) = door.queues.rows(
            "SELECT context_envelope->'metadata' FROM raw_feedback_items WHERE external_id = %s",
            [sent["idempotencyKey"]],
        )
        assert "screenshotBase64" not in metadata
        assert ("filesLeftOut" in metadata) is (files == 0)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"data": {"feedback": "{"}, "files": {"f": b"x"}}, 400),
        ({"data": {"feedback": "{}", "more": "x"}, "files": {"f": b"x"}}, 422),
        ({"data": {}, "files": {"f": b"x"}}, 422),
        ({"data": {"feedback": "{}"}, "files": [("f", b"x")] * 6}, 422),
        ({"data": {"feedback": "{}"}, "files": [("f", b"x")] * 200}, 400),
        ({"data": {"feedback": "x" * 3_000_000}, "files": {"f": b"x"}}, 400),
        ({"content": b"--x\r\nbroken", "headers": {"content-type": "multipart/form-data; boundary=x"}}, 422),
        ({"content": b"--x", "headers": {"content-type": "multipart/form-data"}}, 400),
        (
            {"content": b"--x", "headers": {"content-type": "multipart/form-data; boundary=\u00ff".encode("latin-1")}},
            400,
        ),
        ({"data": {"feedback": "{}"}, "files": {"f": bytes(27_000_000)}}, 413),
        ({"json": {"content": "x", "attachments": [{"name": "a", "data": "A" * 1_400_000}]}}, 413),
    ],
)
def test_a_form_that_is_none_is_refused_with_a_reason(door: Door, request_: dict[str, Any], status: int) -> None:
    headers = {"authorization": f"Bearer {door.key}", **request_.pop("headers", {})}
    with httpx.Client(trust_env=False, timeout=30, base_url=f"http://127.0.0.1:{door.port}") as client:
        answer = client.post("/v2/feedback", headers=headers, **request_)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_batch_takes_no_files_and_says_so(door: Door) -> None:
    items = [body(), body(attachments=[inside("a.txt", b"x")])]
    answer = send(door, "/v2/feedback/batch", json=items)
    assert [result["status"] for result in answer.json()["results"]] == ["accepted", "refused"]
    assert answer.json()["results"][1]["problem"]["errors"][0]["pointer"] == "/1/attachments"


def test_other_requests_go_on_while_pictures_are_made_anew(door: Door) -> None:
    large = io.BytesIO()
    Image.effect_noise((1200, 800), 50).save(large, "JPEG", quality=30)
    sent = [body(attachments=[inside("a.jpg", large.getvalue())] * 3) for _ in range(6)]
    pending = iter(sent + [body() for _ in range(14)])
    answers = together(20, lambda: send(door, json=next(pending)))
    assert {answer.status_code for answer in answers} == {202}


FULL = """
    CREATE FUNCTION full_up() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE SQLSTATE '53100' USING MESSAGE = 'could not extend file: No space left on device'; END $$;
    CREATE TRIGGER full_up BEFORE INSERT ON raw_feedback_items FOR EACH STATEMENT EXECUTE FUNCTION full_up();
"""


def clip(size: int) -> bytes:
    return b"\x1a\x45\xdf\xa3\x42\x82\x84webm" + bytes(size)


def send_form(door: Door) -> httpx.Response:
    """A file that is written beside the others while its request is read."""
    return send(door, data={"feedback": _json(body())}, files=[("files", ("clip.webm", clip(3_000_000), "video/webm"))])


def send_inside(door: Door) -> httpx.Response:
    """A file that is written to its place only."""
    return send(door, json=body(attachments=[inside("clip.webm", clip(700_000))]))


@contextmanager
def files_full(door: Door) -> Iterator[None]:
    """The disk of the files, as a limit that ends a write halfway."""
    free = resource.prlimit(door.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(door.process.pid, resource.RLIMIT_FSIZE, (500_000, free[1]))
    try:
        yield
    finally:
        resource.prlimit(door.process.pid, resource.RLIMIT_FSIZE, free)


@contextmanager
def database_full(door: Door) -> Iterator[None]:
    """The disk of the database, as what PostgreSQL says then."""
    door.queues.rows(FULL)
    try:
        yield
    finally:
        door.queues.rows("DROP FUNCTION full_up CASCADE")


def require_no_halves(door: Door) -> None:
    """Without room for files, a request is refused and nothing of its file is left."""
    before = count_files(door)
    with files_full(door):
        answers = [send_form(door), send_inside(door)]
    assert [(one.status_code, bool(one.headers.get("retry-after"))) for one in answers] == [(503, True)] * 2
    assert count_files(door) == before


def require_word_of_a_full_database(door: Door) -> None:
    """Without room for rows, a request is refused."""
    with database_full(door):
        refused = send_inside(door)
    assert (refused.status_code, bool(refused.headers.get("retry-after"))) == (503, True), refused.text


def test_a_full_disk_refuses_in_words_keeps_no_half_of_a_file_and_recovers(door: Door) -> None:
    """LOD-04: the files' disk, and then the database's."""
    require_no_halves(door)
    require_word_of_a_full_database(door)
    # Whether it was stored is not known then, so the whole file stays until the nightly sweep finds nobody names it.
    before = count_files(door)
    assert send_inside(door).status_code == 202
    assert count_files(door) == before + 1


def _json(value: object) -> str:
    import json

    return json.dumps(value)
