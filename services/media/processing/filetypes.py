"""What the first bytes of a file say that it is. Its name and declared type are not used.

Pictures and documents are known by their signature alone. Sound and film are known by their streams, which only
ffmpeg can read (`recordings.py`): the table holds the containers that are common, so that a broken one is called
damaged, not of a type that is not permitted. What is not in it is given to ffmpeg as well, as `UNKNOWN`.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.media.processing.rules import MediaKind

HEAD_BYTES = 64 * 1024


@dataclass(frozen=True)
class FileType:
    """`suffix`: of the evidence made from it."""

    content_type: str
    kind: MediaKind
    suffix: str


JPEG = FileType("image/jpeg", MediaKind.IMAGE, ".jpg")
PNG = FileType("image/png", MediaKind.IMAGE, ".png")
WEBP = FileType("image/webp", MediaKind.IMAGE, ".webp")
HEIC = FileType("image/heic", MediaKind.IMAGE, ".jpg")
GIF = FileType("image/gif", MediaKind.IMAGE, ".png")
TIFF = FileType("image/tiff", MediaKind.IMAGE, ".jpg")
PDF = FileType("application/pdf", MediaKind.DOCUMENT, ".pdf")
MP3 = FileType("audio/mpeg", MediaKind.AUDIO, ".mp3")
AAC = FileType("audio/aac", MediaKind.AUDIO, ".aac")
M4A = FileType("audio/mp4", MediaKind.AUDIO, ".m4a")
OGG = FileType("audio/ogg", MediaKind.AUDIO, ".ogg")
WAV = FileType("audio/wav", MediaKind.AUDIO, ".wav")
MP4 = FileType("video/mp4", MediaKind.VIDEO, ".mp4")
WEBM = FileType("video/webm", MediaKind.VIDEO, ".webm")
WEBM_AUDIO = FileType("audio/webm", MediaKind.AUDIO, ".webm")
FLAC = FileType("audio/flac", MediaKind.AUDIO, ".flac")
RECORDING = FileType("application/octet-stream", MediaKind.VIDEO, ".mp4")
"""Begins as a container of sound or film that the web does not know, or under another label."""
UNKNOWN = FileType("application/octet-stream", MediaKind.VIDEO, "")
"""Begins as nothing in the table; evidence only if ffmpeg finds sound or film in it."""

PERMITTED = (JPEG, PNG, WEBP, HEIC, GIF, TIFF, PDF, MP3, AAC, M4A, OGG, WAV, MP4, WEBM, WEBM_AUDIO, FLAC)
WEAK_TYPES = (GIF, TIFF)
"""Their signature is so short that what cannot be decoded behind it is no such picture."""

# Viewers look for the header of a PDF in its first kilobyte: byte-order marks and mail gateways come before it.
_PDF_HEADER_WITHIN = 1024

_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}
_M4A_BRANDS = {b"M4A ", b"M4B ", b"F4A "}
_MP4_BRANDS = {
    b"isom",
    b"iso2",
    b"iso4",
    b"iso5",
    b"iso6",
    b"mp41",
    b"mp42",
    b"avc1",
    b"dash",
    b"M4V ",
    b"MSNV",
}


_OTHER_RECORDINGS = (
    b"\x1aE\xdf\xa3",  # Matroska
    b"OggS",
    b"#!AMR",
    b"FLV\x01",
    b"caff",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF: WMA and WMV
)
_STILL_BRANDS = {b"mif1", b"msf1", b"avif", b"avis"}


def begins_as(head: bytes) -> FileType:
    """What to read a file as that begins like `head`."""
    permitted = true_type(head)
    if permitted is not None:
        return permitted
    iso_film = head[4:8] == b"ftyp" and head[8:12] not in _STILL_BRANDS
    windows_film = head.startswith(b"RIFF") and head[8:12] == b"AVI "
    return RECORDING if iso_film or windows_film or head.startswith(_OTHER_RECORDINGS) else UNKNOWN


def true_type(head: bytes) -> FileType | None:
    """The permitted type whose bytes begin like `head` (the first `HEAD_BYTES`, or all), or None."""
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head.startswith((b"GIF87a", b"GIF89a")):
        return GIF
    if head.startswith((b"II*\0", b"MM\0*")):
        return TIFF
    if head.startswith(b"RIFF") and len(head) >= 12:
        return {b"WEBP": WEBP, b"WAVE": WAV}.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _iso_media(head)
    if head.startswith(b"OggS"):
        return _ogg(head)
    if head.startswith(b"\x1aE\xdf\xa3"):
        return WEBM if b"\x42\x82" in head[:64] and b"webm" in head[:64] else None
    if head.startswith(b"fLaC"):
        return FLAC
    return _mpeg_audio(head) or (PDF if b"%PDF-" in head[:_PDF_HEADER_WITHIN] else None)


def _iso_media(head: bytes) -> FileType | None:
    length = min(int.from_bytes(head[:4], "big"), 256)
    major = head[8:12]
    compatible = {head[at : at + 4] for at in range(16, length - 3, 4)}
    if major in _HEIC_BRANDS or (major in {b"mif1", b"msf1"} and compatible & _HEIC_BRANDS):
        return HEIC
    if major in _M4A_BRANDS:
        return M4A
    return MP4 if major in _MP4_BRANDS else None


def _ogg(head: bytes) -> FileType | None:
    first_page = head[:512]
    return OGG if b"OpusHead" in first_page or b"\x01vorbis" in first_page else None


def _mpeg_audio(head: bytes) -> FileType | None:
    frame = head
    tagged = head.startswith(b"ID3") and len(head) >= 10
    if tagged:
        length = (head[6] << 21) | (head[7] << 14) | (head[8] << 7) | head[9]
        frame = head[10 + length :]
        if len(frame) < 2:  # a cover picture larger than what was read: ffmpeg will say
            return MP3
    if len(frame) < 4 or frame[0] != 0xFF or frame[1] & 0xE0 != 0xE0:
        return MP3 if tagged and not frame.lstrip(b"\x00").startswith((b"<", b"%PDF", b"PK", b"MZ")) else None
    layer = frame[1] >> 1 & 3
    if frame[1] & 0xF0 == 0xF0 and layer == 0:
        return AAC
    version, bitrate, rate = frame[1] >> 3 & 3, frame[2] >> 4, frame[2] >> 2 & 3
    return MP3 if layer == 1 and version != 1 and bitrate not in (0, 15) and rate != 3 else None
