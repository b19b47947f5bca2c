"""What a local run leaves on the disk, and what it hands to its processes, is for its owner alone."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from deploy.local.processes import System

OPEN_TO_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def reachable(folder: Path) -> list[Path]:
    """The files in and below a folder whose names and contents another user could get at."""
    files: list[Path] = []
    for entry in os.scandir(folder):
        mode = entry.stat(follow_symlinks=False).st_mode
        if stat.S_ISDIR(mode):
            if mode & stat.S_IXOTH or mode & stat.S_IXGRP:
                files += reachable(Path(entry.path))
        elif mode & OPEN_TO_OTHERS:
            files.append(Path(entry.path))
    return files


def test_no_file_of_a_run_is_open_to_other_users(system: System) -> None:
    assert (system.state / "simulator.sqlite").exists()
    assert (system.state / "log" / "gateway.log").exists()
    assert reachable(system.state) == []


def test_no_process_inherits_the_environment_of_the_terminal(system: System) -> None:
    assert "PYTEST_CURRENT_TEST" in os.environ  # which was there when the processes were started, too
    for member in system.members():
        assert member.pid is not None
        environment = Path(f"/proc/{member.pid}/environ").read_bytes().split(b"\0")
        assert not [variable for variable in environment if variable.startswith(b"PYTEST")], member.name
