"""At the end: what the ledger promises is what there is, once; nothing is broken, and nothing waits."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

import psycopg

from backbone.messaging import topology
from contracts.audit import AUDITED
from deploy.local.environment import ROOT, SERVICES
from deploy.local.processes import System
from tests.e2e.people import Town
from tests.resilience.ledger import Entry
from tests.support.processes import BusClient, bus, eventually

QUEUES = (*topology.SUBSCRIPTIONS, *topology.DELAYS)
_DASHED = re.compile(r"(?<!\d)\d{4}-\d{4}-\d{4}-\d{4}(?!\d)")


class Books:
    """What the services have written, read beside them."""

    def __init__(self, system: System) -> None:
        self._system = system

    def ask(self, service: str, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a query on one service's database."""
        url = self._system.database_url(service).replace("+psycopg", "")
        with psycopg.connect(url, connect_timeout=5) as connection:
            return list(connection.execute(query.encode(), values).fetchall())

    def one(self, service: str, query: str, *values: Any) -> Any:
        """The single value that a query answers."""
        return self.ask(service, query, *values)[0][0]

    def cases(self) -> int:
        return int(self.one("tracking", "SELECT count(*) FROM cases"))

    def submissions(self) -> int:
        return int(self.one("intake", "SELECT count(*) FROM submissions"))


def reckon(town: Town, entries: Sequence[Entry], before: int, patience: float = 240.0) -> None:
    """`before`: how many cases there were when the ledger was begun. Everything must be up."""
    books = Books(town.system)
    ids = [entry.submission_id for entry in entries]
    for entry in entries:
        assert len(set(entry.given)) == 1, "a repeated request got another code"
    assert len(set(ids)) == len({entry.code for entry in entries}) == len(entries), "two submissions got one code"

    def all_are_cases() -> bool:
        found = {str(row[0]) for row in books.ask("tracking", "SELECT case_id FROM cases WHERE case_id = ANY(%s)", ids)}
        assert len(found) == len(ids), f"{len(ids) - len(found)} of {len(ids)} acknowledged submissions are no case"
        return True

    eventually(all_are_cases, timeout=patience)
    nothing_waits(town.system, patience)
    assert books.submissions() == books.cases() == before + len(entries), "a submission was doubled"
    _codes_are_answered(town, entries)
    _each_was_told_once(town, entries)
    _evidence_is_there(town, entries)
    histories_hold(town.system)


def nothing_waits(system: System, patience: float = 120.0) -> None:
    """Queues, delay queues, outboxes and messages to be sent drain to nothing, and nothing died on the way."""
    books = Books(system)

    def drained() -> bool:
        left = {f"outbox of {name}": books.one(name, "SELECT count(*) FROM outbox") for name in SERVICES}
        unsent = "SELECT count(*) FROM messages WHERE state IN ('due', 'sending')"
        left["messages to be sent"] = books.one("notify", unsent)
        # Taken but not acknowledged ones too, which a passive declaration does not count.
        for line in system.broker.control("list_queues", "name", "messages").splitlines():
            queue, _, number = line.rpartition("\t")
            if queue in QUEUES:
                left[queue] = int(number)
        waiting = {what: number for what, number in left.items() if number}
        assert not waiting, waiting
        return True

    eventually(drained, timeout=patience, why="something still waits")
    with bus(system.amqp_url) as wire:
        assert wire.depth(topology.DEAD_LETTERS) == 0, _dead(wire)


def histories_hold(system: System) -> None:
    """Every case's timeline and every audit log, by the tool that the office has for it."""
    done = subprocess.run(
        [sys.executable, "-m", "deploy.verify_history"],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            **{f"DATABASE_URL_{name.upper()}": system.database_url(name) for name in AUDITED},
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def _codes_are_answered(town: Town, entries: Sequence[Entry]) -> None:
    for entry in entries[:: max(1, len(entries) // 200)]:
        shown = town.caller(code=entry.code).get("/v1/tracking")
        assert shown.status_code == 200, shown.text
        assert shown.json()["stage"] == "registered", shown.text


def _each_was_told_once(town: Town, entries: Sequence[Entry]) -> None:
    told = Counter(code.replace("-", "") for text in town.all_texts() for code in _DASHED.findall(text))
    wrong = Counter(
        (told[entry.code], 1 if entry.citizen else 0)
        for entry in entries
        if told[entry.code] != (1 if entry.citizen else 0)
    )
    assert not wrong, f"registration notices (sent, due): how many cases: {dict(wrong)}"


def _evidence_is_there(town: Town, entries: Sequence[Entry]) -> None:
    for entry in (entry for entry in entries if entry.uploads):
        holder = town.caller(code=entry.code)

        def accepted(who: Any = holder) -> list[str]:
            shown = who.get("/v1/tracking").json()
            states = [attachment["state"] for attachment in shown["attachments"]]
            assert states == ["accepted"], states
            return [str(attachment["media_id"]) for attachment in shown["attachments"]]

        [media] = eventually(accepted, timeout=60)
        assert media == entry.uploads[0]
        got = holder.get(f"/v1/tracking/attachments/{media}")
        assert got.status_code == 200, got.text
        assert got.headers["content-type"] == "image/jpeg"
        assert got.content[:2] == b"\xff\xd8"


def _dead(wire: BusClient) -> str:
    from backbone.messaging import dead_letters

    letters = dead_letters.listed(wire.channel)
    return "\n".join(dead_letters._line(letter) for letter in letters[:20])
