"""The table of first bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.media.processing import filetypes
from services.media.processing.filetypes import FileType, true_type
from tests.support import media_samples as samples


@given(st.binary(max_size=64))
def test_any_bytes_have_at_most_one_type(head: bytes) -> None:
    file_type = true_type(head)

    assert file_type is None or file_type in filetypes.PERMITTED


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", filetypes.WEBP),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", filetypes.WAV),
        (b"RIFF\x00\x00\x00\x00AVI LIST", None),
        (b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic", filetypes.HEIC),
        (b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1avif", None),
        (b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  ", None),
        (b"\xff\xf1\x50\x80\x00\x1f\xfc", filetypes.AAC),
        (b"\xff\xfb\x90\x64", filetypes.MP3),
        (b"\xff\xff\xff\xff", None),
        (b"ID3\x04\x00\x00\x00\x00\x00\x02??<html>", None),
    ],
)
def test_types_with_the_same_beginning_are_distinguished(head: bytes, expected: FileType | None) -> None:
    assert true_type(head) == expected


def test_a_tag_larger_than_the_read_head_is_left_to_ffmpeg(tmp_path: Path) -> None:
    assert true_type(samples.voice_note(tmp_path, ".mp3")) == filetypes.MP3
    assert true_type(b"ID3\x04\x00\x00\x00\x0f\x7f\x7f" + bytes(100)) == filetypes.MP3
