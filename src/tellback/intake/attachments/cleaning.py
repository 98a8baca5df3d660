"""Making a file harmless before it is kept: pictures from their pixels, texts without private data."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tellback.intake.attachments.rules import PICTURES, TEXT, Refusal, media_type_of, name_of
from tellback.intake.policy import DEFAULT, Policy
from tellback.kernel.errors import Invalid

_PROGRAM = Path(__file__).with_name("picture.py")
#: Seconds; the program itself stops earlier.
_PATIENCE = 15


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was sent. What its sender says of its type is not asked."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class CleanFile:
    """A file that may be kept. `width` and `height` are in pixels, for pictures only."""

    name: str
    media_type: str
    content: bytes
    width: int | None = None
    height: int | None = None


def clean(upload: Upload, *, policy: Policy = DEFAULT) -> CleanFile:
    """The file, made harmless. Takes up to some seconds, so call it where nobody waits.

    Pictures are made anew in a process of their own with little memory; metadata is gone. Private data is taken out of
    plain texts and of every name. PDF and videos are kept as they are, and are never opened here. Raises `Invalid`.
    """
    found = media_type_of(upload.content)
    if isinstance(found, Refusal):
        raise Invalid(f"The file {found.reason}.")
    if found in PICTURES:
        return _picture(upload, policy)
    content = upload.content
    if found == TEXT:
        content = policy.redactor().redact(content.decode("utf-8-sig")).encode()
    return CleanFile(_name(upload.name, found, policy), found, content)


def _picture(upload: Upload, policy: Policy) -> CleanFile:
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(_PROGRAM)],
            input=upload.content,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Invalid("The picture takes too long to read.") from None
    head, _, content = done.stdout.partition(b"\n")
    if done.returncode or not head:
        raise Invalid("The picture cannot be read.")
    about = json.loads(head)
    if "refusal" in about:
        raise Invalid(f"The picture {about['refusal']}.")
    name = _name(upload.name, about["media_type"], policy)
    return CleanFile(name, about["media_type"], content, about["width"], about["height"])


def _name(stated: str, media_type: str, policy: Policy) -> str:
    safe = name_of(stated, media_type)
    return name_of(policy.redactor().redact_file_name(safe), media_type)
