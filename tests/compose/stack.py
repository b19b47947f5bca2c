"""Peygir from its images on a real engine, under a project name, a port and an .env of its own."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from backbone.testing import free_port

ROOT = Path(__file__).parents[2]
STAND_INS = ROOT.parent / "shared" / "tools" / "engine"
"""Where no registry can be reached: builds images under the names that ours stand on. Absent elsewhere: Docker pulls."""


def run(*command: str, seconds: float = 600) -> str:
    """The output of a command that has to succeed; its words are in the failure when it does not."""
    return _output(_run(*command, seconds=seconds))


def _run(*command: str, seconds: float = 600, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=seconds,
        env=os.environ | environment,
    )


def _output(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, f"{' '.join(done.args)}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


@dataclass
class Stack:
    """One project of Compose."""

    env_file: Path
    project: str = field(default_factory=lambda: f"peygir-test-{secrets.token_hex(3)}")
    port: int = field(default_factory=free_port)

    def compose(self, *words: str, seconds: float = 600) -> str:
        """The output of `docker compose WORDS` for this project; it has to succeed."""
        return _output(self._compose(*words, seconds=seconds))

    def _compose(self, *words: str, seconds: float = 600) -> subprocess.CompletedProcess[str]:
        project = ("--project-name", self.project, "--env-file", str(self.env_file), "--profile", "demo")
        return _run("docker", "compose", *project, *words, seconds=seconds, GATEWAY_PORT=str(self.port))

    def up(self, *words: str) -> None:
        """`up --wait`: back when everything is healthy; the logs of what is not are in the failure."""
        try:
            self.compose("up", "--detach", "--wait", "--wait-timeout", "240", *words)
        except AssertionError as error:
            raise AssertionError(
                f"{error}\n{self.compose('ps', '--all')}\n{self.compose('logs', '--tail', '30')}"
            ) from None

    def down(self, *words: str) -> None:
        self.compose("down", "--remove-orphans", *words)

    def containers(self, service: str) -> list[dict[str, Any]]:
        """What the engine says about each replica (`docker inspect`)."""
        ids = self.compose("ps", "--all", "--quiet", service).split()
        return list(json.loads(run("docker", "inspect", *ids))) if ids else []

    def healthy(self, service: str, replicas: int = 1) -> bool:
        """True when exactly so many replicas run and all are healthy."""
        states = [container["State"] for container in self.containers(service)]
        return len(states) == replicas and all(
            state.get("Health", {}).get("Status") == "healthy" for state in states
        )

    def python(self, service: str, code: str, index: int = 1) -> str:
        """The output of Python code run inside a container."""
        return self.compose("exec", "-T", "--index", str(index), service, "python", "-c", code)

    def kill(self, service: str, index: int = 1) -> None:
        """kill -9 of everything in one container, from inside, as the kernel does when memory runs out."""
        killed = self._compose(
            "exec", "-T", "--index", str(index), service, "python", "-c", "import os; os.kill(-1, 9)"
        )
        assert killed.returncode in (0, 137), killed.stderr

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        """HTTP to the gateway."""
        with httpx.Client(base_url=self.url, timeout=30) as client:
            yield client
