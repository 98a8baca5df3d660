"""The widget's code as it is served: made smaller, compressed, and named by its content.

The loader is short-lived and carries the options; the chunks that it loads stand under a version made from all of them,
so that they may be kept for ever and always fit each other.
"""

import functools
import gzip
import hashlib
import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import rjsmin

CLIENT = Path(str(files("tellback.widget"))) / "client"
LOADER = "loader"


@dataclass(frozen=True, slots=True)
class Asset:
    """A script, plain and compressed, with its entity tag."""

    plain: bytes
    zipped: bytes
    etag: str


@functools.cache
def chunks() -> dict[str, Asset]:
    """Every script that the loader loads, by name."""
    return {path.stem: _asset(_smaller(path)) for path in sorted(CLIENT.glob("*.js")) if path.stem != LOADER}


@functools.cache
def version() -> str:
    """A name for the chunks as they are now; another one as soon as any of them changes."""
    digest = hashlib.sha256()
    for name, asset in chunks().items():
        digest.update(name.encode() + b"\0" + asset.plain)
    return digest.hexdigest()[:12]


def loader(*, base_url: str, options: dict[str, Any]) -> Asset:
    """The loader with the options in it, so that the page needs to ask for nothing else."""
    setup = {"base": base_url, "version": version(), "options": options}
    return _loader(json.dumps(setup, ensure_ascii=True, separators=(",", ":")))


@functools.lru_cache(maxsize=256)
def _loader(setup: str) -> Asset:
    return _asset(f"{_smaller(CLIENT / f'{LOADER}.js')}({setup});\n")


def script(text: str) -> Asset:
    """A small script of its own."""
    return _asset(text)


@functools.cache
def _smaller(path: Path) -> str:
    return str(rjsmin.jsmin(path.read_text(encoding="utf-8"))).strip()


def _asset(text: str) -> Asset:
    plain = text.encode()
    return Asset(plain, gzip.compress(plain, 9, mtime=0), f'"{hashlib.sha256(plain).hexdigest()[:20]}"')
