"""Streams of MPEG sound, which have no container: the frames that play, without what stands between and behind them
(ID3, APE, Lyrics3 and other tags, which ffmpeg copies as if they were sound).
"""

from __future__ import annotations

from collections.abc import Callable

_KBITS = {
    (1, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_KBITS[2, 3] = _KBITS[2, 2]
"""By version (1; 2 and 2.5) and layer."""
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
"""Samples a second by the version's two bits."""
_SAMPLES_IN_BYTES = {(1, 1): 12, (1, 2): 144, (1, 3): 144, (2, 1): 12, (2, 2): 144, (2, 3): 72}


def mp3_frames(stream: bytes) -> bytes:
    """The frames of MPEG audio, layers I to III."""
    return _frames(stream, _mp3_length)


def adts_frames(stream: bytes) -> bytes:
    """The frames of AAC in ADTS."""
    return _frames(stream, _adts_length)


def _frames(stream: bytes, length_at: Callable[[bytes, int], int]) -> bytes:
    """Every whole frame that begins where the last one ended, or is followed by another one or the end."""
    kept, at, in_step = [], 0, False
    while 0 <= at < len(stream):
        length = length_at(stream, at)
        end = at + length
        if length and end <= len(stream) and (in_step or end == len(stream) or length_at(stream, end)):
            kept.append(stream[at:end])
            at, in_step = end, True
        else:
            at, in_step = stream.find(b"\xff", at + 1), False
    return b"".join(kept)


def _mp3_length(stream: bytes, at: int) -> int:
    """Of the frame that begins here, header included; 0 where none does."""
    head = stream[at : at + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return 0
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    bits, rate, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version == 1 or layer == 4 or bits in (0, 15) or rate == 3:
        return 0
    row = (1 if version == 3 else 2, layer)
    length = _SAMPLES_IN_BYTES[row] * _KBITS[row][bits] * 1000 // _RATES[version][rate] + padding
    return length * 4 if layer == 1 else length


def _adts_length(stream: bytes, at: int) -> int:
    head = stream[at : at + 7]
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
        return 0
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return length if length > 7 else 0
