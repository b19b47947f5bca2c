"""The evidence of the demo: a photo with GPS coordinates in its EXIF, and a voice note."""

import io
import math
import struct
import wave

GPS_MARK = b"\x88\x25"
"""The EXIF tag GPSInfo (0x8825), big-endian."""
LATITUDE, LONGITUDE = (36, 16, 12), (50, 0, 15)  # degrees, minutes, seconds: Qazvin


def photo() -> bytes:
    """A JPEG of 640×480 with EXIF that names Qazvin's coordinates and a maker of phones."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (640, 480), (92, 107, 115))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 300, 640, 480), fill=(58, 63, 66))
    draw.ellipse((230, 340, 430, 430), fill=(22, 24, 26))
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=88)
    jpeg = content.getvalue()
    return jpeg[:2] + _exif_segment() + jpeg[2:]


def has_gps(jpeg: bytes) -> bool:
    """Whether any EXIF of this JPEG points to GPS data."""
    position = 2
    while position + 4 <= len(jpeg) and jpeg[position] == 0xFF and jpeg[position + 1] != 0xDA:
        length = int.from_bytes(jpeg[position + 2 : position + 4], "big")
        segment = jpeg[position + 4 : position + 2 + length]
        is_app1 = jpeg[position + 1] == 0xE1
        if is_app1 and segment.startswith(b"Exif") and (GPS_MARK in segment or GPS_MARK[::-1] in segment):
            return True
        position += 2 + length
    return False


def voice_note(seconds: float = 2.0) -> bytes:
    """A WAV of one channel at 16 kHz: a tone that rises and falls like a voice."""
    rate = 16_000
    samples = (
        int(9_000 * math.sin(2 * math.pi * (180 + 60 * math.sin(n / rate * 5)) * n / rate))
        for n in range(int(rate * seconds))
    )
    content = io.BytesIO()
    with wave.open(content, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return content.getvalue()


def _exif_segment() -> bytes:
    """APP1 with TIFF, big-endian: IFD0 (Make, pointer to GPS) and the GPS directory."""
    make = b"Demo Phone\0"
    values_at = 8 + 2 + 2 * 12 + 4  # behind IFD0
    gps_at = values_at + len(make) + len(make) % 2
    ifd0 = struct.pack(">H", 2)
    ifd0 += struct.pack(">HHII", 0x010F, 2, len(make), values_at)
    ifd0 += struct.pack(">HHII", 0x8825, 4, 1, gps_at)
    ifd0 += struct.pack(">I", 0)
    numbers_at = gps_at + 2 + 4 * 12 + 4
    gps = struct.pack(">H", 4)
    gps += struct.pack(">HHI4s", 1, 2, 2, b"N\0\0\0")
    gps += struct.pack(">HHII", 2, 5, 3, numbers_at)
    gps += struct.pack(">HHI4s", 3, 2, 2, b"E\0\0\0")
    gps += struct.pack(">HHII", 4, 5, 3, numbers_at + 24)
    gps += struct.pack(">I", 0)
    numbers = b"".join(struct.pack(">II", part, 1) for part in (*LATITUDE, *LONGITUDE))
    tiff = b"MM\0*" + struct.pack(">I", 8) + ifd0 + make.ljust(gps_at - values_at, b"\0") + gps + numbers
    body = b"Exif\0\0" + tiff
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
