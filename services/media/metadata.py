"""Pictures' files without what lies beside the pixels, and the one thing in it that matters: which way is up.

Works on the containers' structure alone, so it does not care whether the metadata can be read. Whatever has another
structure than it should comes back as it was: the decoder has the last word.
"""

from __future__ import annotations

import struct
import zlib
from typing import Literal

_PNG_KEPT = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB"}
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_WEBP_KEPT = {b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"}
_ORIENTATION = 0x0112
_UPRIGHT = 1


def jpeg_without_metadata(picture: bytes) -> bytes:
    """The same JPEG, its pixels untouched, without EXIF, XMP, other application segments and comments.

    APP0 (JFIF), APP2 (colour profile) and APP14 (Adobe's colour transform) decide how it looks, and stay.
    """
    if not picture.startswith(b"\xff\xd8"):
        return picture
    kept, at = [b"\xff\xd8"], 2
    while at + 4 <= len(picture) and picture[at] == 0xFF:
        marker = picture[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == 0xDA:  # the picture itself begins
            return b"".join(kept) + picture[at:]
        end = at + 2 + int.from_bytes(picture[at + 2 : at + 4], "big")
        if not (marker == 0xFE or (0xE0 <= marker <= 0xEF and not _shapes_a_jpeg(marker, picture[at + 4 : end]))):
            kept.append(picture[at:end])
        at = end
    return picture


def _shapes_a_jpeg(marker: int, content: bytes) -> bool:
    """Whether an application segment decides how the picture looks. A JFIF extension may hold a thumbnail, APP2 a
    second picture's index (MPF).
    """
    if marker == 0xE0:
        return content.startswith(b"JFIF\0")
    if marker == 0xE2:
        return content.startswith(b"ICC_PROFILE\0")
    return marker == 0xEE and content.startswith(b"Adobe")


def jpeg_ended(picture: bytes) -> bytes:
    """With the end marker that a cut-off JPEG lacks: decoders then fill what is missing with grey."""
    return picture.removesuffix(b"\xff") + b"\xff\xd9"


def png_without_metadata(picture: bytes) -> bytes:
    """The same PNG with the chunks that make its pixels alone, their checksums made right, and an end."""
    if not picture.startswith(_PNG_SIGNATURE):
        return picture
    kept, at = [_PNG_SIGNATURE], len(_PNG_SIGNATURE)
    while at + 8 <= len(picture):
        length = int.from_bytes(picture[at : at + 4], "big")
        kind = picture[at + 4 : at + 8]
        content = picture[at + 8 : at + 8 + length]
        if kind in _PNG_KEPT and kind != b"IEND":
            kept.append(_png_chunk(kind, content))
        at += 12 + length
        if kind == b"IEND":
            break
    return b"".join(kept) + _png_chunk(b"IEND", b"")


def _png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def webp_without_metadata(picture: bytes) -> bytes:
    """The same WebP without EXIF, XMP and unknown chunks, its lengths made right."""
    if not (picture.startswith(b"RIFF") and picture[8:12] == b"WEBP"):
        return picture
    kept, at = [], 12
    while at + 8 <= len(picture):
        kind, length = picture[at : at + 4], int.from_bytes(picture[at + 4 : at + 8], "little")
        content = picture[at + 8 : at + 8 + length]
        if kind == b"VP8X" and content:
            content = bytes([content[0] & ~0x0C]) + content[1:]  # neither EXIF nor XMP any more
        if kind in _WEBP_KEPT:
            kept.append(kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2))
        at += 8 + length + length % 2
    body = b"WEBP" + b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def orientation_in(picture: bytes) -> int:
    """EXIF's orientation (1 to 8), read from its place in the first directory whatever the other entries are like;
    1 where there is none.
    """
    at = picture.find(b"Exif\0\0")
    tiff = picture[at + 6 : at + 6 + 64 * 1024] if at >= 0 else b""
    if tiff[:4] not in (b"II*\0", b"MM\0*"):
        return _UPRIGHT
    order: Literal["little", "big"] = "little" if tiff.startswith(b"II") else "big"

    def number(start: int, length: int) -> int:
        return int.from_bytes(tiff[start : start + length], order)

    directory = number(4, 4)
    for entry in range(min(number(directory, 2), 200)):
        place = directory + 2 + 12 * entry
        if number(place, 2) == _ORIENTATION:
            value = number(place + 8, 2)
            return value if 1 <= value <= 8 else _UPRIGHT
    return _UPRIGHT


_JP2_SIGNATURE = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
_JP2_KEPT = {b"jP  ", b"ftyp", b"jp2h", b"jp2c"}
_CODESTREAM = b"\xff\x4f\xff\x51"


def jpeg2000_without_metadata(picture: bytes) -> bytes:
    """The same JPEG 2000 with the boxes that make its pixels alone, without comments in the codestream's header."""
    if picture.startswith(_CODESTREAM):
        return _codestream_without_comments(picture)
    if not picture.startswith(_JP2_SIGNATURE):
        return picture
    kept, at = [], 0
    while at + 8 <= len(picture):
        length, kind = int.from_bytes(picture[at : at + 4], "big"), picture[at + 4 : at + 8]
        head = 8
        if length == 1:
            length, head = int.from_bytes(picture[at + 8 : at + 16], "big"), 16
        end = len(picture) if length == 0 else at + length
        if length != 0 and length < head:
            return picture
        if kind == b"jp2c":
            codestream = _codestream_without_comments(picture[at + head : end])
            kept.append(struct.pack(">I", 8 + len(codestream)) + kind + codestream)
        elif kind in _JP2_KEPT:
            kept.append(picture[at:end])
        at = end
    return b"".join(kept)


def _codestream_without_comments(stream: bytes) -> bytes:
    kept, at = [stream[:2]], 2
    while at + 4 <= len(stream) and stream[at] == 0xFF and stream[at + 1] != 0x90:  # the first tile begins
        end = at + 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
        if stream[at + 1] != 0x64:
            kept.append(stream[at:end])
        at = end
    return b"".join(kept) + stream[at:]
