"""Peygir from its images on a real engine, under a project name, a port and an .env of its own."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.support.processes import eventually, free_port

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
        own = {
            "GATEWAY_PORT": str(self.port),
            "PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "PEYGIR_SETTINGS": str(self.env_file.with_name("settings.env")),
        }
        return _run("docker", "compose", *project, *words, seconds=seconds, **own)

    def up(self, *words: str) -> None:
        """`up --wait`: back when everything is healthy; the logs of what is not are in the failure."""
        try:
            self.compose("up", "--detach", "--wait", "--wait-timeout", "400", *words)
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
        return len(states) == replicas and all(state.get("Health", {}).get("Status") == "healthy" for state in states)

    def python(self, service: str, code: str, index: int = 1) -> str:
        """The output of Python code run inside a container."""
        return self.compose("exec", "-T", "--index", str(index), service, "python", "-c", code)

    def kill(self, service: str, index: int = 1) -> None:
        """kill -9 of everything in one container, from inside, as the kernel does when memory runs out."""
        killed = self._compose(
            "exec", "-T", "--index", str(index), service, "python", "-c", "import os; os.kill(-1, 9)"
        )
        assert killed.returncode in (0, 137), killed.stderr

    # What a citizen does, over HTTP

    def get(self, path: str, **headers: str) -> httpx.Response:
        """GET from the gateway; no answer at all is an AssertionError, which `eventually` takes for "not yet"."""
        return self._http("GET", path, headers=headers)

    def post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        return self._http("POST", path, json=body)

    def file(self, text: str) -> str:
        """The tracking code of a new anonymous criticism, accepted with 201."""
        criticism = {"kind": "criticism", "unit": "dep.urb.permits", "ground": "delay", "text": text}
        answer = self._http("POST", "/v1/submissions", json={**criticism, "anonymous": True, "consent": True})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["tracking_code"])

    def stage(self, code: str) -> str:
        """The stage that a tracking code shows: "registering" while its case is on its way."""
        answer = self.get("/v1/tracking", **{"Tracking-Code": code})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["stage"])

    def await_cases(self, codes: list[str]) -> None:
        """Back when every code shows a case of its own."""
        for code in codes:
            eventually(lambda code=code: self.stage(code) != "registering", timeout=180)  # type: ignore[misc]  # bound now

    def _http(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            return httpx.request(method, f"http://127.0.0.1:{self.port}{path}", timeout=15, **request)
        except httpx.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error!r}") from None
