"""The scan, by a real clamd with a signature file of our own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.media.processing.virus_scan import ScanFailed, Scanner, ScanResult
from tests.support import media_samples as samples
from tests.support.media import needs_clamd, running_clamd


@pytest.fixture(scope="module")
def scanner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scanner]:
    with running_clamd(tmp_path_factory.mktemp("clamd")) as port:
        yield Scanner("127.0.0.1", port, timeout=20)


@needs_clamd
def test_a_known_virus_is_named(scanner: Scanner, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(samples.EICAR)

    assert scanner.scan(tmp_path / "file") == (ScanResult.INFECTED, "Peygir.Eicar.UNOFFICIAL")


@needs_clamd
def test_a_photo_is_clean(scanner: Scanner, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(samples.photo())

    assert scanner.scan(tmp_path / "file") == (ScanResult.CLEAN, "")


@needs_clamd
def test_a_file_beyond_the_scanners_limit_is_never_called_clean(scanner: Scanner, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(6 * 1024 * 1024))

    with pytest.raises(ScanFailed, match="size limit"):
        scanner.scan(tmp_path / "file")


def test_an_unresponsive_scanner_gives_no_verdict(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")

    with pytest.raises(ScanFailed):
        Scanner("127.0.0.1", 1, timeout=1).scan(tmp_path / "file")
    assert not Scanner("127.0.0.1", 1, timeout=1).ping()
