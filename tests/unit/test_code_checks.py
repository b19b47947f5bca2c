"""No module over 500 lines, and no whitelist longer than it needs to be."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.support.processes import ROOT

FOLDERS = ("contracts", "texts", "backbone", "services", "gateway", "deploy", "benchmarks", "tests")
MOST_LINES = 500
LONGER = {
    "tests/support/walk/walking.py": 1050,
    "tests/support/walk/world.py": 750,
}
"""Modules that are still longer, and how long they may be. The list only shrinks: none is added, no number grows."""

WHITELIST = tomllib.loads((ROOT / "tests" / "vulture.toml").read_text())["tool"]["vulture"]


def modules() -> list[Path]:
    """All but migrations, which are frozen."""
    files = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")]
    return [file for file in files if file.parent.name != "versions"]


LENGTHS = {str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for file in modules()}


def test_no_module_is_longer_than_it_may_be() -> None:
    assert {name: length for name, length in LENGTHS.items() if length > LONGER.get(name, MOST_LINES)} == {}


@pytest.mark.parametrize("name", LONGER)
def test_a_module_that_is_listed_as_longer_is(name: str) -> None:
    assert LENGTHS.get(name, 0) > MOST_LINES, "take it off the list"


def test_every_name_that_vulture_is_to_ignore_is_in_the_code() -> None:
    text = "\n".join((ROOT / name).read_text() for name in LENGTHS if not name.startswith("tests/"))
    words = set(re.findall(r"\w+", text))
    assert [name for name in WHITELIST["ignore_names"] if "*" not in name and name not in words] == []
