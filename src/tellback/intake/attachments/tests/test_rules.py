"""What a file is, is found out from its content; what it is called is made safe."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tellback.intake.attachments.cleaning import Upload, clean
from tellback.intake.attachments.rules import MAX_BYTES, MAX_NAME, Refusal, media_type_of, name_of
from tellback.intake.attachments.tests import samples
from tellback.intake.policy import Policy
from tellback.intake.redaction import Plain
from tellback.intake.redaction.custom import CustomPattern, detectors_of
from tellback.kernel.errors import Invalid

MP4 = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2mp41" + bytes(100)
WEBM = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\x82\x84webm" + bytes(100)


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (samples.png(), "image/png"),
        (samples.photo_with_place(), "image/jpeg"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "application/pdf"),
        (MP4, "video/mp4"),
        (WEBM, "video/webm"),
        (b"2026-11-20 12:00:01 ERROR export failed\n", "text/plain"),
        ("größer als vorher\r\n\t\x1b[31mred\x1b[0m\n".encode(), "text/plain"),
        (json.dumps({"log": {"entries": []}}).encode(), "text/plain"),
        (b"\xef\xbb\xbfname;count\n", "text/plain"),
        (b"a < b and b > c; <x> is no page", "text/plain"),
    ],
)
def test_a_file_is_what_its_content_says(content: bytes, media_type: str) -> None:
    assert media_type_of(content) == media_type


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"MZ\x90\x00" + bytes(100),
        b"\x7fELF" + bytes(100),
        b"SIMPLE  =                    T / FITS" + b" " * 2840,
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"\xc5\xd0\xd3\xc6" + bytes(40),
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"  \n<!DOCTYPE html><p>",
        b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]>",
        b"<?php echo 1;",
        b"#!/bin/sh\nrm -rf /\n",
        b"hello <script>alert(1)</script>",
        b"text \x00 with NUL",
        b"\xff\xfeh\x00i\x00",
        samples.archive(),
        b"BM" + bytes(60),
        b"II*\x00" + bytes(60),
        b"\x00\x00\x00\x18ftypheic" + bytes(60),
        b"x" * (MAX_BYTES + 1),
    ],
)
def test_what_is_on_no_list_is_refused_whatever_it_is_called(content: bytes) -> None:
    assert isinstance(media_type_of(content), Refusal)
    with pytest.raises(Invalid):
        clean(Upload("holiday.png", content))


@pytest.mark.parametrize(
    ("stated", "media_type", "safe"),
    [
        ("../../etc/passwd", "text/plain", "passwd.txt"),
        ("C:\\Users\\ada\\notes.log", "text/plain", "notes.log"),
        ("a\r\nSet-Cookie: x=1.txt", "text/plain", "a Set-Cookie: x=1.txt"),
        ("invoice\u202egnp.exe", "image/png", "invoice gnp.png"),
        ("page.html", "image/png", "page.png"),
        ("archive.tar.gz", "text/plain", "archive.tar.txt"),
        (".htaccess", "text/plain", "htaccess.txt"),
        ("", "image/jpeg", "file.jpg"),
        ("...", "image/jpeg", "file.jpg"),
        (".png", "image/png", "png.png"),
        ("photo.JPEG", "image/jpeg", "photo.jpeg"),
        ("e\u0301te\u0301.png", "image/png", "\u00e9t\u00e9.png"),
        ("nul\x00l.png", "image/png", "nul l.png"),
    ],
)
def test_a_name_is_safe_to_show_and_to_save_under(stated: str, media_type: str, safe: str) -> None:
    assert name_of(stated, media_type) == safe


@given(st.text(max_size=300), st.sampled_from(["image/png", "text/plain", "application/pdf"]))
def test_no_name_has_a_path_or_a_control_character_or_is_long(stated: str, media_type: str) -> None:
    name = name_of(stated, media_type)
    assert 1 < len(name) <= MAX_NAME
    assert not set(name) & set("/\\\r\n\x00\u202e")
    assert not name.startswith(".")
    name.encode()


def test_private_data_is_out_of_texts_and_of_names() -> None:
    kept = clean(Upload("ada@example.com.log", b"Login failed for ada@example.com\n"))
    assert b"ada@example.com" not in kept.content
    assert b"[email:1]" in kept.content
    assert "ada@example.com" not in kept.name
    assert kept.name.endswith((".log", ".txt"))


def test_a_workspaces_own_patterns_hold_for_its_files_too() -> None:
    pattern = CustomPattern("employee", r"EMP-\d{4}")
    policy = Policy(custom=detectors_of((pattern,)), plain=Plain())
    kept = clean(Upload("EMP-1234.txt", b"Ask EMP-1234 about it"), policy=policy)
    assert b"EMP-1234" not in kept.content
    assert "EMP-1234" not in kept.name
    assert b"EMP-1234" in clean(Upload("a.txt", b"Ask EMP-1234 about it")).content
