"""docs/how-to/add-an-event.md, followed to the letter on a copy of the repository, leaves the contract tests green."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "how-to" / "add-an-event.md"
COPIED = ("contracts", "texts", "backbone", "services", "gateway", "deploy", "docs", "tests", "pyproject.toml")
STEP = re.compile(
    r"^(?:Add to the (?P<place>end|imports) of `(?P<file>[^`]+)`"
    r"|Add to `(?P<after_file>[^`]+)` after `(?P<anchor>[^`]+)`"
    r"|Create `(?P<new_file>[^`]+)`):\n\n```\w+\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
IMPORTS = "from __future__ import annotations\n"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "media_files"))
        else:
            shutil.copy(source, tmp_path / name)
    return tmp_path


def follow(copy: Path) -> list[str]:
    """Applies each step of the guide; the files that it touched."""
    touched = []
    for step in STEP.finditer(GUIDE.read_text("utf-8")):
        code = step["code"]
        name = step["file"] or step["after_file"] or step["new_file"]
        path = copy / name
        touched.append(name)
        if step["new_file"]:
            path.parent.mkdir(parents=True)
            path.write_text(code, "utf-8")
            continue
        text = path.read_text("utf-8")
        if step["place"] == "end":
            separator = "\n" if code.startswith(" ") else "\n\n"
            path.write_text(text + separator + code, "utf-8")
        else:
            anchor = IMPORTS if step["place"] == "imports" else step["anchor"] + "\n"
            assert text.count(anchor) == 1, f"{name} has no single line {anchor!r}"
            path.write_text(text.replace(anchor, anchor + code), "utf-8")
    return touched


def run(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(copy), "PSYCOPG_WAIT_FUNC": "wait_selector"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)


def test_an_event_added_by_the_guide_passes_the_contract_tests(copy: Path) -> None:
    touched = follow(copy)

    assert len(set(touched)) == 6, "the table of the guide names as many files, besides the generated ones"
    generated = run(copy, "-m", "backbone.messaging.asyncapi")
    assert generated.returncode == 0, generated.stderr
    assert "`submission.discarded.v1` | `intake.events` | `media.discarded`" in (
        copy / "docs" / "events" / "README.md"
    ).read_text("utf-8")
    tested = run(
        copy,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/contract/test_messages.py",
        "-k",
        "discarded or media or intake or document",
    )
    assert tested.returncode == 0, tested.stdout[-3000:]
