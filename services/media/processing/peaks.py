"""How loud a recording is from its beginning to its end, for drawing it as a waveform. Runs in the worker process alone."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

from services.media.processing.derived_files import derived
from services.media.processing.ffmpeg import reading, run_ffmpeg
from services.media.processing.rules import DerivedFile, Limits, Rejected, Variant

CONTENT_TYPE = "application/json"
MOST_PEAKS, PEAKS_A_SECOND = 800, 20
_RATE = 8_000
_SILENCE, _LOUDEST = 128, 127


def peaks_of(playable: Path, out: Path, seconds: float, limits: Limits) -> list[DerivedFile]:
    """The peaks of a playable copy as a file: `{"seconds": 12.5, "peaks": [0, 34, 100, …]}`, at most 800 whole numbers from 0
    (silence) to 100 (as loud as can be), each of an equally long part. None where it cannot be decoded: it plays all the same."""
    samples = out / "samples"
    how = ["-map", "0:a:0", "-ac", "1", "-ar", str(_RATE), "-c:a", "pcm_u8", "-f", "u8", str(samples)]
    try:
        code, _ = run_ffmpeg([*reading(playable, limits, "mov"), *how], limits)
        levels = levels_of(samples.read_bytes(), seconds) if code == 0 and samples.exists() else []
    except Rejected:
        levels = []
    finally:
        samples.unlink(missing_ok=True)
    if not levels:
        return []
    path = out / "peaks.json"
    path.write_text(json.dumps({"seconds": round(seconds, 2), "peaks": levels}, separators=(",", ":")))
    return [derived(Variant.PEAKS, path, CONTENT_TYPE)]


def levels_of(samples: bytes, seconds: float) -> list[int]:
    """The loudest of each part of these samples (unsigned, 8 bits), as a share of what can be."""
    count = min(MOST_PEAKS, max(1, int(seconds * PEAKS_A_SECOND)), len(samples))
    if count == 0:
        return []
    edges = [len(samples) * number // count for number in range(count + 1)]
    parts = (samples[begin:end] for begin, end in pairwise(edges))
    loudest = (max(max(part) - _SILENCE, _SILENCE - min(part)) for part in parts)
    return [min(100, round(100 * level / _LOUDEST)) for level in loudest]
