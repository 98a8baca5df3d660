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
