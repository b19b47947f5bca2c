"""Pictures' files without what lies beside the pixels, and the one thing in it that matters: which way is up.

Works on the containers' structure alone, so it does not care whether the metadata can be read. Whatever has another
structure than it should comes back as it was: the decoder has the last word.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from typing import Literal

_PNG_KEPT = {b"IHDR", b"PLTE", b"IDAT", b"tRNS", b"gAMA", b"cHRM", b"sRGB"}
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_WEBP_KEPT = {b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"}
_AFTER_PIXELS = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_ORIENTATION = 0x0112
_UPRIGHT = 1


def jpeg_without_metadata(picture: bytes, *, profile: bool = False) -> bytes:
    """The same JPEG, its pixels untouched, without EXIF, XMP, other application segments and comments.

    APP0 (JFIF) and APP14 (Adobe's colour transform) decide how it looks, and stay; with `profile` also APP2, which
    may name the device. Inside a PDF nobody looks at it: the document says the colours.
    """
    if not picture.startswith(b"\xff\xd8"):
        return picture
    kept, at = [b"\xff\xd8"], 2
    while at + 2 <= len(picture) and picture[at] == 0xFF:
        marker = picture[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == 0xD9:
            return b"".join(kept) + picture[at : at + 2]
        end = at + 2 + int.from_bytes(picture[at + 2 : at + 4], "big")
        if marker == 0xDA:  # pixels, until the next marker; what follows the last one is no part of the picture
            next_marker = _AFTER_PIXELS.search(picture, end)
            if next_marker is None:
                return b"".join(kept) + picture[at:]
            end = next_marker.start()
            kept.append(picture[at:end])
        elif marker != 0xFE and (not 0xE0 <= marker <= 0xEF or _is_shaping(marker, picture[at + 4 : end], profile)):
            kept.append(picture[at:end])
        at = end
    return b"".join(kept) + picture[at:]


def _is_shaping(marker: int, content: bytes, profile: bool) -> bool:
    """Whether an application segment decides how the picture looks. A JFIF extension may hold a thumbnail, APP2 a
    second picture's index (MPF).
    """
    if marker == 0xE0:
        return content.startswith(b"JFIF\0")
    if marker == 0xE2:
        return profile and content.startswith(b"ICC_PROFILE\0")
    return marker == 0xEE and content.startswith(b"Adobe")


def jpeg_ended(picture: bytes) -> bytes:
    """With the end marker that a cut-off JPEG lacks: decoders then fill what is missing with grey."""
    return picture.removesuffix(b"\xff") + b"\xff\xd9"


def png_without_metadata(picture: bytes) -> bytes:
    """The same PNG with the chunks that make its pixels alone, their checksums made right, and an end."""
    if not picture.startswith(_PNG_SIGNATURE):
        return picture
    kept = [_png_chunk(kind, content) for kind, content in _png_chunks(picture) if kind in _PNG_KEPT]
    return _PNG_SIGNATURE + b"".join(kept) + _png_chunk(b"IEND", b"")


def _png_chunks(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each chunk before the end."""
    at = len(_PNG_SIGNATURE)
    while at + 8 <= len(picture) and picture[at + 4 : at + 8] != b"IEND":
        length = int.from_bytes(picture[at : at + 4], "big")
        yield picture[at + 4 : at + 8], picture[at + 8 : at + 8 + length]
        at += 12 + length


def _png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_share(picture: bytes) -> float:
    """The share of its pixels' data that a PNG holds, 1.0 for all."""
    if len(picture) < 33:
        return 0.0
    width, height = int.from_bytes(picture[16:20], "big"), int.from_bytes(picture[20:24], "big")
    depth, colour = picture[24], picture[25]
    row = 1 + (width * depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(colour, 4) + 7) // 8
    unpacked, count = zlib.decompressobj(), 0
    for kind, content in _png_chunks(picture):
        while kind == b"IDAT" and content:
            try:
                count += len(unpacked.decompress(content, 1 << 20))
            except zlib.error:
                return count / max(1, row * height)
            content = unpacked.unconsumed_tail
    return min(1.0, count / max(1, row * height))


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
