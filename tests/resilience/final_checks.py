"""The checks at the end: every accepted submission exists exactly once, nothing is broken, and nothing waits."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import psycopg

from backbone.messaging import topology
from contracts.audit import AUDITED
from deploy.local.environment import SERVICES
from deploy.local.processes import System
from tests.e2e.people import Town
from tests.resilience.filing_client import FiledReport
from tests.support.processes import BrokerClient, eventually, open_broker_client, run_module

QUEUES = (*topology.SUBSCRIPTIONS, *topology.DELAYS)
_DASHED = re.compile(r"(?<!\d)\d{4}-\d{4}-\d{4}-\d{4}(?!\d)")


class Databases:
    """Reads the services' databases."""

    def __init__(self, system: System) -> None:
        self._system = system

    def query(self, service: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a query on one service's database."""
        url = self._system.database_url(service).replace("+psycopg", "")
        with psycopg.connect(url, connect_timeout=5) as connection:
            return list(connection.execute(statement.encode(), values).fetchall())

    def value(self, service: str, statement: str, *values: Any) -> Any:
        """The single value that a query answers."""
        return self.query(service, statement, *values)[0][0]

    def cases(self) -> int:
        return int(self.value("tracking", "SELECT count(*) FROM cases"))

    def submissions(self) -> int:
        return int(self.value("intake", "SELECT count(*) FROM submissions"))


def check_everything(town: Town, entries: Sequence[FiledReport], before: int, patience: float = 240.0) -> None:
    """`before`: how many cases there were at the start. Everything must be running."""
    databases = Databases(town.system)
    ids = [entry.submission_id for entry in entries]
    for entry in entries:
        assert len(set(entry.answers)) == 1, "a repeated request got another code"
    assert len(set(ids)) == len({entry.code for entry in entries}) == len(entries), "two submissions got one code"

    def all_are_cases() -> bool:
        registered = {
            str(row[0]) for row in databases.query("tracking", "SELECT case_id FROM cases WHERE case_id = ANY(%s)", ids)
        }
        assert len(registered) == len(ids), (
            f"{len(ids) - len(registered)} of {len(ids)} acknowledged submissions are no case"
        )
        return True

    eventually(all_are_cases, timeout=patience)
    check_nothing_waits(town.system, patience)
    assert databases.submissions() == databases.cases() == before + len(entries), "a submission was doubled"
    _check_codes(town, entries)
    _check_one_notification_each(town, entries)
    _check_evidence(town, entries)
    check_histories(town.system)


def check_nothing_waits(system: System, patience: float = 120.0) -> None:
    """Queues, delay queues, outboxes and messages to be sent become empty, and there are no dead letters. Not counted: pushes,
    which are tried for a day where a device cannot be reached, and what waits for the end of a citizen's quiet hours."""
    databases = Databases(system)

    def drained() -> bool:
        remaining = {f"outbox of {name}": databases.value(name, "SELECT count(*) FROM outbox") for name in SERVICES}
        unsent = (
            "SELECT channel, template, count(*) FROM messages WHERE state IN ('due', 'sending') AND channel <> 'push' "
            "AND (attempts > 0 OR next_attempt_at < now() + interval '1 hour') GROUP BY 1, 2"
        )
        for channel, template, number in databases.query("notify", unsent):
            remaining[f"messages to be sent by {channel}: {template}"] = number
        # Including unacknowledged messages, which a passive declaration does not count.
        for line in system.broker.control("list_queues", "name", "messages").splitlines():
            queue, _, number = line.rpartition("\t")
            if queue in QUEUES:
                remaining[queue] = int(number)
        waiting = {name: number for name, number in remaining.items() if number}
        assert not waiting, waiting
        return True

    eventually(drained, timeout=patience, why="something still waits")
    with open_broker_client(system.amqp_url) as broker_client:
        assert broker_client.queue_depth(topology.DEAD_LETTERS) == 0, _dead(broker_client)


def check_histories(system: System) -> None:
    """Verifies every case's timeline and every audit log with `./peygir verify-history`."""
    urls = {f"DATABASE_URL_{name.upper()}": system.database_url(name) for name in AUDITED}
    done = run_module("deploy.verify_history", environment={**os.environ, **urls})
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def _check_codes(town: Town, entries: Sequence[FiledReport]) -> None:
    for entry in entries[:: max(1, len(entries) // 200)]:
        shown = town.caller(code=entry.code).get("/v1/tracking")
        assert shown.status_code == 200, shown.text
        assert shown.json()["stage"] == "registered", shown.text


def _check_one_notification_each(town: Town, entries: Sequence[FiledReport]) -> None:
    sent = Counter(code.replace("-", "") for text in town.all_texts() for code in _DASHED.findall(text))
    wrong = Counter(
        (sent[entry.code], 1 if entry.citizen else 0)
        for entry in entries
        if sent[entry.code] != (1 if entry.citizen else 0)
    )
    assert not wrong, f"registration notices (sent, due): how many cases: {dict(wrong)}"


def _check_evidence(town: Town, entries: Sequence[FiledReport]) -> None:
    for entry in (entry for entry in entries if entry.uploads):
        holder = town.caller(code=entry.code)

        def accepted(who: Any = holder) -> list[str]:
            shown = who.get("/v1/tracking").json()
            states = [attachment["state"] for attachment in shown["attachments"]]
            assert states == ["accepted"], states
            return [str(attachment["media_id"]) for attachment in shown["attachments"]]

        [media] = eventually(accepted, timeout=60)
        assert media == entry.uploads[0]
        download = holder.get(f"/v1/tracking/attachments/{media}")
        assert download.status_code == 200, download.text
        assert download.headers["content-type"] == "image/jpeg"
        assert download.content[:2] == b"\xff\xd8"


def _dead(broker_client: BrokerClient) -> str:
    from backbone.messaging import dead_letters

    letters = dead_letters.listed(broker_client.channel)
    return "\n".join(dead_letters._line(letter) for letter in letters[:20])
