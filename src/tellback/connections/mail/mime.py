"""Reading a MIME message, whatever somebody made of it.

Nothing here raises for what a message contains: unknown charsets, missing boundaries and broken encodings give the best
text there is. Sizes, parts and headers are bounded before anything is decoded.
"""

import codecs
import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from email.utils import getaddresses, parsedate_to_datetime

from tellback.connections.mail.markup import text_of
from tellback.connections.mail.message import IncomingMail, MailFile, SenderChecks
from tellback.connections.mail.words import is_passed_on, own_words

MOST_BYTES = 30 * 1024 * 1024
MOST_PARTS = 200
MOST_FILES = 20
LONGEST_HEADER = 4_000
LONGEST_TEXT = 200_000
#: What a mail may say; longer ones are cut, as version 2 of the API refuses them.
LONGEST_WORDS = 20_000
#: A smaller picture that stands in the text is somebody's logo.
SMALLEST_INLINE = 12_000

_EMAIL = re.compile(r"[^@\s<>\"(),:;\x00]+@[^@\s<>\"(),:;\x00]+\.[^@\s<>\"(),:;\x00]+")
_ID = re.compile(r"<([^<>\s]{1,400})>")
#: Charsets of Python's that are no charsets of mail: slow, or not an encoding of text.
_NO_CHARSETS = frozenset({"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "mbcs", "oem"})
#: What programs mean when they name the smaller set: characters of their makers' larger one come along.
_LARGER = {
    "iso8859-1": "cp1252", "latin-1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932",
    "euc_kr": "cp949", "iso2022_jp": "iso2022_jp_ext", "big5": "cp950", "iso8859-9": "cp1254",
}  # fmt: skip
_KNOWN_AS = {"x-sjis": "cp932", "x-gbk": "gb18030", "x-euc-jp": "euc_jp", "cp-1252": "cp1252", "ansi": "cp1252"}
_CUT = "The mail was cut at 20,000 characters."
_BROKEN = "\N{REPLACEMENT CHARACTER}"
_NOT_FILES = frozenset(
    {
        "application/pgp-signature",
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "application/ms-tnef",
        "application/vnd.ms-tnef",
        "application/ics",
        "text/calendar",
        "message/delivery-status",
        "text/rfc822-headers",
    }
)
_REPLY_PREFIX = re.compile(r"^(?:\s*(?:re|aw|sv|antw|odp|ref|回复|答复)\s*(?:\[\d+\])?\s*[:：])+\s*", re.IGNORECASE)


def parse_bytes(raw: bytes) -> Message:
    """The message in these bytes. Raises `ValueError` for what is nested beyond all reason."""
    try:
        return BytesParser(policy=compat32).parsebytes(raw)
    except RecursionError:
        raise ValueError("The mail is nested too deeply to be read.") from None


def read_message(
    message: Message,
    *,
    envelope_sender: str | None = None,
    envelope_recipient: str | None = None,
    checks: SenderChecks | None = None,
) -> IncomingMail:
    """What a message says, in time and memory bounded by its size."""
    headers = _Headers(message)
    text, files, left_out = _content(message)
    subject = headers.text("subject")[:500]
    attached = _passed_on(message) if is_passed_on(subject) else ""
    name, email = headers.sender()
    said = "\n\n".join(one for one in (own_words(text, subject=subject), attached) if one)
    return IncomingMail(
        sender_email=email,
        sender_name=name,
        subject=_REPLY_PREFIX.sub("", subject),
        text=said[:LONGEST_WORDS].rstrip(),
        message_id=next(iter(headers.ids("message-id")), ""),
        references=headers.answered(),
        recipients=headers.recipients(envelope_recipient),
        sent_at=headers.sent_at(),
        content_type=message.get_content_type(),
        headers=headers.first,
        envelope_sender=headers.envelope_sender() if envelope_sender is None else envelope_sender.strip("<> "),
        checks=checks or SenderChecks(),
        files=tuple(files),
        invites=_invites(message),
        left_out=(*left_out[bool(attached) :], *([_CUT] if len(said) > LONGEST_WORDS else [])),
    )


class _Headers:
    """The headers of a message, decoded on demand."""

    def __init__(self, message: Message) -> None:
        self._all: dict[str, list[str]] = {}
        for name, value in message.raw_items():
            values = self._all.setdefault(str(name).lower()[:80], [])
            if len(values) < 50:
                values.append(_unfolded(str(value)))
        self.first = {name: clean_text(values[0]) for name, values in self._all.items()}

    def text(self, name: str) -> str:
        """One header in words, or nothing."""
        return " ".join(clean_text(_decoded(self._all.get(name, [""])[0])).split())

    def ids(self, name: str) -> list[str]:
        """The message ids in a header."""
        return [clean_text(one) for value in self._all.get(name, []) for one in _ID.findall(value)]

    def answered(self) -> tuple[str, ...]:
        """What this answers: the message itself, then those before it, nearest first."""
        return tuple(dict.fromkeys([*self.ids("in-reply-to"), *reversed(self.ids("references"))]))[:50]

    def addresses(self, *names: str) -> list[tuple[str, str]]:
        """(name, address) of everybody in these headers; what is no address is left out."""
        found = getaddresses([value for name in names for value in self._all.get(name, [])][:50])
        return [
            (" ".join(clean_text(_decoded(name)).split())[:200], email)
            for name, email in found[:100]
            if _EMAIL.fullmatch(email) and len(email) <= 254
        ]

    def sender(self) -> tuple[str, str]:
        """Who says that they wrote it."""
        name, email = next(iter(self.addresses("from", "sender")), ("", ""))
        return ("" if "@" in name else name), clean_text(email)

    def recipients(self, envelope: str | None) -> tuple[str, ...]:
        """Everybody it went to, the envelope's first."""
        named = self.addresses("delivered-to", "x-original-to", "to", "cc", "x-forwarded-to")
        return tuple(dict.fromkeys(clean_text(one).lower() for one in [envelope or "", *(e for _, e in named)] if one))

    def envelope_sender(self) -> str | None:
        """What the receiving server wrote down, where it did."""
        stated = self._all.get("return-path")
        return stated[0].strip("<> \t") if stated else None

    def sent_at(self) -> datetime | None:
        """When its sender says it was written, in UTC."""
        try:
            moment = parsedate_to_datetime(self._all["date"][0])
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (KeyError, ValueError, TypeError, OverflowError, IndexError):
            return None


def _unfolded(value: str) -> str:
    raw = decode_text(value[:LONGEST_HEADER].encode("utf-8", "surrogateescape"), "utf-8")
    return re.sub(r"[\r\n]+[ \t]*", " ", raw)


def _decoded(value: str) -> str:
    try:
        parts = decode_header(value)
    except (HeaderParseError, ValueError):
        return value
    return "".join(part if isinstance(part, str) else decode_text(part, charset or "utf-8") for part, charset in parts)


def decode_text(raw: bytes, charset: str) -> str:
    """The text of these bytes; a charset that is wrong or unknown costs some characters, nothing else."""
    try:
        known = codecs.lookup(_KNOWN_AS.get(charset.lower(), charset)).name
        if known not in _NO_CHARSETS and known not in {"ascii", "utf-8"}:
            return raw.decode(_LARGER.get(known, known), "replace")
    except (LookupError, ValueError, UnicodeError, TypeError):
        pass
    try:
        return raw.decode()
    except UnicodeDecodeError:
        mended = raw.decode(errors="replace")
        broken = mended.count(_BROKEN)
        # Damaged here and there it is UTF-8 all the same; else the charset of older Windows programs.
        is_damaged = sum(not one.isascii() for one in mended) - broken >= broken
        return mended if is_damaged else raw.decode("cp1252", "replace")


def clean_text(text: str) -> str:
    """Without control characters but tabs and line ends, and without halves of characters."""
    safe = text.encode("utf-8", "replace").decode()
    return "".join(one for one in safe if one in "\n\t" or unicodedata.category(one) not in {"Cc", "Cs"})


def _content(message: Message) -> tuple[str, list[MailFile], list[str]]:
    """The text, the files, and a sentence for each part that was left out."""
    plain: list[str] = []
    html: list[str] = []
    files: list[MailFile] = []
    left_out: list[str] = []
    for part in _leaves(message):
        # A part that says it has parts but names no boundary that is there is read as it stands.
        kind = "text/plain" if part.get_content_maintype() == "multipart" else part.get_content_type()
        if kind.startswith("message/") and not kind.startswith(("message/delivery", "message/disposition")):
            left_out.append("A mail that was attached was left out.")
        elif kind in {"text/plain", "text/html"} and not _is_file(part):
            (plain if kind == "text/plain" else html).append(_text(part, kind))
        elif kind not in _NOT_FILES and _file_name(part).lower() != "winmail.dat" and len(files) < MOST_FILES:
            files += _file(part, kind)
    text = "\n\n".join(one for one in plain if one.strip())
    return text or "\n\n".join(one for one in html if one.strip()), files, left_out


def _passed_on(message: Message) -> str:
    """The words of the first mail that a mail carries as a file: what it passes on."""
    for part in _leaves(message):
        inner = part.get_payload()
        if part.get_content_type() == "message/rfc822" and isinstance(inner, list) and isinstance(inner[0], Message):
            subject = _Headers(inner[0]).text("subject")[:500]
            return "\n\n".join(one for one in (subject, own_words(_content(inner[0])[0], subject=subject)) if one)
    return ""


def _invites(message: Message) -> bool:
    """Whether a mail is an entry for a calendar, or the answer to one."""
    return any(part.get_content_type() == "text/calendar" and part.get_param("method") for part in _leaves(message))


def _leaves(message: Message) -> Iterator[Message]:
    """The parts that hold something, in order; at most two hundred."""
    waiting, seen = [message], 0
    while waiting and seen < MOST_PARTS:
        part = waiting.pop()
        seen += 1
        payload = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(payload, list):
            waiting.extend(reversed([one for one in payload if isinstance(one, Message)][:MOST_PARTS]))
        else:
            yield part


def _is_file(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or bool(_file_name(part))


def _file_name(part: Message) -> str:
    try:
        stated = part.get_filename()
    except (LookupError, ValueError, TypeError, UnicodeError):
        return "file"
    return " ".join(clean_text(_decoded(str(stated)[:LONGEST_HEADER])).split())[:200] if stated else ""


def _file(part: Message, kind: str) -> list[MailFile]:
    content = _bytes(part)
    is_decoration = kind.startswith("image/") and part.get("Content-ID") and len(content) < SMALLEST_INLINE
    if not content or is_decoration:
        return []
    return [MailFile(_file_name(part) or kind.replace("/", "."), content)]


def _bytes(part: Message) -> bytes:
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, LookupError, AssertionError, UnicodeError):
        payload = b""
    return payload if isinstance(payload, bytes) else b""


def _text(part: Message, kind: str) -> str:
    try:
        charset = part.get_content_charset() or "utf-8"
    except (LookupError, ValueError, TypeError, UnicodeError):
        charset = "utf-8"
    text = clean_text(decode_text(_bytes(part)[: 4 * LONGEST_TEXT], charset).replace("\r\n", "\n").replace("\r", "\n"))
    if kind == "text/html":
        return text_of(text)
    flowed = str(part.get_param("format") or "").lower() == "flowed"
    return _unflowed(text[:LONGEST_TEXT]) if flowed else text[:LONGEST_TEXT]


def _unflowed(text: str) -> str:
    """RFC 3676: a line that ends with a space goes on in the next one."""
    joined: list[str] = []
    for line in text.split("\n"):
        before = joined[-1] if joined else ""
        flows = before.endswith(" ") and before != "-- " and line != "-- "
        if flows and not before.startswith(">") and not line.startswith(">"):
            joined[-1] = before + line.removeprefix(" ")
        else:
            joined.append(line)
    return "\n".join(joined)
