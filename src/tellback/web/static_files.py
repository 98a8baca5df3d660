"""Static files under names that carry their content's digest, so that browsers and caches keep them for good.

Nothing has to be collected: the names are made from the installed files when a process starts. `tellback web` also puts
the files and their compressed forms below the data folder, where those of former versions stay a while: a page that was
opened before an upgrade finds its own styles and scripts.
"""

import functools
import gzip
import hashlib
import io
import logging
import os
import re
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.http import HttpRequest, HttpResponse
from whitenoise.compress import Compressor
from whitenoise.middleware import WhiteNoiseMiddleware

logger = logging.getLogger(__name__)

_HASHED = re.compile(r"\.[0-9a-f]{12}\.[^./]+$")
_COMPRESSED = Compressor()
#: Files of former versions are kept so long after their last start, in seconds.
KEPT = 90 * 24 * 3600


@functools.cache
def hashed_names() -> dict[str, str]:
    """For each installed static file its name with the digest in it: tellback.css is tellback.9f86d081884c.css."""
    return {name: _hashed(name, path.read_bytes()) for name, path in sources().items()}


@functools.cache
def sources() -> dict[str, Path]:
    """Every installed static file by its plain name; of two with the same name the first, as Django has it."""
    found: dict[str, Path] = {}
    for finder in finders.get_finders():
        for name, storage in finder.list(None):
            found.setdefault(name.replace(os.sep, "/"), Path(storage.path(name)))
    return found


def _hashed(name: str, content: bytes) -> str:
    stem, _, suffix = name.rpartition(".")
    return f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}.{suffix}"


class HashedStorage(StaticFilesStorage):
    """Gives templates the address with the digest; what is not installed keeps the name it was asked by."""

    def url(self, name: str | None) -> str:
        """The address of a file."""
        return super().url(hashed_names().get(name or "", name))


class HashedStaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]  # the library has no types
    """WhiteNoise, also for the names with digests: of this version, and of former ones that are kept."""

    def __init__(self, get_response: Any = None) -> None:
        super().__init__(get_response)
        for name, path in sources().items():
            self.add_file_to_dictionary(f"{self.static_prefix}{hashed_names()[name]}", str(path))
        if settings.KEPT_STATIC_FILES.is_dir():
            self.add_files(str(settings.KEPT_STATIC_FILES), prefix=self.static_prefix)

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        """The file as a whole: they are small, and a stream of it would be read through a thread, with a warning."""
        found = static_file.get_response(request.method, request.META)
        with found.file or io.BytesIO() as content:
            response = HttpResponse(content.read(), status=int(found.status))
        del response["Content-Type"]
        for name, value in found.headers:
            response[name] = value
        return response

    def immutable_file_test(self, path: str, url: str) -> bool:  # noqa: ARG002 - the library's signature
        """Whether what the address names can never be anything else."""
        return _HASHED.search(url) is not None


def keep_static_files(folder: Path, *, now: float | None = None) -> int:
    """Put every file there under its name with the digest, with a compressed form beside it; returns how many are new.

    Safe to run in several processes at once. Files that no process of 90 days had are removed. A folder that cannot be
    written costs the compression and former versions, and no more: that is logged.
    """
    try:
        made = sum(_keep(folder / hashed_names()[name], path) for name, path in sources().items())
        _forget_old(folder, before=(now or time.time()) - KEPT)
    except OSError as error:
        logger.warning("Static files are served uncompressed: %s cannot be written (%s).", folder, error.strerror)
        return 0
    return made


def _keep(place: Path, source: Path) -> bool:
    if place.exists():
        os.utime(place)
        return False
    place.parent.mkdir(parents=True, exist_ok=True)
    content = source.read_bytes()
    if _COMPRESSED.should_compress(place.name):
        zipped = gzip.compress(content, 9, mtime=0)
        if len(zipped) < 0.95 * len(content):
            _write(place.with_name(f"{place.name}.gz"), zipped)
    _write(place, content)
    return True


def _write(place: Path, content: bytes) -> None:
    """Whole or not at all, whoever else writes the same."""
    beside = place.with_name(f".{place.name}.{os.getpid()}")
    beside.write_bytes(content)
    beside.replace(place)


def _forget_old(folder: Path, *, before: float) -> None:
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != ".gz" and path.stat().st_mtime < before:
            path.with_name(f"{path.name}.gz").unlink(missing_ok=True)
            path.unlink(missing_ok=True)
