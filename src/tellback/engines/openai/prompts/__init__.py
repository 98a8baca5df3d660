"""The prompts, as versioned files. A published version's words never change: a change is a new file (v2)."""

import functools
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files


class Pass(StrEnum):
    """What a model is asked for."""

    EXTRACTION = "extraction"
    INTERPRETATION = "interpretation"
    DESCRIPTION = "description"
    EMBEDDING = "embedding"


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model is told, and which version of it: recorded on every signal."""

    version: str
    text: str


#: The version that is in use, for each pass that has a prompt.
CURRENT = {Pass.EXTRACTION: "v1", Pass.INTERPRETATION: "v1", Pass.DESCRIPTION: "v1"}


@functools.cache
def load_prompt(kind: Pass, version: str = "") -> Prompt:
    """A prompt of this package, the present one unless a version is named."""
    wanted = version or CURRENT[kind]
    return Prompt(wanted, files(__package__).joinpath(f"{kind}.{wanted}.md").read_text(encoding="utf-8"))


def list_prompt_versions() -> list[str]:
    """Every version that some pass has, oldest first."""
    names = [one.name.split(".") for one in files(__package__).iterdir() if one.name.endswith(".md")]
    return sorted({version for _kind, version, _suffix in names}, key=lambda version: int(version[1:]))


def prompt_of(kind: Pass, version: str) -> Prompt:
    """The prompt of this version; the present one where none is named, or where the pass did not change with it."""
    exists = version and files(__package__).joinpath(f"{kind}.{version}.md").is_file()
    return load_prompt(kind, version if exists else "")
