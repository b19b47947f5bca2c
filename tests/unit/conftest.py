"""Fixtures that several unit tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.media.processing.examination import examine
from services.media.processing.rules import Limits
from tests.support.media_examination import Examined, Examiner


@pytest.fixture
def examined(tmp_path: Path) -> Examiner:
    """Examines bytes as one file."""

    def examine_bytes(content: bytes, limits: Limits | None = None) -> Examined:
        source, out = tmp_path / "in", tmp_path / "out"
        source.write_bytes(content)
        out.mkdir()
        return Examined(examine(source, out, limits or Limits()), out)

    return examine_bytes
