"""Pictures and other files for the tests, made here byte by byte."""

import io
import struct
import zipfile
import zlib
from typing import Any

from PIL import Image

GPS_IFD = 0x8825
SECRET_PLACE = b"SN-4711-CAMERA"


def saved(picture: Image.Image, form: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def png(size: tuple[int, int] = (8, 6), mode: str = "RGB") -> bytes:
    return saved(Image.new(mode, size, 120), "PNG")


def noise(form: str) -> bytes:
    return saved(Image.effect_noise((300, 200), 60).convert("RGB"), form)


def photo_with_place() -> bytes:
    """A JPEG that is to be turned, taken with a named device at a place."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = SECRET_PLACE.decode()
    place = exif.get_ifd(GPS_IFD)
    place[1], place[2] = "N", (52.0, 31.0, 12.0)
    return saved(Image.new("RGB", (40, 20), "navy"), "JPEG", exif=exif, comment=SECRET_PLACE)


def png_header(width: int, height: int) -> bytes:
    """A PNG that says it is this large, with hardly any data."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def moving(form: str, frames: int) -> bytes:
    pictures = [Image.new("L", (16, 16), number % 250).convert("RGB") for number in range(frames)]
    return saved(pictures[0], form, save_all=True, append_images=pictures[1:])


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("readme.txt", "Hello")
    return out.getvalue()


def gone_over(times: int) -> bytes:
    """A JPEG whose pixels are gone over so many times more, each in a few bytes."""
    content = saved(Image.new("RGB", (4000, 4000)), "JPEG", progressive=True)
    scan = content[content.rfind(b"\xff\xda") : -2]
    return content[:-2] + scan * times + b"\xff\xd9"


def told_at_length() -> bytes:
    """A PNG whose comments unpack to much more than the picture."""
    return _with_chunks([b"zTXtk\0\0" + zlib.compress(bytes(900_000))] * 100)


def profiled(size: int) -> bytes:
    """A PNG whose colour profile unpacks to so many bytes."""
    return _with_chunks([b"iCCPx\0\0" + zlib.compress(bytes(size))])


def _with_chunks(chunks: list[bytes]) -> bytes:
    """A PNG with these chunks behind its head."""
    plain = png()
    written = [struct.pack(">I", len(one) - 4) + one + struct.pack(">I", zlib.crc32(one)) for one in chunks]
    return plain[:33] + b"".join(written) + plain[33:]
