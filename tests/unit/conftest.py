"""Fixtures that several unit tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.media.processing.examination import examine
from services.media.processing.rules import Limits
from tests.support.gateway import Gateway
from tests.support.media_examination import Examined, Examiner
from tests.support.page_visitors import Clock, answers_well, make, text_fields


@pytest.fixture
def examined(tmp_path: Path) -> Examiner:
    """Examines bytes as one file."""

    def examine_bytes(content: bytes, limits: Limits | None = None) -> Examined:
        source, out = tmp_path / "in", tmp_path / "out"
        source.write_bytes(content)
        out.mkdir()
        return Examined(examine(source, out, limits or Limits()), out)

    return examine_bytes


@pytest.fixture(scope="module")
def only_one(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    return make(tmp_path_factory.mktemp("state"))


@pytest.fixture
def gateway(only_one: Gateway) -> Gateway:
    """It keeps nothing of the test before."""
    folder = only_one.settings.gateway_state_dir / "form-sessions"
    for file in folder.glob("[0-9a-f]*"):
        file.unlink()
    only_one.rabbit.asked.clear()
    only_one.rabbit.published.clear()
    answers_well(only_one)
    return only_one


@pytest.fixture(scope="module")
def text_pages(only_one: Gateway) -> dict[str, list[str]]:
    """Pages with fields for text, and those fields."""
    return text_fields(only_one)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)
