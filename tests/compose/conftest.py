"""What the tests of the images need: an engine, the images that ours stand on, and one running stack for all of them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .stack import ROOT, STAND_INS, Stack, run


@pytest.fixture(scope="session")
def engine() -> None:
    """A Docker engine that answers, with the images that ours stand on. Without one: skipped here, a failure in CI."""
    why = _no_engine()
    if why and os.environ.get("CI"):
        pytest.fail(f"{why}; in CI these tests have to run")
    if why:
        pytest.skip(f"{why}; `docker info` and `docker compose version` have to work for the tests of the images")
    if STAND_INS.exists():
        run(str(STAND_INS), "images", ".")


def _no_engine() -> str | None:
    for command in (["docker", "info"], ["docker", "compose", "version"]):
        try:
            done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"no Docker engine ({error})"
        if done.returncode != 0:
            return f"no Docker engine ({done.stderr.strip().splitlines()[-1]})"
    return None


@pytest.fixture(scope="session")
def env_file(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An .env made by the documented command."""
    path = tmp_path_factory.mktemp("compose") / ".env"
    run(str(ROOT / "deploy" / "docker" / "make-env"), str(path))
    # One address files more here in a minute than a citizen may.
    path.with_name("settings.env").write_text("LIMIT_SUBMISSIONS=off\nLIMIT_CODES=off\nLIMIT_ONE_CODE=off\n")
    return path


@pytest.fixture(scope="session")
def stack(env_file: Path) -> Iterator[Stack]:
    """Everything built and up. Each test leaves it healthy; it and its data are gone at the end."""
    stack = Stack(env_file)
    try:
        stack.compose("build", seconds=1200)
        stack.up()
        yield stack
    finally:
        stack.down("--volumes", "--timeout", "20")
