"""Which interpreter `./peygir` makes its virtual environment with: an optimised build is preferred, any usable one is taken."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# An interpreter of the stated kind: it answers the launcher's two checks, and makes an environment whose python succeeds.
INTERPRETER = """#!/bin/bash
case $1 in
  -c) exit {too_old} ;;
  -) exit {plain} ;;
  -m) [ "$2" = venv ] || exit 0; mkdir -p "$3/bin"; printf '#!/bin/sh\\nexit 0\\n' > "$3/bin/python"; chmod +x "$3/bin/python"
      echo {name} > "$3/made-by" ;;
esac
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with the launcher and nothing to install."""
    shutil.copy(ROOT / "peygir", tmp_path)
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "local.txt").touch()
    (tmp_path / "bin").mkdir()
    for tool in ("bash", "sh", "dirname", "readlink", "sha256sum", "cut", "cat", "flock", "mkdir", "chmod", "tail"):
        (tmp_path / "bin" / tool).symlink_to(str(shutil.which(tool)))
    return tmp_path


def add_interpreter(clone: Path, name: str, *, too_old: bool = False, plain: bool = False) -> None:
    file = clone / "bin" / name
    file.write_text(INTERPRETER.format(name=name, too_old=int(too_old), plain=int(plain)))
    file.chmod(0o755)


def make_environment(clone: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [clone / "peygir", "docs"],
        env={"PATH": str(clone / "bin"), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def made_by(clone: Path) -> str:
    return (clone / ".venv" / "made-by").read_text().strip()


def test_an_optimised_build_is_preferred_to_the_first_of_the_path(clone: Path) -> None:
    add_interpreter(clone, "python3", plain=True)
    add_interpreter(clone, "python3.12")
    assert make_environment(clone).returncode == 0
    assert made_by(clone) == "python3.12"


def test_a_plain_build_is_taken_where_no_optimised_one_is_new_enough(clone: Path) -> None:
    add_interpreter(clone, "python3", too_old=True)
    add_interpreter(clone, "python3.11", plain=True)
    # The machine's own interpreter is a candidate wherever PATH leads; without it the launcher plays on a bare machine.
    launcher = clone / "peygir"
    launcher.write_text(launcher.read_text().replace(" /usr/bin/python3;", ";"))
    assert make_environment(clone).returncode == 0
    assert made_by(clone) == "python3.11"


def test_the_interpreter_can_be_named(clone: Path) -> None:
    add_interpreter(clone, "python3")
    add_interpreter(clone, "mine", plain=True)
    assert make_environment(clone, PEYGIR_PYTHON="mine").returncode == 0
    assert made_by(clone) == "mine"


def test_a_named_interpreter_that_is_too_old_is_refused_with_its_name(clone: Path) -> None:
    add_interpreter(clone, "python3")
    add_interpreter(clone, "ancient", too_old=True)
    refused = make_environment(clone, PEYGIR_PYTHON="ancient")
    assert refused.returncode != 0
    assert "PEYGIR_PYTHON is ancient, which is not a Python 3.11 or newer" in refused.stderr
    assert not (clone / ".venv").exists()
