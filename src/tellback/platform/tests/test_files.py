"""A file is kept whole or not at all, in a folder as in a bucket."""

import errno
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tellback.kernel.errors import Invalid, NotFound, Unavailable
from tellback.platform.files import Bucket, Files, Folder
from tellback.platform.tests.bucket import FakeBucket, fake_bucket

SOON = timedelta(minutes=1)


@pytest.fixture
def bucket() -> Iterator[FakeBucket]:
    with fake_bucket() as made:
        yield made


@pytest.fixture(params=["folder", "bucket"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    if request.param == "folder":
        return Folder(tmp_path / "files")
    bucket: FakeBucket = request.getfixturevalue("bucket")
    return Bucket.at(bucket.url())


def test_what_is_put_is_got_until_it_is_deleted(files: Files) -> None:
    files.put("ws/ab/abc-1", b"\x00content\xff")
    assert files.get("ws/ab/abc-1") == b"\x00content\xff"
    files.put("ws/ab/abc-1", b"again")
    assert files.get("ws/ab/abc-1") == b"again"
    files.delete(["ws/ab/abc-1", "ws/ab/never-there"])
    with pytest.raises(NotFound):
        files.get("ws/ab/abc-1")


def test_the_files_of_one_folder_of_keys_are_listed_by_age(files: Files) -> None:
    for key in ("ws/ab/one", "ws/cd/two", "other/ab/three"):
        files.put(key, b"x")
    now = datetime.now(UTC)
    assert sorted(files.list_older("ws", now + SOON)) == ["ws/ab/one", "ws/cd/two"]
    assert list(files.list_older("ws", now - SOON)) == []
    assert list(files.list_older("nobody", now + SOON)) == []


@pytest.mark.parametrize("key", ["../secret", "/etc/passwd", "a/../../b", "a//b", ".part-1", "a/.hidden", "", "a\x00"])
def test_a_key_that_leads_elsewhere_is_a_mistake_of_ours(files: Files, key: str) -> None:
    for act in (lambda: files.put(key, b"x"), lambda: files.get(key), lambda: files.delete([key])):
        with pytest.raises(ValueError, match="no key of a file"):
            act()


@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
def test_a_full_disk_leaves_nothing_behind_and_room_again_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    folder = Folder(tmp_path)
    with monkeypatch.context() as patched:
        if step == "replace":
            patched.setattr(Path, "replace", full)
        elif step == "fsync":
            patched.setattr(os, "fsync", full)
        else:
            patched.setattr("tellback.platform.files.tempfile.NamedTemporaryFile", full)
        with pytest.raises(Unavailable, match="No space left"):
            folder.put("ws/ab/one", b"x" * 10_000)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    folder.put("ws/ab/one", b"x")
    assert folder.get("ws/ab/one") == b"x"


def test_a_limit_of_the_system_itself_leaves_nothing_behind(tmp_path: Path) -> None:
    """The same with a real refusal: a file may not grow beyond so many bytes in this process."""
    import resource
    import signal

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
        with pytest.raises(Unavailable):
            Folder(tmp_path).put("ws/ab/one", bytes(50_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_what_a_dead_process_left_half_written_is_swept(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.put("ws/ab/one", b"x")
    (tmp_path / "ws/ab/.part-123").write_bytes(b"half")
    assert list(folder.list_older("ws", datetime.now(UTC) + SOON)) == ["ws/ab/one"]
    assert not (tmp_path / "ws/ab/.part-123").exists()


def test_files_are_for_this_account_only(tmp_path: Path) -> None:
    Folder(tmp_path / "files").put("ws/ab/one", b"x")
    assert (tmp_path / "files/ws/ab/one").stat().st_mode & 0o077 == 0


def test_a_bucket_that_fails_or_refuses_is_unavailable_and_says_no_secret(bucket: FakeBucket) -> None:
    wrong = Bucket.at(bucket.url(secret="not-the-secret"))
    with pytest.raises(Unavailable) as refusal:
        wrong.put("ws/ab/one", b"x")
    assert bucket.refused == 1
    assert "secret" not in refusal.value.detail
    assert bucket.objects == {}


def test_objects_are_below_the_prefix(bucket: FakeBucket) -> None:
    Bucket.at(bucket.url()).put("ws/ab/one", b"x")
    assert list(bucket.objects) == ["kept/ws/ab/one"]


@pytest.mark.parametrize("url", ["http://x", "s3://", "s3://bucket?endpont=x", "bucket"])
def test_an_address_that_names_no_bucket_is_refused(url: str) -> None:
    with pytest.raises(Invalid, match="TELLBACK_FILES_URL"):
        Bucket.at(url)
