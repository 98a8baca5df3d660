"""Where files are kept: a folder of this machine, or a bucket that speaks S3. A file is there whole or not at all.

Keys are made by us: parts of letters, digits, `-`, `_` and `.`, joined by `/`.
"""

import contextlib
import functools
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from django.conf import settings

from tellback.kernel.errors import Invalid, NotFound, Unavailable

_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
#: What is being written has a name that no key can have.
_PART = ".part-"


class Files(Protocol):
    """A place for files."""

    def put(self, key: str, content: bytes) -> None:
        """Keep a file, durably. Raises `Unavailable` when it cannot be kept; then nothing of it is there."""

    def get(self, key: str) -> bytes:
        """A file's content. Raises `NotFound`, or `Unavailable` when the place does not answer."""

    def delete(self, keys: list[str]) -> None:
        """Remove files; those that are not there are no error. Raises `Unavailable`."""

    def list_older(self, folder: str, than: datetime) -> Iterator[str]:
        """The keys of the files in this folder of keys that were written before this instant."""


def get_files() -> Files:
    """The place that the settings name: `TELLBACK_FILES_URL`, else the folder `files` below the data folder."""
    return _files(settings.FILES_URL, str(settings.DATA_DIR))


@functools.lru_cache(maxsize=8)
def _files(url: str, data_dir: str) -> Files:
    return Bucket.at(url) if url else Folder(Path(data_dir) / "files")


class Folder:
    """Files in a folder of this machine."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, key: str, content: bytes) -> None:
        """Write beside its place, flush to the disk, then give it its name."""
        path = self._path(key)
        part: Path | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=_PART, delete=False) as file:
                part = Path(file.name)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
            _flush_folder(path.parent)
        except OSError as error:
            if part is not None:
                part.unlink(missing_ok=True)
            raise Unavailable(f"The file could not be kept: {error.strerror or error}.", retry_after=60) from error

    def get(self, key: str) -> bytes:
        """The content of a file of this folder."""
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            raise NotFound("This file is no longer there.") from None

    def delete(self, keys: list[str]) -> None:
        """Remove files of this folder."""
        for key in keys:
            self._path(key).unlink(missing_ok=True)

    def list_older(self, folder: str, than: datetime) -> Iterator[str]:
        """Every file by its last change, and what a process that died left half written."""
        for path in self._path(folder).rglob("*"):
            with contextlib.suppress(FileNotFoundError):
                if not path.is_file() or datetime.fromtimestamp(path.stat().st_mtime, UTC) >= than:
                    continue
                if path.name.startswith(_PART):
                    path.unlink(missing_ok=True)
                else:
                    yield path.relative_to(self._root).as_posix()

    def _path(self, key: str) -> Path:
        return self._root / _checked(key)


@dataclass(frozen=True, slots=True)
class BucketAddress:
    """Where a bucket is. `options` are those of the client, secrets among them."""

    bucket: str
    prefix: str
    options: dict[str, Any] = field(repr=False)
    is_plain: bool


def read_bucket_address(url: str) -> BucketAddress:
    """`s3://key:secret@bucket/prefix?region=…&endpoint=https://…`; without key and secret, as AWS finds them.

    Raises `Invalid` for another address or an unknown option.
    """
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    if parts.scheme != "s3" or not parts.hostname or set(query) - {"region", "endpoint"}:
        raise Invalid(
            "TELLBACK_FILES_URL must look like s3://key:secret@bucket/prefix?region=eu-central-1"
            "&endpoint=https://storage.example.com; endpoint is for storage other than Amazon's."
        )
    options: dict[str, Any] = {"region": query.get("region", "us-east-1")}
    if parts.username and parts.password:
        options |= {"access_key_id": unquote(parts.username), "secret_access_key": unquote(parts.password)}
    if "endpoint" in query:
        options["endpoint"] = query["endpoint"]
    is_plain = query.get("endpoint", "").startswith("http://")
    return BucketAddress(parts.hostname, parts.path.strip("/"), options, is_plain)


class Bucket:
    """Files in a bucket of Amazon S3 or of anything that speaks its protocol."""

    def __init__(self, address: BucketAddress) -> None:
        from obstore.store import S3Store  # noqa: PLC0415 - only who keeps files there needs it

        self._store = S3Store(
            address.bucket,
            prefix=address.prefix or None,
            **address.options,
            client_options={"allow_http": address.is_plain, "timeout": timedelta(seconds=30), "connect_timeout": "5s"},
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=20)},
        )

    @classmethod
    def at(cls, url: str) -> "Bucket":
        """The bucket that an address names, see `read_bucket_address`."""
        return cls(read_bucket_address(url))

    def put(self, key: str, content: bytes) -> None:
        """One request; the bucket shows the object when it has all of it."""
        import obstore  # noqa: PLC0415

        with _answering():
            obstore.put(self._store, _checked(key), content)

    def get(self, key: str) -> bytes:
        """The content of an object."""
        import obstore  # noqa: PLC0415

        with _answering():
            return bytes(obstore.get(self._store, _checked(key)).bytes())

    def delete(self, keys: list[str]) -> None:
        """Remove objects."""
        import obstore  # noqa: PLC0415

        if keys:
            with contextlib.suppress(NotFound), _answering():
                obstore.delete(self._store, [_checked(key) for key in keys])

    def list_older(self, folder: str, than: datetime) -> Iterator[str]:
        """Every object by its last change."""
        import obstore  # noqa: PLC0415

        with _answering():
            for page in obstore.list(self._store, prefix=_checked(folder)):
                yield from (str(found["path"]) for found in page if found["last_modified"] < than)


@contextlib.contextmanager
def _answering() -> Iterator[None]:
    from obstore.exceptions import BaseError  # noqa: PLC0415

    try:
        yield
    except FileNotFoundError:
        raise NotFound("This file is no longer there.") from None
    except (BaseError, OSError) as error:
        # Its own words may carry the signed request.
        raise Unavailable(f"The storage of files does not answer ({type(error).__name__}).", retry_after=30) from None


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError(f"no key of a file: {key!r}")
    return key


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
