"""Files in a request: as base64 inside of JSON, or as parts of a form. Read here, made harmless and kept by intake."""

import asyncio
import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import Any
from uuid import UUID

from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http.multipartparser import MultiPartParser, MultiPartParserError

from tellback.edge.body import REFUSAL, Receive, chunks_of
from tellback.edge.errors import BadForm
from tellback.edge.storage import FULL, WidgetStorage
from tellback.intake.attachments.cleaning import Upload, clean
from tellback.intake.attachments.rules import MAX_FILES
from tellback.intake.attachments.services import KeptFile, discard_files, keep_files
from tellback.intake.policy import Policy
from tellback.intake.schemas.v1 import Metadata
from tellback.intake.schemas.v2 import SentAttachment
from tellback.kernel.errors import FieldError, Invalid, Unavailable

#: Files that are made harmless at the same time, and requests that may wait for it.
AT_ONCE, WAITING = 2, 32
SPOOL_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file of a request and its place there. An optional one costs nothing but itself when it cannot be taken."""

    pointer: str
    upload: Upload
    optional: bool = False


def files_in(attachments: Sequence[SentAttachment] | None, metadata: Metadata | None) -> list[SentFile]:
    """The files inside of a payload. Raises `Invalid` with a pointer for what is no base64.

    Version 1 took any text as a screenshot, so one that cannot be read is left out and refuses nothing.
    """
    found = []
    for index, sent in enumerate(attachments or ()):
        pointer = f"/attachments/{index}"
        try:
            found.append(SentFile(pointer, Upload(sent.name, _decoded(sent.data))))
        except ValueError:
            raise Invalid(REFUSAL, errors=[FieldError(f"{pointer}/data", "is not base64")]) from None
    if metadata and metadata.screenshot_base64:
        try:
            content = _decoded(metadata.screenshot_base64)
        except ValueError:
            content = b""
        found.append(SentFile("/metadata/screenshotBase64", Upload("screenshot", content), optional=True))
    return found


def size_of_files(value: Any) -> int:
    """How many characters of a request, not checked yet, are files inside of it."""
    attachments = value.get("attachments") if isinstance(value, dict) else None
    sent = attachments if isinstance(attachments, list) else []
    texts = [file["data"] for file in sent if isinstance(file, dict) and isinstance(file.get("data"), str)]
    metadata = value.get("metadata") if isinstance(value, dict) else None
    if isinstance(metadata, dict) and isinstance(metadata.get("screenshotBase64"), str):
        texts.append(metadata["screenshotBase64"])
    return sum(map(len, texts))


async def read_form(headers: dict[str, str], receive: Receive, *, limit: int) -> tuple[bytes, list[SentFile]]:
    """The part `feedback` and the files of a form.

    Raises `TooLarge`, `BadForm` and `Invalid`, and `Unavailable` when there is no room to read it.
    """
    try:
        with SpooledTemporaryFile(max_size=SPOOL_BYTES) as spool:
            size = 0
            async for chunk in chunks_of(headers, receive, limit=limit):
                spool.write(chunk)
                size += len(chunk)
            spool.seek(0)
            return await asyncio.to_thread(_parse_form, headers["content-type"], size, spool)
    except OSError as error:
        raise Unavailable("There is no room for files right now. Send it again in a moment.") from error


class FileKeeper:
    """Makes files harmless and keeps them, a few at a time."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def keep(
        self, workspace_id: UUID, files: Sequence[SentFile], *, policy: Policy, room: WidgetStorage | None = None
    ) -> tuple[tuple[KeptFile, ...], list[str]]:
        """The files, kept, and a sentence for each optional one that was not; for all when there is no `room`.

        Raises `Invalid` with a pointer for each file that is not taken, `Unavailable` when there is no room or too many
        wait.
        """
        if self._waiting >= WAITING:
            raise Unavailable("Too many files arrive at once. Send it again in a moment.")
        self._waiting += 1
        try:
            if room:
                await room.look(workspace_id)
            async with self._turns:
                return await asyncio.to_thread(_keep, workspace_id, files, policy, room)
        finally:
            self._waiting -= 1

    async def discard(self, kept: Sequence[KeptFile]) -> None:
        """Remove files whose request was a repetition."""
        await asyncio.to_thread(discard_files, kept)


def _keep(
    workspace_id: UUID, files: Sequence[SentFile], policy: Policy, room: WidgetStorage | None
) -> tuple[tuple[KeptFile, ...], list[str]]:
    cleaned, errors, notes = [], [], []
    for file in files:
        try:
            cleaned.append(clean(file.upload, policy=policy))
        except Invalid as error:
            if file.optional:
                notes.append(error.detail)
            else:
                errors.append(FieldError(file.pointer, error.detail))
    if errors:
        raise Invalid(REFUSAL, errors=errors)
    if room and cleaned and not room.take(workspace_id, sum(len(file.content) for file in cleaned)):
        return (), [*notes, *(f"{file.name} {FULL}." for file in cleaned)]
    return keep_files(workspace_id=workspace_id, files=cleaned), notes


def _decoded(text: str) -> bytes:
    """The bytes of a base64 text, which may be a data: address. Raises `ValueError`."""
    data = text.partition(",")[2] if text.startswith("data:") else text
    try:
        return base64.b64decode("".join(data.split()), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def _parse_form(content_type: str, size: int, body: Any) -> tuple[bytes, list[SentFile]]:
    about = {"CONTENT_TYPE": content_type, "CONTENT_LENGTH": size}
    try:
        fields, parts = MultiPartParser(about, body, [TemporaryFileUploadHandler()], "utf-8").parse()
    except (MultiPartParserError, SuspiciousOperation) as error:
        raise BadForm(f"The form cannot be read: {error}.") from None
    sent = [part for name in parts for part in parts.getlist(name)]
    try:
        if list(fields) != ["feedback"]:
            raise Invalid(
                "A form has one field, feedback, with the JSON of the feedback; its files are attachments.",
                errors=[FieldError("/feedback", "is needed once, and no other field")],
            )
        if len(sent) > MAX_FILES:
            raise Invalid(REFUSAL, errors=[FieldError("/attachments", f"must not be more than {MAX_FILES} files")])
        files = [
            SentFile(f"/attachments/{index}", Upload(part.name or "file", part.read()))
            for index, part in enumerate(sent)
        ]
    finally:
        for part in sent:
            part.close()
    return str(fields["feedback"]).encode("utf-8", "surrogatepass"), files
