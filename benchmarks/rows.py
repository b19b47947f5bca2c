"""The rows of the table of measures, each with its runs (DESIGN: What must hold)."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from benchmarks import hostile, load, machine
from benchmarks.figures import Bar, Row, Yardstick, percentile, plain
from benchmarks.load import Connection, Tally
from benchmarks.peer import Peer
from benchmarks.stand import CLIENTS, CREATED, Stand, between
from benchmarks.upload import Upload
from benchmarks.yardsticks import confirmed_publishing
from deploy.local.environment import SERVICES

LIFECYCLE_CLIENTS = 24
PEER_CLIENTS = (1, 3, 6)
"""Tried one after the other; the peer's best counts."""
SPIKES = (1, 15, 1, 25, 2, 35, 10, 0)
"""Lifecycles begun per second, step by step."""
SLOW = 0.250
"""Seconds: what a request may take at a spike (p95), and takes when all is normal."""
_POLL = 0.05


@dataclass(frozen=True)
class Plan:
    """How long everything is measured. Times in seconds; `codes`: asked for in one run of the status row; `tickets`: that
    the peer holds in a last run of its own (Peygir holds more by then), 0 for no such run."""

    runs: int = 3
    seconds: float = 8.0
    codes: int = 6_000
    step: float = 10.0
    mebibytes: int = 100
    patience: float = 30.0
    tickets: int = 1_000


QUICK = Plan(seconds=2.0, codes=1_000, step=2.0, patience=3.0, tickets=0)


