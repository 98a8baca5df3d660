"""One request of a provider's webhook: checked over its raw bytes, then read. Nothing here is stored.

A check gives a verdict and never raises; what cannot be read raises one error, whatever went wrong inside.
"""

import hashlib
import re
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, cast

import httpx
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, QueryDict
from django.utils.datastructures import MultiValueDict

from tellback.connections.mail.message import IncomingMail, SenderChecks
from tellback.connections.mail.mime import MOST_BYTES, read_message
from tellback.connections.mail.providers import Provider
from tellback.kernel.errors import Invalid, TellbackError, Unavailable

#: Base64 and the form around it.
MOST_POSTED = MOST_BYTES * 4 // 3 + 1_000_000
MOST_FIELDS = 200
_BOUNDARY = re.compile(r"""multipart/form-data\s*;.*?boundary=(?:"([^"]{1,200})"|([^\s;]{1,200}))""", re.IGNORECASE)


class TooLarge(Invalid):
    """More than a mail may have."""

    code, status, title = "too-large", 413, "The mail is too large"


class Unreadable(TellbackError):
    """The provider's form is there but what is in it cannot be understood; trying again cannot help."""

    code, status, title = "unreadable", 422, "The mail cannot be read"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One mail of a request. `digest` names the delivery (a signed token, the provider's id or the body), as hex."""

    mail: IncomingMail
    digest: str


def take_body(request: HttpRequest) -> None:
    """Read the body once, bounded, so that checks see its raw bytes and forms are read from the same.

    Django's own limit for a form's fields (2.5 MB) is for people; a provider posts whole mails in one field. Raises
    `TooLarge`.
    """
    stated = request.META.get("CONTENT_LENGTH") or "0"
    body = request.read(MOST_POSTED + 1) if stated.isdecimal() and int(stated) <= MOST_POSTED else None
    if body is None or len(body) > MOST_POSTED:
        raise TooLarge("A mail may have 30 MB.")
    inside = cast(Any, request)
    inside._body = body
    boundary = _BOUNDARY.match(request.META.get("CONTENT_TYPE", ""))
    if boundary:
        inside._post, inside._files = _read_form(body, (boundary[1] or boundary[2]).encode("latin-1", "replace"))


def is_genuine(view: Any, request: HttpRequest) -> bool:
    """Whether the request comes from whom the connection's secrets name. Never raises."""
    try:
        view.run_validators(request)
    except Exception:  # noqa: BLE001 - whatever a check trips over, it has not been passed
        return False
    return True


def read_deliveries(provider: Provider, view: Any, request: HttpRequest) -> list[Delivery]:
    """Every mail of a genuine request; none for the provider's own test messages.

    Raises `Unreadable`, and `Unavailable` where the provider has to be asked for the mail and does not answer.
    """
    try:
        events = [event for event in view.parse_events(request) if event is not None and event.message is not None]
        return [_delivery(provider, event, request) for event in events]
    except (OSError, ImportError, httpx.HTTPError) as error:
        # What anymail's requests raises is an OSError; an ImportError of its says which package is not installed.
        raise Unavailable(f"{provider.name} could not be asked for the mail: {error}") from error
    except Exception as error:
        raise Unreadable(f"{provider.name} sent something else than a mail ({type(error).__name__}).") from error


def _delivery(provider: Provider, event: Any, request: HttpRequest) -> Delivery:
    message: Message = event.message
    checks = provider.checks(message, event.esp_event) if provider.checks else SenderChecks()
    if getattr(message, "spam_detected", False):
        checks = SenderChecks(spf=checks.spf, dkim=checks.dkim, dmarc=checks.dmarc, spam=True)
    mail = read_message(
        message,
        envelope_sender=getattr(message, "envelope_sender", None),
        envelope_recipient=getattr(message, "envelope_recipient", None),
        checks=checks,
    )
    named = str(event.event_id).encode() if event.event_id else request.body + mail.message_id.encode()
    return Delivery(mail, hashlib.sha256(named).hexdigest())


def _read_form(body: bytes, boundary: bytes) -> tuple[QueryDict, MultiValueDict[str, Any]]:
    """The fields and files of a multipart form, both as sent: bytes of files, texts of fields (RFC 7578)."""
    fields, files = QueryDict(mutable=True), MultiValueDict[str, Any]()
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary)[1 : MOST_FIELDS + 1]:
        if part.startswith(b"--"):
            break
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        about = BytesParser(policy=HTTP).parsebytes(head[:8_000] + b"\r\n\r\n", headersonly=True)
        name = str(about.get_param("name", "", header="content-disposition"))[:200]
        file_name = about.get_filename()
        if not name:
            continue
        if file_name is None:
            fields.appendlist(name, content.decode(about.get_content_charset("utf-8") or "utf-8", "replace"))
        else:
            files.appendlist(
                name, SimpleUploadedFile(str(file_name)[:200] or "file", content, about.get_content_type())
            )
    return fields, files
