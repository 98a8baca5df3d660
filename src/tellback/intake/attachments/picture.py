"""Makes a picture anew from its pixels. Run as a program of its own: the picture on stdin, the new one on stdout.

Whatever a hostile picture does, it does to this process, which may use little memory and little time. Nothing but the
pixels comes out: no place, no device, no comment, no thumbnail, no bytes behind the end. It knows no Django.

The first line of the output is JSON: `{"media_type", "width", "height"}`, or `{"refusal": sentence}`.
"""

import io
import json
import re
import sys
import warnings

#: What fits into the memory, by how a picture is stored; what is not named has to be turned into another form first.
MAX_PIXELS = {"RGB": 34_000_000, "L": 34_000_000, "YCbCr": 34_000_000, "RGBA": 21_000_000}
MAX_OTHER_PIXELS, MAX_WEBP_PIXELS = 15_000_000, 12_000_000
MAX_SIDE = 12_000
#: How often a JPEG may go over all of its pixels. Programs write about ten scans; each costs as much as a picture.
MAX_SCANS = 40
#: Larger pictures are made smaller, which is large enough for every screen.
KEPT_SIDE = 3200
#: Address space in bytes, so less is ever in use.
MEMORY = 256 * 1024 * 1024
SECONDS = 8
#: The next marker of a JPEG behind the data of a scan, in which FF stands before 00 or a restart (T.81, B.1.1.2).
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_SCAN, _END = 0xDA, 0xD9


class _Refused(ValueError):
    """Why, in the words behind “The picture”."""


def main() -> None:
    """Read, make anew, write."""
    _limit_ourselves()
    try:
        made, media_type, (width, height) = remake(sys.stdin.buffer.read())
        head, body = {"media_type": media_type, "width": width, "height": height}, made
    except _Refused as error:
        head, body = {"refusal": str(error)}, b""
    except MemoryError:
        head, body = {"refusal": "needs too much memory"}, b""
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + body)


def remake(content: bytes) -> tuple[bytes, str, tuple[int, int]]:
    """The new picture, its media type and its size. JPEG stays JPEG, everything else becomes PNG.

    Raises `_Refused` with a sentence when it is too large, moves, is cut off or is no picture.
    """
    from PIL import Image, ImageOps  # noqa: PLC0415 - after the limits are set

    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = max(MAX_PIXELS.values())
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "GIF", "WEBP")) as opened:
            is_photo = opened.format in {"JPEG", "MPO"}
            if is_photo and _count_scans(content) > MAX_SCANS:
                raise _Refused("was made to take long; save it anew, and send that")
            has_holes = not is_photo and opened.has_transparency_data
            fits = MAX_WEBP_PIXELS if opened.format == "WEBP" else MAX_PIXELS.get(opened.mode, MAX_OTHER_PIXELS)
            _check(opened.size, most=fits)
            if opened.format in {"PNG", "GIF", "WEBP"} and getattr(opened, "is_animated", False):
                raise _Refused("moves; send a still picture, or a video")
            opened.draft("RGB", (KEPT_SIDE, KEPT_SIDE))
            opened.load()
            # Made small before it is turned, and without a copy in between, since each would need all the memory again.
            wanted = "RGBA" if has_holes else "RGB"
            plain = opened if opened.mode == wanted else opened.convert(wanted)
            plain.thumbnail((KEPT_SIDE, KEPT_SIDE))
            ImageOps.exif_transpose(plain, in_place=True)
    except _Refused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _Refused("has too many pixels") from None
    except (ValueError, OSError, SyntaxError, EOFError, IndexError, KeyError, TypeError, OverflowError, AttributeError):
        raise _Refused("is damaged, or no picture at all") from None
    plain.info = {}
    made = io.BytesIO()
    if is_photo:
        plain.save(made, "JPEG", quality=88)
    else:
        plain.save(made, "PNG", compress_level=6)
    return made.getvalue(), "image/jpeg" if is_photo else "image/png", plain.size


def _check(size: tuple[int, int], *, most: int) -> None:
    if size[0] * size[1] > most or max(size) > MAX_SIDE:
        raise _Refused(f"has more than {most // 1_000_000} million pixels, or a side of more than {MAX_SIDE}")


def _count_scans(content: bytes) -> int:
    """How many scans a JPEG has, told by its markers; nothing is unpacked."""
    count, place = 0, 2
    while content[place : place + 1] == b"\xff" and count <= MAX_SCANS:
        kind = content[place + 1] if place + 1 < len(content) else _END
        if kind == _END:
            break
        place += 2 + int.from_bytes(content[place + 2 : place + 4])
        if kind == _SCAN:
            count += 1
            following = _MARKER.search(content, place)
            place = following.start() if following else len(content)
    return count


def _limit_ourselves() -> None:
    """Memory and time that cannot be exceeded, where the system has such limits."""
    try:
        import resource  # noqa: PLC0415
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
