"""Fixtures that several unit tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.media.processing.examination import examine
from services.media.processing.rules import Limits
from tests.support.gateway import CATALOGUE, UNLIMITED, Gateway
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
def unlimited_gateway(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    """One gateway for a module, with the sample catalogue and without limits; `rabbit.reset()` forgets the test before."""
    made = Gateway(tmp_path_factory.mktemp("state"), **UNLIMITED)
    made.container.catalogue_cache.put(CATALOGUE)
    return made


@pytest.fixture(scope="module")
def module_gateway(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    return make(tmp_path_factory.mktemp("state"))


@pytest.fixture
def gateway(module_gateway: Gateway) -> Gateway:
    """It keeps nothing of the test before."""
    folder = module_gateway.settings.gateway_state_dir / "form-sessions"
    for file in folder.glob("[0-9a-f]*"):
        file.unlink()
    module_gateway.rabbit.calls.clear()
    module_gateway.rabbit.published.clear()
    answers_well(module_gateway)
    return module_gateway


@pytest.fixture(scope="module")
def text_pages(module_gateway: Gateway) -> dict[str, list[str]]:
    """Pages with fields for text, and those fields."""
    return text_fields(module_gateway)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)
