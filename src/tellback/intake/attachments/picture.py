"""Makes a picture anew from its pixels. Run as a program of its own: the picture on stdin, the new one on stdout.

Whatever a hostile picture does, it does to this process, which may use little memory and little time. Nothing but the
pixels comes out: no place, no device, no comment, no thumbnail, no bytes behind the end. It knows no Django.

The first line of the output is JSON: `{"media_type", "width", "height"}`, or `{"refusal": sentence}`.
"""

import io
import json
import sys
import warnings

#: What fits into the memory, by how a picture is stored; what is not named has to be turned into another form first.
MAX_PIXELS = {"RGB": 34_000_000, "L": 34_000_000, "YCbCr": 34_000_000, "RGBA": 21_000_000}
MAX_OTHER_PIXELS, MAX_WEBP_PIXELS = 15_000_000, 12_000_000
MAX_SIDE = 12_000
#: Larger pictures are made smaller, which is large enough for every screen.
KEPT_SIDE = 3200
#: Address space in bytes, so less is ever in use.
MEMORY = 256 * 1024 * 1024
SECONDS = 8


def main() -> None:
    """Read, make anew, write."""
    _limit_ourselves()
    try:
        made, media_type, (width, height) = remake(sys.stdin.buffer.read())
        head, body = {"media_type": media_type, "width": width, "height": height}, made
    except ValueError as error:
        head, body = {"refusal": str(error)}, b""
    except MemoryError:
        head, body = {"refusal": "needs too much memory"}, b""
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + body)


def remake(content: bytes) -> tuple[bytes, str, tuple[int, int]]:
    """The new picture, its media type and its size. JPEG stays JPEG, everything else becomes PNG.

    Raises `ValueError` with a sentence when it is too large, moves, is cut off or is no picture.
    """
    from PIL import Image, ImageOps  # noqa: PLC0415 - after the limits are set

    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = max(MAX_PIXELS.values())
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "GIF", "WEBP")) as opened:
            is_photo = opened.format in {"JPEG", "MPO"}
            has_holes = not is_photo and opened.has_transparency_data
            fits = MAX_WEBP_PIXELS if opened.format == "WEBP" else MAX_PIXELS.get(opened.mode, MAX_OTHER_PIXELS)
            _check(opened.size, most=fits)
            if opened.format in {"PNG", "GIF", "WEBP"} and getattr(opened, "is_animated", False):
                raise ValueError("moves; send a still picture, or a video")
            opened.draft("RGB", (KEPT_SIDE, KEPT_SIDE))
            opened.load()
            # Made small before it is turned, and without a copy in between, since each would need all the memory again.
            wanted = "RGBA" if has_holes else "RGB"
            plain = opened if opened.mode == wanted else opened.convert(wanted)
            plain.thumbnail((KEPT_SIDE, KEPT_SIDE))
            ImageOps.exif_transpose(plain, in_place=True)
    except ValueError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ValueError("has too many pixels") from None
    except (OSError, SyntaxError, EOFError, IndexError, KeyError, TypeError, OverflowError, AttributeError):
        raise ValueError("is damaged, or no picture at all") from None
    plain.info = {}
    made = io.BytesIO()
    if is_photo:
        plain.save(made, "JPEG", quality=88)
    else:
        plain.save(made, "PNG", compress_level=6)
    return made.getvalue(), "image/jpeg" if is_photo else "image/png", plain.size


def _check(size: tuple[int, int], *, most: int) -> None:
    if size[0] * size[1] > most or max(size) > MAX_SIDE:
        raise ValueError(f"has more than {most // 1_000_000} million pixels, or a side of more than {MAX_SIDE}")


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