class Rows:
    """Measures one system. `say` is told what goes on; `peer` is None where it is left out."""

    def __init__(self, stand: Stand, peer: Peer | None, plan: Plan, say: Callable[[str], None]) -> None:
        self.stand, self.peer, self.plan, self.say = stand, peer, plan, say
        self.all: dict[str, Callable[[], list[Row]]] = {
            "memory": self.memory,
            "submissions": self.submissions,
            "status": self.status,
            "lifecycles": self.lifecycles,
            "spikes": self.spikes,
            "upload": self.upload,
            "hostile": lambda: [hostile.judged(self.stand, self.plan.runs)],
        }

    # --- memory ---

    def memory(self) -> list[Row]:
        """Resident memory at rest, of each service and of all with the gateway."""
        time.sleep(2)
        return self._memory("at rest", Bar(120, at_most=True), Bar(700, at_most=True))

    def memory_after(self) -> list[Row]:
        """The same after all other rows, when everything is at rest again."""
        self.stand.settle()
        return self._memory("at rest after the load", None, None)

    def _memory(self, when: str, each: Bar | None, together: Bar | None) -> list[Row]:
        held = {name: machine.resident(self.stand.pid(name)) for name in (*SERVICES, "gateway")}
        told = ", ".join(f"{name} {mebibytes:.0f}" for name, mebibytes in held.items())
        largest = max(held[name] for name in SERVICES)
        return [
            Row(f"memory {when}: the largest service", "MiB", (largest,), each, remarks=(told,)),
            Row(f"memory {when}: all with gateway", "MiB", (sum(held.values()),), together),
        ]

    # --- submissions ---

    def submissions(self) -> list[Row]:
        """Accepted, and drained into cases."""
        rates, p95s, drained, bare = [], [], [], []
        used: list[float] = []
        self._accept(0.5)
        self.stand.settle()
        for _ in range(self.plan.runs):
            bare.append(self._watch(lambda: confirmed_publishing(self.stand.system.amqp_url, CLIENTS, 1.5), "bare"))
            tally = self._watch(lambda: self._accept(self.plan.seconds), "submissions")
            before, began = self.stand.cases(), time.perf_counter()
            while (there := self.stand.cases()) < self.stand.filed:
                time.sleep(0.05)
            drained.append((there - before) / (time.perf_counter() - began))
            rates.append(tally.rate)
            p95s.append(percentile(tally.seconds, 0.95) * 1000)
            used.append(tally.generator / tally.took)
            self.say(f"  accepted {rates[-1]:.0f}/s, p95 {p95s[-1]:.0f} ms; drained {drained[-1]:.0f}/s")
            self.stand.settle()
        generator = f"the load generator used {max(used):.0%} of one core"
        yardstick = Yardstick("bare confirmed publishing by pika", tuple(bare), Bar(0.12))
        return [
            Row("submissions accepted", "1/s", tuple(rates), Bar(1_500), yardstick, (generator,)),
            Row(f"their p95 at {CLIENTS} clients", "ms", tuple(p95s), Bar(100, at_most=True)),
            Row("drained into cases", "1/s", tuple(drained), Bar(600)),
        ]

    def _accept(self, seconds: float) -> Tally:
        async def turn(connection: Connection, tally: Tally) -> None:
            began = time.perf_counter()
            answer = await connection.ask(self.stand.submission())
            if tally.add(began, answer, CREATED):
                self.stand.took(answer)

        return _without_errors(load.run(load.during(self.stand.url, CLIENTS, seconds, turn)))

    # --- status by code ---

    def status(self) -> list[Row]:
        """Each code once: not cached. A few codes again and again: cached."""
        fresh, cached = [], []
        codes = self.stand.fresh_codes(self.plan.codes * self.plan.runs + 500)
        few = [status_of(code) for code in codes[-500:]]
        load.run(load.each(self.stand.url, CLIENTS, few))
        for run in range(self.plan.runs):
            asked = [status_of(code) for code in codes[run * self.plan.codes : (run + 1) * self.plan.codes]]
            fresh.append(self._watch(lambda asked=asked: self._ask(asked), "not cached"))  # type: ignore[misc]  # mypy cannot infer a lambda with defaults
            again = few * max(1, int(self.plan.seconds * 10))
            cached.append(self._watch(lambda again=again: self._ask(again), "cached"))  # type: ignore[misc]  # as above
            self.say(f"  {fresh[-1].rate:.0f}/s not cached, {cached[-1].rate:.0f}/s cached")
        generator = f"the load generator used {max(one.generator / one.took for one in cached):.0%} of one core"
        return [
            Row("status by code, not cached", "1/s", tuple(one.rate for one in fresh), Bar(1_000)),
            Row("status by code, cached", "1/s", tuple(one.rate for one in cached), Bar(5_000), remarks=(generator,)),
        ]

    def _ask(self, requests: list[bytes]) -> Tally:
        return _without_errors(load.run(load.each(self.stand.url, CLIENTS, requests)))

    # --- lifecycles ---

    def lifecycles(self) -> list[Row]:
        """Submit, wait for the case, screen, assign, decide, search; and the peer's create, assign, resolve, read."""
        life = Lifecycle(self.stand)
        tallies, theirs, filled = [], [], []
        load.run(load.during(self.stand.url, LIFECYCLE_CLIENTS, 0.5, life.turn))
        for _ in range(self.plan.runs):
            life.requests.clear()
            tally = self._watch(
                lambda: load.run(load.during(self.stand.url, LIFECYCLE_CLIENTS, self.plan.seconds, life.turn)),
                "lifecycles",
            )
            tallies.append((_without_errors(tally), percentile(life.requests, 0.95) * 1000))
            self.say(f"  {tally.rate:.0f} lifecycles/s, p95 of a request {tallies[-1][1]:.0f} ms")
            self.stand.settle()
        yardstick = None
        if self.peer is not None:
            best = self._best_of_peer(self.peer)
            for _ in range(self.plan.runs):
                theirs.append(self._watch(lambda: self.peer and self.peer.lifecycles(best, self.plan.seconds), "peer"))
                self.say(f"  django-helpdesk: {theirs[-1]:.1f} lifecycles/s")
            name = f"django-helpdesk, {best} client{'s' if best > 1 else ''}"
            yardstick = Yardstick(name, tuple(theirs), Bar(10))
            if tickets := self.plan.tickets:
                filled.append(
                    self._watch(lambda: self.peer and self.peer.lifecycles(best, self.plan.seconds, tickets), "peer")
                )
                self.say(f"  beside {tickets:,} tickets: {filled[-1]:.1f} lifecycles/s")
        beside = tuple(
            f"django-helpdesk beside {self.plan.tickets:,} tickets: {plain(rate)}/s; Peygir beside {self.stand.cases():,} cases"
            for rate in filled
        )
        whole = tuple(percentile(tally.seconds, 0.5) * 1000 for tally, _ in tallies)
        return [
            Row(
                "lifecycles",
                "1/s",
                tuple(tally.rate for tally, _ in tallies),
                Bar(100),
                yardstick,
                (f"{LIFECYCLE_CLIENTS} clients; the load generator used {_share(tallies[0][0])} of one core", *beside),
            ),
            Row("lifecycles: p95 of a request", "ms", tuple(p95 for _, p95 in tallies)),
            Row("lifecycles: half are whole within", "ms", whole),
        ]

    def _best_of_peer(self, peer: Peer) -> int:
        rates = {number: peer.lifecycles(number, min(2.0, self.plan.seconds)) for number in PEER_CLIENTS}
        self.say("  django-helpdesk by clients: " + ", ".join(f"{n}: {rate:.1f}/s" for n, rate in rates.items()))
        return max(rates, key=lambda number: rates[number])

    # --- spikes ---

    def spikes(self) -> list[Row]:
        """Lifecycles begun at a given pace, whatever has become of those before."""
        life = Lifecycle(self.stand)
        self._watch(lambda: load.run(self._spikes(life)), "spikes")
        slow_after = _recovery(life.moments, self.plan.step)
        self.say(f"  {len(life.whole)} lifecycles, {len(life.errors)} errors")
        whole = percentile(life.whole, 0.95) * 1000
        errors = tuple(sorted(set(life.errors))[:3])
        return [
            Row("spikes: errors", "", (float(len(life.errors)),), Bar(0, at_most=True), remarks=errors),
            Row("spikes: p95 of a request", "ms", (percentile(life.requests, 0.95) * 1000,), Bar(250, at_most=True)),
            Row("spikes: p95 of a whole lifecycle", "ms", (whole,)),
            Row("spikes: normal again after", "s", (slow_after,), Bar(5, at_most=True)),
        ]

    async def _spikes(self, life: Lifecycle) -> None:
        free = [Connection(self.stand.url) for _ in range(8)]
        lives: set[asyncio.Task[None]] = set()

        async def live() -> None:
            connection = free.pop() if free else Connection(self.stand.url)
            try:
                await life.live(connection)
            finally:
                free.append(connection)

        life.began = time.perf_counter()
        for step, pace in enumerate(SPIKES):
            for place in range(int(pace * self.plan.step)):
                due = life.began + step * self.plan.step + place / pace
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                lives.add(asyncio.create_task(live()))
            await asyncio.sleep(max(0.0, life.began + (step + 1) * self.plan.step - time.perf_counter()))
        await asyncio.gather(*lives)
        for connection in free:
            connection.close()

    # --- uploads ---

    def upload(self) -> list[Row]:
        """One large file through the gateway, and to the S3 server directly."""
        upload = Upload(self.stand, self.plan.mebibytes)
        upload.warm_up()
        through, direct, grown = [], [], []
        for _ in range(self.plan.runs):
            direct.append(self._watch(upload.directly, "direct upload"))
            pid = self.stand.pid("gateway")
            machine.forget_peak(pid)
            before = machine.resident(pid)
            through.append(self._watch(upload.through_the_gateway, "upload"))
            grown.append(machine.peak(pid) - before)
            self.say(f"  {through[-1]:.0f} MiB/s through the gateway, {direct[-1]:.0f} MiB/s directly")
        yardstick = Yardstick("PUT to the S3 server", tuple(direct), Bar(0.5))
        size = self.plan.mebibytes
        return [
            Row(f"upload of {size} MiB through the gateway", "MiB/s", tuple(through), None, yardstick),
            Row("upload: gateway memory grows by", "MiB", tuple(grown), Bar(32, at_most=True)),
        ]

    # --- each measurement ---

    def _watch(self, measure: Callable[[], Any], name: str) -> Any:
        """Waits until the machine is quiet, measures, and says when others disturbed it."""
        busy = machine.await_quiet(self.plan.patience)
        if busy > machine.DISTURBED:
            self.say(f"  warning: {busy:.0%} of the machine is at other work before '{name}'")
        with machine.watched() as watch:
            measured = measure()
        if watch.others > machine.DISTURBED:
            self.say(f"  warning: others used {watch.others:.0%} of the machine during '{name}'")
        return measured


