"""No module over 500 lines, and no whitelist longer than it needs to be."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from tests.support.processes import ROOT

FOLDERS = ("contracts", "texts", "backbone", "services", "gateway", "deploy", "benchmarks", "tests")
MOST_LINES = 500
WHITELIST = tomllib.loads((ROOT / "tests" / "vulture.toml").read_text())["tool"]["vulture"]


def modules() -> list[Path]:
    """All but migrations, which are frozen."""
    files = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")]
    return [file for file in files if file.parent.name != "versions"]


LENGTHS = {str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for file in modules()}


def test_no_module_has_more_than_500_lines() -> None:
    assert {name: length for name, length in LENGTHS.items() if length > MOST_LINES} == {}


def test_every_name_that_vulture_is_to_ignore_is_in_the_code() -> None:
    text = "\n".join((ROOT / name).read_text() for name in LENGTHS if not name.startswith("tests/"))
    words = set(re.findall(r"\w+", text))
    assert [name for name in WHITELIST["ignore_names"] if "*" not in name and name not in words] == []
