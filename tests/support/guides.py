"""Follows a guide of docs/how-to to the letter, in a copy of the tree.

A step is "In `FILE`:" and blocks of diff: each changes the first place in that file that its context names.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
_STEP = re.compile(r"^In `([\w/.]+)`:|^```diff\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LISTED = re.compile(r"^\| `(\w+/[\w/.]+)` \|", re.MULTILINE)


def listed_files(guide: Path) -> list[str]:
    """The files of the table under "Files"."""
    return _LISTED.findall(guide.read_text().partition("## Files")[2].partition("\n## ")[0])


def changed_files(guide: Path) -> list[str]:
    """The files that its steps change, in order."""
    return list(dict.fromkeys(file for file, _ in _steps(guide)))


def follow(guide: Path, tree: Path) -> None:
    """Makes `tree` a copy of the repository in which all steps are done: real folders where they change something, links to all
    else."""
    copied = {file.partition("/")[0] for file in changed_files(guide)}
    for path in ROOT.iterdir():
        if path.name in copied:
            shutil.copytree(path, tree / path.name, ignore=shutil.ignore_patterns("__pycache__"))
        elif not path.name.startswith("."):
            (tree / path.name).symlink_to(path)
    for file, diff in _steps(guide):
        _apply(tree, file, diff)


def tree_fixture(guide: Path) -> Any:
    """A fixture of a test module: the tree in which the guide was followed."""

    @pytest.fixture(scope="module")
    def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
        made = tmp_path_factory.mktemp("tree")
        follow(guide, made)
        return made

    return tree


def run(tree: Path, script: str, *arguments: str) -> dict[str, Any]:
    """The JSON object that the script prints last, in this tree."""
    done = python(tree, "-c", script, *arguments)
    assert done.returncode == 0, done.stderr
    printed: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return printed


def python(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python, in this tree."""
    return subprocess.run([sys.executable, *arguments], cwd=tree, capture_output=True, text=True, check=False)


def _steps(guide: Path) -> list[tuple[str, str]]:
    """File and diff of each step, in order."""
    blocks, file = [], ""
    for step in _STEP.finditer(guide.read_text()):
        if step.group(1):
            file = step.group(1)
        else:
            blocks.append((file, step.group(2)))
    return blocks


def _apply(tree: Path, file: str, diff: str) -> None:
    path = tree / file
    source = path.read_text()
    lines = [(line[:1].strip() or " ", line[1:] or "\n") for line in diff.splitlines(keepends=True)]
    before = "".join(text for sign, text in lines if sign in " -")
    after = "".join(text for sign, text in lines if sign in " +")
    assert before in source, f"{file} has no\n{before}"
    path.write_text(source.replace(before, after, 1))
