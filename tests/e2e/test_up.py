"""`./peygir up` as a newcomer meets it: it says where everything is, Ctrl-C ends it whole, the data stay."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pyotp
import pytest

from tests.support.processes import ROOT, eventually, free_port

REPORT = {
    "kind": "information",
    "unit": "dep.civ.roads",
    "ground": "waste",
    "text": "آسفالت نو دوباره کنده شد.",
    "consent": True,
}


class Up:
    """One `./peygir up` in a folder of its own; `said`: what it has printed so far."""

    def __init__(self, state: Path, port: int, **environment: str) -> None:
        self._log = state.with_suffix(f".{port}.log")
        given = {**os.environ, "PEYGIR_STATE": str(state), **environment}
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [ROOT / "peygir", "up", "--port", str(port)], env=given, stdout=log, stderr=log, start_new_session=True
            )

    @property
    def output(self) -> str:
        return self._log.read_text()

    def await_running(self) -> None:
        def running() -> bool:
            assert "Peygir is running" in self.output or self.process.poll() is None, self.output
            return "Ctrl-C stops everything" in self.output

        eventually(running, timeout=120)

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=60)


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Callable[..., Up]]:
    runs: list[Up] = []

    def start(state: Path, port: int, **environment: str) -> Up:
        runs.append(Up(state, port, **environment))
        return runs[-1]

    yield start
    for run in runs:
        if run.process.poll() is None:
            run.interrupt()


def running_in(state: Path) -> list[str]:
    """The command lines of whatever runs with this folder."""
    table = subprocess.run(["ps", "-eo", "args", "ww"], capture_output=True, text=True, check=True).stdout
    return [line for line in table.splitlines() if str(state) in line and "ps -eo" not in line]


def test_it_prints_all_addresses_stops_cleanly_and_keeps_its_data(up: Callable[..., Up], tmp_path: Path) -> None:
    state, port = tmp_path / "state", free_port()
    first = up(state, port)
    first.await_running()
    url = f"http://127.0.0.1:{port}"
    assert f"{url}/" in first.output
    match = re.search(r"^ +screener +\S+ +(\S+) +(\S+)$", first.output, re.MULTILINE)
    assert match, first.output
    password, secret = match.groups()
    for role in ("operator", "inspector", "head", "liaison", "custodian", "analyst", "administrator"):
        assert re.search(rf"^ +{role} ", first.output, re.MULTILINE), role
    body = {"username": "screener", "password": password, "totp": pyotp.TOTP(secret).now()}
    assert httpx.post(f"{url}/v1/auth/staff/tokens", json=body).status_code == 200
    filed = httpx.post(f"{url}/v1/submissions", json=REPORT)
    assert filed.status_code == 201, filed.text
    code = {"Tracking-Code": filed.json()["tracking_code"]}

    taken = up(tmp_path / "other", port)
    assert taken.process.wait(timeout=60) == 1
    assert re.fullmatch(
        rf"peygir: Port {port} is taken by .*choose another with `\./peygir up --port \d+`\.", taken.output.strip()
    )
    twice = up(state, free_port())
    assert twice.process.wait(timeout=60) == 1
    assert re.fullmatch(r"peygir: Peygir runs already with its state in .*", twice.output.strip())

    assert first.interrupt() == 0
    assert running_in(state) == []

    second = up(state, port)
    second.await_running()
    eventually(lambda: httpx.get(f"{url}/v1/tracking", headers=code).json().get("stage") == "registered")
    assert second.interrupt() == 0
    assert running_in(state) == []


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"PEYGIR_RABBITMQ_SERVER": "/nowhere/rabbitmq-server"}, r"peygir: .*rabbitmq-server.*"),
        ({"AMQP_URL": "amqp://guest:guest@127.0.0.1:{closed}/"}, r"peygir: AMQP_URL is set, but nothing answers at .*"),
        ({"LOG_LEVEL": "loud"}, r"(?s)peygir: (\w+) stopped at its start; its log is .*LOG_LEVEL.*"),
    ],
    ids=["a missing binary", "a broker that is not there", "a service that ends at its start"],
)
def test_an_obstacle_to_starting_is_explained_in_one_sentence(
    up: Callable[..., Up], tmp_path: Path, environment: dict[str, str], sentence: str
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        given = {name: value.replace("{closed}", str(closed.getsockname()[1])) for name, value in environment.items()}
        run = up(tmp_path / "state", free_port(), **given)
        assert run.process.wait(timeout=120) == 1
    words = [line for line in run.output.splitlines() if not re.match(r"peygir: (starting|migrating|seeding)", line)]
    assert re.fullmatch(sentence, "\n".join(words)), run.output
    assert running_in(tmp_path / "state") == []