class Lifecycle:
    """A complaint's life over HTTP. `requests`, `whole`: seconds of each request and of each life; `moments`: when each
    request ended, in seconds since `began`, and how long it took."""

    def __init__(self, stand: Stand) -> None:
        self._stand = stand
        self.requests: list[float] = []
        self.whole: list[float] = []
        self.moments: list[tuple[float, float]] = []
        self.errors: list[str] = []
        self.began = time.perf_counter()
        screener, inspector = stand.member("screener"), stand.member("inspector")
        self._screener = {"Authorization": f"Bearer {screener.token}"}
        self._inspector = {"Authorization": f"Bearer {inspector.token}"}
        self._assignment = json.dumps({"inspector": inspector.staff_id}).encode()
        decision = {"outcome": "upheld", "reasons": "گزارش درست بود و جبران شد.", "root_causes": ["process"]}
        self._decision = json.dumps(decision).encode()

    async def turn(self, connection: Connection, tally: Tally) -> None:
        began = time.perf_counter()
        try:
            await self._live(connection)
        except _Unwished as error:
            tally.errors.append(str(error))
        else:
            tally.seconds.append(time.perf_counter() - began)

    async def live(self, connection: Connection) -> None:
        """One life; what goes wrong is among `errors`."""
        began = time.perf_counter()
        try:
            await self._live(connection)
        except (_Unwished, load.Broken, OSError) as error:
            self.errors.append(str(error))
        else:
            self.whole.append(time.perf_counter() - began)

    async def _live(self, connection: Connection) -> None:
        filed = await self._ask(connection, self._stand.submission(), CREATED)
        self._stand.filed += 1
        code = between(filed.body, b'"tracking_code":"')
        while True:
            await asyncio.sleep(_POLL)
            seen = await self._ask(connection, status_of(code))
            if b'"stage":"registering"' not in seen.body:
                break
        case = "/v1/cases/" + between(seen.body, b'"case_id":"')
        done = await self._ask(connection, self._command(f"{case}/screening", self._screener, 1, b"{}"))
        number = between(done.body, b'"number":"')
        await self._ask(connection, self._command(f"{case}/assignment", self._screener, 2, self._assignment))
        await self._ask(connection, self._command(f"{case}/decision", self._inspector, 3, self._decision))
        found = await self._ask(
            connection, load.request("GET", f"/v1/cases?limit=5&text={quote(number)}", self._screener)
        )
        if f'"number":"{number}"'.encode() not in found.body:
            raise _Unwished("the case was not found by its number")

    async def _ask(self, connection: Connection, request: bytes, wished: int = 200) -> load.Answer:
        began = time.perf_counter()
        answer = await connection.ask(request)
        ended = time.perf_counter()
        self.requests.append(ended - began)
        self.moments.append((ended - self.began, ended - began))
        if answer.status != wished:
            raise _Unwished(f"{answer.status}: {answer.body[:200].decode(errors='replace')}")
        return answer

    def _command(self, path: str, who: dict[str, str], version: int, body: bytes) -> bytes:
        once = {"Idempotency-Key": uuid.uuid4().hex, "If-Match": f'"{version}"'}
        return load.request("POST", path, who | once, body)


class _Unwished(Exception):
    """An answer that ends a lifecycle."""


def status_of(code: str) -> bytes:
    """Where is my case, as a request."""
    return load.request("GET", "/v1/tracking", {"Tracking-Code": code})


def _recovery(moments: Sequence[tuple[float, float]], step: float) -> float:
    """Seconds after a spike's end until its last slow answer; the worst of the spikes."""
    worst = 0.0
    for at, pace in enumerate(SPIKES[:-1]):
        if SPIKES[at + 1] < pace:
            ended, next_spike = (at + 1) * step, (at + 2) * step
            slow = [end - ended for end, took in moments if ended <= end < next_spike and took > SLOW]
            worst = max([worst, *slow])
    return worst


def _share(tally: Tally) -> str:
    return f"{tally.generator / tally.took:.0%}"


def _without_errors(tally: Tally) -> Tally:
    if tally.errors:
        raise RuntimeError(f"{len(tally.errors)} answers were not as wished, the first: {tally.errors[0]}")
    return tally
