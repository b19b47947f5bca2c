"""The documents lead where they say, and are no longer than people read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.processes import ROOT

FOLDERS = ("backbone", "benchmarks", "contracts", "deploy", "docs", "gateway", "services", "tests", "texts")
DOCUMENTS = sorted(
    str(file.relative_to(ROOT))
    for folder in (".", *(f"{name}/**" for name in FOLDERS))
    for file in ROOT.glob(f"{folder}/*.md")
)
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
MOST_WORDS = 600
"""Of a service's README; details are in docs/."""


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_relative_link_of_a_document_exists(document: str) -> None:
    file = ROOT / document
    links = [link for link in _LINK.findall(file.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in links if not (file.parent / link).exists()] == []


@pytest.mark.parametrize("readme", sorted(ROOT.glob("services/*/README.md")), ids=lambda file: file.parent.name)
def test_the_readme_of_a_service_is_short(readme: Path) -> None:
    assert len(readme.read_text(encoding="utf-8").split()) <= MOST_WORDS


def test_the_readme_fits_on_two_screens() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150
