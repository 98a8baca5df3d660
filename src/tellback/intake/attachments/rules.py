"""Which files are taken, as what, and under which name: decided by their content. Pure."""

import re
import unicodedata
import zipfile
from dataclasses import dataclass
from io import BytesIO

MAX_FILES = 5
MAX_BYTES = 10_000_000
MAX_NAME = 120
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
TEXT = "text/plain"

_VIDEO_BRANDS = {b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"dash", b"qt  "}
_EXTENSIONS = {
    "image/png": ("png",),
    "image/jpeg": ("jpg", "jpeg"),
    "image/gif": ("gif",),
    "image/webp": ("webp",),
    "application/pdf": ("pdf",),
    "video/mp4": ("mp4", "mov", "m4v"),
    "video/webm": ("webm",),
    TEXT: ("txt", "log", "csv", "tsv", "json", "jsonl", "har", "md", "yaml", "yml", "ini", "toml"),
}
#: How a type begins, and what else stands in the 64 bytes from an offset on.
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", 0, b"", "image/png"),
    (b"\xff\xd8\xff", 0, b"", "image/jpeg"),
    (b"GIF87a", 0, b"", "image/gif"),
    (b"GIF89a", 0, b"", "image/gif"),
    (b"RIFF", 8, b"WEBP", "image/webp"),
    (b"%PDF-", 0, b"", "application/pdf"),
    (b"\x1a\x45\xdf\xa3", 0, b"webm", "video/webm"),
)
#: What a browser or a program would run, if it took the text for what it looks like.
_MARKUP = re.compile(rb"<(!doctype|html|head|body|script|svg|iframe|object|embed|\?xml|\?php)\b", re.IGNORECASE)
#: The same in a picture, wherever it stands. Its packed pixels are bytes at random, and one picture in some hundreds
#: holds a short word of those above; these are long enough to be there on purpose.
_PAGE = re.compile(rb"<(!doctype|html|head|body|script|iframe|object|embed)[\s>]|<\?(xml|php)\s", re.IGNORECASE)
#: How far into a file a browser looks to find out what it is.
_SNIFFED = 1445
_PROGRAM = (b"#!", b"%!PS", b"SIMPLE  =", b"<?")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a file is not taken, in a sentence for the sender."""

    reason: str


def media_type_of(content: bytes) -> str | Refusal:
    """What a file is, whatever its name says, or why it is not taken."""
    if not content:
        return Refusal("is empty")
    if len(content) > MAX_BYTES:
        return Refusal(f"has more than {MAX_BYTES // 1_000_000} MB")
    found = _by_signature(content)
    if found in PICTURES:
        return Refusal("is a picture and something else at once") if _is_also_another(content) else found
    if found == "application/pdf":
        return Refusal("is a PDF and something else at once") if _MARKUP.search(content[:1024]) else found
    if found:
        return found
    return TEXT if _is_text(content) else Refusal(
        "is of a type that is not taken. Send PNG, JPEG, GIF or WebP pictures, PDF, MP4 or WebM, or plain text"
    )  # fmt: skip


def name_of(stated: str, media_type: str) -> str:
    """A name that is safe to show and to save under: no path, no control or direction characters, a fitting ending."""
    text = unicodedata.normalize("NFC", stated.encode("utf-8", "replace").decode())
    text = re.split(r"[/\\]", text)[-1]
    text = "".join(" " if unicodedata.category(one) in {"Cc", "Cf", "Zl", "Zp"} else one for one in text)
    text = " ".join(text.split()).lstrip(". ")
    stem, dot, ending = text.rpartition(".")
    fitting = _EXTENSIONS[media_type]
    if dot and ending.lower() in fitting:
        return f"{stem[: MAX_NAME - 6] or 'file'}.{ending.lower()}"
    return f"{(stem if dot and len(ending) <= 5 else text)[: MAX_NAME - 6] or 'file'}.{fitting[0]}"


def _by_signature(content: bytes) -> str | None:
    if content[4:8] == b"ftyp" and content[8:12] in _VIDEO_BRANDS:
        return "video/mp4"
    for signature, offset, marker, media_type in _SIGNATURES:
        if content.startswith(signature) and marker in content[offset : offset + 64]:
            return media_type
    return None


def _is_also_another(content: bytes) -> bool:
    """Whether a picture can be read as an archive, a PDF or a page too: then somebody means more than a picture."""
    start = content[:_SNIFFED]
    if b"%PDF-" in start or _MARKUP.search(start):
        return True
    return bool(_PAGE.search(content)) or zipfile.is_zipfile(BytesIO(content))


def _is_text(content: bytes) -> bool:
    start = content.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(_PROGRAM) or _MARKUP.search(start[:1024]):
        return False
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return False
    return not _CONTROL.search(text)
