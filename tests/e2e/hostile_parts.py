"""What the hostile tests share: what a clear refusal is, what is stored, what a process holds, a gateway with other limits."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil
import psycopg

from deploy.local import ports
from deploy.local.processes import Process, System
from tests.e2e.people import Town
from tests.support.processes import eventually

MIB = 1024 * 1024
KEPT = {
    "intake": ("submissions", "identities", "identity_openings"),
    "tracking": ("cases", "timeline", "questions", "attachments", "commands", "referrals", "referral_answers"),
    "media": ("uploads", "upload_parts", "files"),
    "accounts": ("citizens", "sessions", "refresh_tokens"),
    "notify": ("contacts", "inbound"),
}
LANGUAGES = ("fa", "en")
Reading = TypeVar("Reading")


def stored(town: Town, *services: str) -> dict[str, int]:
    """How many rows are kept of whatever a caller could have left."""
    counted = {}
    for service in services or KEPT:
        for table in KEPT[service]:
            counted[f"{service}.{table}"] = _number(town, service, table)
    return counted


def at_rest(town: Town, *services: str) -> dict[str, int]:
    """`stored`, once what earlier tests set going has arrived everywhere: nothing to be told, and three readings alike."""

    def read() -> dict[str, int]:
        return stored(town) | {f"{service}.outbox": _number(town, service, "outbox") for service in KEPT}

    unchanged(read, lambda seen: not any(count for name, count in seen.items() if name.endswith(".outbox")))
    return stored(town, *services)


def unchanged(read: Callable[[], Reading], good: Callable[[Reading], bool] = lambda _: True) -> Reading:
    """What `read` reads, once it is `good` and three readings in a row are alike: that nothing comes any more is no event
    that could be waited for."""

    def alike() -> Reading | None:
        first = read()
        for _ in range(2):
            time.sleep(0.3)
            if read() != first:
                return None
        return first if good(first) else None

    return eventually(alike, timeout=90)


def _number(town: Town, service: str, table: str) -> int:
    row = reader(town, service).execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0


def reader(town: Town, service: str) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection to the database of a service, kept for the next who reads."""
    return _connected(town.system.database_url(service).replace("+psycopg", ""))


@cache
def _connected(url: str) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(url, autocommit=True)


def refused(answer: httpx.Response, status: int, code: str, language: str) -> None:
    """It is a problem by RFC 9457 with this status and code, in this language, that tells nothing of our insides."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    body = answer.json()
    assert {"type", "title", "status", "detail", "code", "instance"} <= set(body)
    assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:peygir:problem:{code}")
    assert answer.headers["content-language"] == language
    sentences = [body["title"], body["detail"], *(error["message"] for error in body.get("errors", []))]
    for change in body.get("params", {}).get("changes", ()):  # a name is the same in both languages
        sentences = [sentence.replace(change["actor_name"], "…") for sentence in sentences if change["actor_name"]]
    for sentence in sentences:
        assert bool(re.search("[آ-ی]", sentence)) is (language == "fa"), sentence
    assert "Traceback" not in answer.text


def resident(*processes: Process) -> int:
    """Bytes that these processes hold, without their children."""
    return sum(psutil.Process(int(process.pid or 0)).memory_info().rss for process in processes)


def called(process: Process, counter: str, **labels: str) -> float:
    """The sum of a counter of this process over the series with these labels."""
    metrics = httpx.get(f"{process.health_url}/metrics", trust_env=False).text
    lines = [line for line in metrics.splitlines() if line.startswith(counter)]
    wanted = [f'{name}="{value}"' for name, value in labels.items()]
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if all(label in line for label in wanted))


@contextmanager
def another_gateway(system: System, folder: Path, **settings: str) -> Iterator[tuple[Process, str]]:
    """A gateway of its own beside the running one, with its process and its address; it ends with the block."""
    port, health = ports.pick(), ports.pick()
    (folder / "state").mkdir()
    environment = {
        **system.process("gateway").environment,
        **settings,
        "GATEWAY_PORT": str(port),
        "GATEWAY_STATE_DIR": str(folder / "state"),
        "HEALTH_PORT": str(health),
    }
    process = Process("gateway", ["gateway"], health, folder, environment)
    process.start()
    try:
        process.await_ready()
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.stop(12)
