"""Installs Debian packages as root without starting their services: `python3 deploy/local/packages.py NAME…`.

Uses the standard library alone, since it also installs what the virtual environment needs.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_POLICY = Path("/usr/sbin/policy-rc.d")


class CannotInstall(Exception):
    """One sentence for the person at the terminal."""


def install(*names: str) -> None:
    """apt-get update and install. Raises CannotInstall, also where there is no apt-get or no root."""
    command = f"sudo apt-get install {' '.join(names)}"
    if os.geteuid() != 0:
        raise CannotInstall(f"{' and '.join(names)} must be installed: run `{command}`.")
    if shutil.which("apt-get") is None:
        raise CannotInstall(f"{' and '.join(names)} must be installed, and there is no apt-get here to do it.")
    with _no_services_started():
        for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *names]):
            done = subprocess.run(
                ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", *arguments],
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            # An update that reached one mirror of several may still be enough.
            if done.returncode != 0 and arguments[0] == "install":
                tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-12:])
                raise CannotInstall(f"`apt-get install {' '.join(names)}` failed:\n{tail}")


@contextmanager
def _no_services_started() -> Iterator[None]:
    """Debian starts a new package's service unless this policy forbids it; an existing policy is restored."""
    backup = _POLICY.with_name("policy-rc.d.peygir")
    if _POLICY.exists():
        _POLICY.rename(backup)
    try:
        _POLICY.write_text("#!/bin/sh\nexit 101\n")
        _POLICY.chmod(0o755)
        yield
    finally:
        _POLICY.unlink(missing_ok=True)
        if backup.exists():
            backup.rename(_POLICY)


if __name__ == "__main__":
    try:
        install(*sys.argv[1:])
    except CannotInstall as problem:
        sys.exit(f"peygir: {problem}")
