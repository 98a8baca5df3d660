"""Sending a file that was written for one request, a piece at a time."""

from collections.abc import AsyncIterator, Iterator
from typing import IO

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header

CHUNK = 65_536


def send_file(request: HttpRequest, file: IO[bytes], *, name: str, content_type: str) -> StreamingHttpResponse:
    """The file from its start, to be saved under this name and kept by nobody on the way. It is closed when sent."""
    size = file.seek(0, 2)
    file.seek(0)
    content = _later(file) if isinstance(request, ASGIRequest) else _at_once(file)
    response = StreamingHttpResponse(content, content_type=content_type)
    response.headers["Content-Length"] = str(size)
    response.headers["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response.headers["Cache-Control"] = "no-store"
    return response


async def _later(file: IO[bytes]) -> AsyncIterator[bytes]:
    read = sync_to_async(file.read)
    with file:
        while chunk := await read(CHUNK):
            yield chunk


def _at_once(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK):
            yield chunk
