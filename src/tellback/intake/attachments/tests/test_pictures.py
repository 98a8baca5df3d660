"""Pictures are made anew from their pixels, and bombs go off where they hurt nobody (INP-04)."""

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tellback.intake.attachments import picture
from tellback.intake.attachments.cleaning import Upload, clean
from tellback.intake.attachments.tests import samples
from tellback.kernel.errors import Invalid

PROGRAM = str(Path(picture.__file__))
#: Runs the program as it is, then says how many bytes of memory it had in use at most, and its seconds of computing.
WATCHED = f"""
import runpy, sys, time
runpy.run_path({PROGRAM!r}, run_name="__main__")
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
sys.stderr.write(f"{{int(peak.split()[1]) * 1024}} {{time.process_time()}}")
"""


def made(content: bytes, name: str = "photo") -> Image.Image:
    return Image.open(io.BytesIO(clean(Upload(name, content)).content))


def watched(content: bytes) -> tuple[bytes, int, float]:
    """The first line of the program's output, its memory and its seconds."""
    done = subprocess.run([sys.executable, "-I", "-c", WATCHED], input=content, capture_output=True, check=True)
    memory, seconds = done.stderr.split()
    return done.stdout.partition(b"\n")[0], int(memory), float(seconds)


BOMBS = {
    "fifty thousand by fifty thousand": samples.png_header(50_000, 50_000),
    "one line of a million": samples.png_header(1_000_000, 1),
    "just too large": samples.png_header(6000, 6000),
    "five thousand frames of GIF": samples.moving("GIF", 5000),
    "five thousand frames of WebP": samples.moving("WEBP", 5000),
    "a moving PNG": samples.moving("PNG", 50),
    "PNG cut off": samples.noise("PNG")[:-2000],
    "JPEG cut off": samples.noise("JPEG")[:-2000],
    "WebP cut off": samples.noise("WEBP")[:-2000],
    "a JPEG of five thousand scans": samples.gone_over(5000),
    "comments of 90 MB": samples.told_at_length(),
    "a profile of 200 MB": samples.profiled(200_000_000),
    "a header and nothing more": b"\x89PNG\r\n\x1a\n",
    "JPEG of zeros": b"\xff\xd8\xff\xe0" + bytes(100_000),
    "fifty megabytes of nothing": b"\x89PNG\r\n\x1a\n" + bytes(50_000_000),
}


@pytest.mark.parametrize("content", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused_within_a_second_and_in_little_memory(content: bytes) -> None:
    head, memory, seconds = watched(content)
    assert b"refusal" in head
    assert memory < 256 * 1024 * 1024
    assert seconds < 1
    with pytest.raises(Invalid) as refused:
        clean(Upload("bomb.png", content))
    assert not re.search("Plugin|MAX_|Decompress", refused.value.detail), "a sentence for a person"


def test_the_largest_picture_that_is_taken_fits_into_the_memory() -> None:
    for mode, size in (("RGB", (7680, 4320)), ("RGBA", (6016, 3384)), ("P", (5120, 2880))):
        head, memory, _ = watched(samples.png(size, mode))
        assert b"media_type" in head, mode
        assert 60 * 1024 * 1024 < memory < 256 * 1024 * 1024, mode


def test_a_jpeg_of_as_many_scans_as_programs_write_is_taken() -> None:
    """The control: what is told by its scans is told by too many of them."""
    assert made(samples.gone_over(20)).size == (3200, 3200)
    several = io.BytesIO()
    still = Image.open(io.BytesIO(samples.noise("JPEG")))
    still.save(several, "MPO", save_all=True, append_images=[still] * 60)
    assert made(several.getvalue()).size == (300, 200), "the pictures behind the first one are not gone over"


def test_the_limit_itself_stops_a_program_that_wants_more() -> None:
    """The control of the tests above: the same limits end a process that needs three times the memory."""
    greedy = f"""
import runpy
program = runpy.run_path({PROGRAM!r})
program["_limit_ourselves"]()
bytearray(3 * program["MEMORY"])
"""
    done = subprocess.run([sys.executable, "-I", "-c", greedy], capture_output=True, check=False)
    assert b"MemoryError" in done.stderr


def test_a_photo_keeps_its_pixels_the_right_way_up_and_nothing_else() -> None:
    content = samples.photo_with_place()
    assert samples.SECRET_PLACE in content
    kept = clean(Upload("IMG_1.JPG", content))
    assert (kept.media_type, kept.name, kept.width, kept.height) == ("image/jpeg", "IMG_1.jpg", 20, 40)
    assert samples.SECRET_PLACE not in kept.content
    seen = Image.open(io.BytesIO(kept.content))
    assert not seen.getexif()
    assert not {"exif", "comment", "icc_profile", "xmp"} & set(seen.info)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_is_taken(mode: str) -> None:
    if mode == "PA":
        content = samples.saved(Image.new("RGBA", (8, 6), (1, 2, 3, 0)).convert("P"), "PNG")
    else:
        content = samples.png(mode=mode)
    assert made(content).size == (8, 6)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_still_picture_of_each_form_is_taken(form: str) -> None:
    assert made(samples.noise(form)).size == (300, 200)


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_holes_stay_holes(form: str) -> None:
    pixel = made(samples.saved(Image.new("RGBA", (8, 6), (1, 2, 3, 0)), form)).getpixel((0, 0))
    assert isinstance(pixel, tuple)
    assert pixel[3] == 0


def test_a_photo_in_cmyk_is_taken() -> None:
    assert made(samples.saved(Image.new("CMYK", (8, 6), 3), "JPEG")).mode == "RGB"


def test_what_is_larger_than_any_screen_is_made_smaller() -> None:
    assert max(made(samples.png((5000, 100))).size) == picture.KEPT_SIDE


def test_bytes_behind_the_end_of_a_picture_are_gone() -> None:
    assert b"HIDDEN" not in clean(Upload("a.png", samples.png() + b"HIDDEN" * 100)).content


POLYGLOTS = {
    "archive behind a picture": samples.png() + samples.archive(),
    "page in a comment": samples.saved(Image.new("RGB", (9, 9)), "JPEG", comment=b"<html><script>alert(1)</script>"),
    "script in a GIF": samples.saved(Image.new("P", (9, 9)), "GIF", comment=b"<script>alert(1)</script>"),
    "PDF in a JPEG": samples.saved(Image.new("RGB", (9, 9)), "JPEG", comment=b"%PDF-1.7 1 0 obj"),
    "page behind a picture": samples.noise("PNG") + b"<!DOCTYPE html><p>",
    "drawing in a comment": samples.saved(Image.new("RGB", (9, 9)), "JPEG", comment=b"<svg onload=alert(1)>"),
}


@pytest.mark.parametrize("content", POLYGLOTS.values(), ids=POLYGLOTS)
def test_a_picture_that_is_something_else_at_once_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid, match="something else at once"):
        clean(Upload("a.png", content))


def test_pixels_that_read_like_the_beginning_of_a_drawing_are_pixels() -> None:
    """One in 750 photos of half a megabyte was refused for four bytes that stood in it by chance."""
    photo = samples.noise("JPEG")
    middle = len(photo) // 2
    for word in (b"<svg>", b"<hEaD-", b"<?xML."):
        clean(Upload("a.jpg", photo[:middle] + word + photo[middle + len(word) :]))
