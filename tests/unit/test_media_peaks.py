"""How loud a recording is, for drawing its waveform."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from services.media.processing.peaks import MOST_PEAKS, levels_of
from services.media.processing.rules import Variant
from tests.support import media_samples as samples
from tests.support.media_examination import Examiner


def test_silence_is_nothing_and_the_loudest_is_a_hundred() -> None:
    samples_of_a_second = bytes([128] * 4000 + [255] * 2000 + [0] * 2000)
    levels = levels_of(samples_of_a_second, 1.0)
    assert len(levels) == 20
    assert (levels[0], levels[-1]) == (0, 100)
    assert levels[:10] == [0] * 10


@given(st.binary(max_size=5000), st.floats(0, 10_000))
def test_whatever_was_recorded_there_are_a_bounded_number_of_levels(content: bytes, seconds: float) -> None:
    levels = levels_of(content, seconds)
    assert len(levels) <= min(MOST_PEAKS, len(content))
    assert all(0 <= level <= 100 for level in levels)
    assert bool(levels) == bool(content)


def test_a_voice_note_comes_with_its_peaks(examined: Examiner, tmp_path: Path) -> None:
    note = examined(samples.voice_note(tmp_path, seconds=3))
    peaks = json.loads(note.content(Variant.PEAKS))
    assert note.file(Variant.PEAKS).content_type == "application/json"
    assert abs(peaks["seconds"] - 3) < 0.3
    assert 50 <= len(peaks["peaks"]) <= 66
    assert max(peaks["peaks"]) > 5


def test_a_film_has_none(examined: Examiner, tmp_path: Path) -> None:
    assert Variant.PEAKS not in examined(samples.film(tmp_path)).variants
