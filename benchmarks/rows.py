"""The rows of the table of measures, each with its runs (DESIGN: What must hold)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from benchmarks import hostile_bodies, load, machine
from benchmarks.api_user import CLIENTS
from benchmarks.django_helpdesk import DjangoHelpdesk
from benchmarks.figures import Bar, CpuCost, Row, Yardstick, percentile, plain
from benchmarks.lifecycle import LIFECYCLE_CLIENTS, Lifecycle, status_of
from benchmarks.load import Connection, Tally
from benchmarks.measured_system import MeasuredSystem, await_rest
from benchmarks.processor_time import ProcessorMeter, system_roots
from benchmarks.upload import Upload
from benchmarks.yardsticks import bare_rpc, confirmed_publishing, echo_service
from deploy.local.environment import SERVICES

Result = TypeVar("Result")

HELPDESK_CLIENTS = (1, 3, 6)
"""Tried one after the other; the best result of django-helpdesk counts."""
SPIKES = (1, 15, 1, 25, 2, 35, 10, 0)
"""Lifecycles begun per second, step by step."""
SLOW = 0.250
"""Seconds that a request may take at a spike (p95); above, load is not back to normal."""


@dataclass(frozen=True)
class Plan:
    """How long everything is measured. Times in seconds; `codes`: requested in one run of the status row; `tickets`: that
    django-helpdesk has in an additional run (Peygir has more cases by then), 0 for no such run; `rest`: for which idle CPU is
    measured."""

    runs: int = 3
    seconds: float = 8.0
    codes: int = 6_000
    step: float = 10.0
    mebibytes: int = 100
    patience: float = 30.0
    tickets: int = 1_000
    rest: float = 60.0


QUICK = Plan(seconds=2.0, codes=1_000, step=2.0, patience=3.0, tickets=0, rest=20.0)


class Rows:
    """Measures one system. `say` prints progress; `helpdesk`: None where it is left out."""

    def __init__(
        self, system: MeasuredSystem, helpdesk: DjangoHelpdesk | None, plan: Plan, say: Callable[[str], None]
    ) -> None:
        self.system, self.helpdesk, self.plan, self.say = system, helpdesk, plan, say
        self.users = system.users
        self.meter = ProcessorMeter(lambda: system_roots(system.system.state))
        self.all: dict[str, Callable[[], list[Row]]] = {
            "memory": self.memory,
            "idle": self.idle,
            "submissions": self.submissions,
            "status": self.status,
            "lifecycles": self.lifecycles,
            "spikes": self.spikes,
            "upload": self.upload,
            "hostile": lambda: [hostile_bodies.time_to_refusal(self.system, self.plan.runs)],
        }

    # --- memory ---

    def memory(self) -> list[Row]:
        """Resident memory at rest, of each service and of all with the gateway."""
        time.sleep(2)
        return self._memory("at rest", Bar(120, at_most=True), Bar(700, at_most=True))

    def memory_after(self) -> list[Row]:
        """The same after all other rows, when everything is at rest again."""
        self.system.settle()
        return self._memory("at rest after the load", None, None)

    def _memory(self, when: str, each: Bar | None, together: Bar | None) -> list[Row]:
        resident = {name: machine.resident(self.system.pid(name)) for name in (*SERVICES, "gateway")}
        by_process = ", ".join(f"{name} {mebibytes:.0f}" for name, mebibytes in resident.items())
        largest = max(resident[name] for name in SERVICES)
        return [
            Row(f"memory {when}: the largest service", "MiB", (largest,), each, remarks=(by_process,)),
            Row(f"memory {when}: all with gateway", "MiB", (sum(resident.values()),), together),
        ]

    # --- CPU at rest ---

    def idle(self) -> list[Row]:
        """What all processes use of this machine when nobody asks anything of them. Scaled beside it: a faster machine does not
        wake in proportion faster, so that the scaled figure is no better than a hint elsewhere."""
        await_rest(self.system.system.state)
        self.system.settle()
        self.meter.await_quiet()
        cost = self._measure(lambda: self.meter.at_rest(self.plan.rest), "idle")
        percent = {name: milliseconds / 10 for name, milliseconds in cost.by_process.items()}
        by_process = ", ".join(
            f"{name} {plain(share)}" for name, share in sorted(percent.items(), key=lambda item: -item[1])
        )
        scaled = f"scaled by the reference loop: {plain(cost.system * cost.scale / 10)}; over {self.plan.rest:.0f} s"
        return [Row("idle CPU", "% of a core", (cost.system / 10,), Bar(3, at_most=True), remarks=(by_process, scaled))]

    # --- submissions ---

    def submissions(self) -> list[Row]:
        """Accepted, and drained into cases."""
        rates, p95s, drained, bare = [], [], [], []
        used: list[float] = []
        costs: list[CpuCost] = []
        self._accept(0.5)
        self.system.settle()

        def accept_and_drain() -> Tally:
            tally = self._accept(self.plan.seconds)
            before, began = self.system.cases(), time.perf_counter()
            while (count := self.system.cases()) < self.users.filed:
                time.sleep(0.05)
            drained.append((count - before) / (time.perf_counter() - began))
            return tally

        for _ in range(self.plan.runs):
            bare.append(self._measure(lambda: confirmed_publishing(self.system.system.amqp_url, CLIENTS, 1.5), "bare"))
            tally = self._measure_cost("submission", accept_and_drain, answered, costs)
            rates.append(tally.rate)
            p95s.append(percentile(tally.seconds, 0.95) * 1000)
            used.append(tally.generator / tally.took)
            self.say(f"  accepted {rates[-1]:.0f}/s, p95 {p95s[-1]:.0f} ms; drained {drained[-1]:.0f}/s")
            self.system.settle()
        generator = f"the load generator used {max(used):.0%} of one core"
        yardstick = Yardstick("bare confirmed publishing by pika", tuple(bare), Bar(0.12))
        return [
            Row("submissions accepted", "1/s", tuple(rates), Bar(1_500), yardstick, (generator,), tuple(costs)),
            Row(f"their p95 at {CLIENTS} clients", "ms", tuple(p95s), Bar(100, at_most=True)),
            Row("drained into cases", "1/s", tuple(drained), Bar(600)),
        ]

    def _accept(self, seconds: float) -> Tally:
        return without_errors(load.run(load.during(self.system.url, CLIENTS, seconds, self.users.submit)))

    # --- status by code ---

    def status(self) -> list[Row]:
        """Each code once: not cached. A few codes again and again: cached."""
        with echo_service(self.system.system.amqp_url):
            return self._status()

    def _status(self) -> list[Row]:
        bare: list[float] = []
        fresh: list[Tally] = []
        cached: list[Tally] = []
        costs: list[CpuCost] = []
        costs_cached: list[CpuCost] = []
        codes = self.system.fresh_codes(self.plan.codes * self.plan.runs + 500)
        few = [status_of(code) for code in codes[-500:]]
        load.run(load.each(self.system.url, CLIENTS, few))
        for run in range(self.plan.runs):
            bare.append(self._measure(lambda: bare_rpc(self.system.system.amqp_url, CLIENTS, 1.5), "bare RPC"))
            requests = [status_of(code) for code in codes[run * self.plan.codes : (run + 1) * self.plan.codes]]
            fresh.append(self._measure_status("status", requests, costs))
            again = few * max(1, int(self.plan.seconds * 10))
            cached.append(self._measure_status("cached status", again, costs_cached))
            self.say(f"  {fresh[-1].rate:.0f}/s not cached, {cached[-1].rate:.0f}/s cached; bare RPC {bare[-1]:.0f}/s")
        generator = f"the load generator used {max(tally.generator / tally.took for tally in cached):.0%} of one core"
        return [
            Row(
                "status by code, not cached",
                "1/s",
                tuple(tally.rate for tally in fresh),
                Bar(1_000),
                Yardstick("bare RPC to a service of nameko", tuple(bare)),
                cpu=tuple(costs),
            ),
            Row(
                "status by code, cached",
                "1/s",
                tuple(tally.rate for tally in cached),
                Bar(5_000),
                remarks=(generator,),
                cpu=tuple(costs_cached),
            ),
        ]

    def _measure_status(self, unit: str, requests: list[bytes], costs: list[CpuCost]) -> Tally:
        return self._measure_cost(unit, lambda: self._send(requests), answered, costs)

    def _send(self, requests: list[bytes]) -> Tally:
        return without_errors(load.run(load.each(self.system.url, CLIENTS, requests)))

    # --- lifecycles ---

    def lifecycles(self) -> list[Row]:
        """Submit, wait for the case, screen, assign, decide, search; and django-helpdesk's create, assign, resolve, read."""
        lifecycle = Lifecycle(self.users)
        tallies, helpdesk_rates, filled = [], [], []
        costs: list[CpuCost] = []
        load.run(load.during(self.system.url, LIFECYCLE_CLIENTS, 0.5, lifecycle.run_counted))
        for _ in range(self.plan.runs):
            lifecycle.requests.clear()
            tally = self._measure_cost(
                "lifecycle",
                lambda: load.run(
                    load.during(self.system.url, LIFECYCLE_CLIENTS, self.plan.seconds, lifecycle.run_counted)
                ),
                answered,
                costs,
            )
            tallies.append((without_errors(tally), percentile(lifecycle.requests, 0.95) * 1000))
            self.say(f"  {tally.rate:.0f} lifecycles/s, p95 of a request {tallies[-1][1]:.0f} ms")
            self.system.settle()
        yardstick = None
        if self.helpdesk is not None:
            best = self._best_of_helpdesk(self.helpdesk)
            for _ in range(self.plan.runs):
                run = partial(self.helpdesk.lifecycles, best, self.plan.seconds)
                helpdesk_rates.append(self._measure(run, "django-helpdesk"))
                self.say(f"  django-helpdesk: {helpdesk_rates[-1]:.1f} lifecycles/s")
            name = f"django-helpdesk, {best} client{'s' if best > 1 else ''}"
            yardstick = Yardstick(name, tuple(helpdesk_rates), Bar(2.5))
            if tickets := self.plan.tickets:
                run = partial(self.helpdesk.lifecycles, best, self.plan.seconds, tickets)
                filled.append(self._measure(run, "django-helpdesk"))
                self.say(f"  beside {tickets:,} tickets: {filled[-1]:.1f} lifecycles/s")
        beside = tuple(
            f"django-helpdesk beside {self.plan.tickets:,} tickets: {plain(rate)}/s; Peygir beside {self.system.cases():,} cases"
            for rate in filled
        )
        whole = tuple(percentile(tally.seconds, 0.5) * 1000 for tally, _ in tallies)
        return [
            Row(
                "lifecycles",
                "1/s",
                tuple(tally.rate for tally, _ in tallies),
                Bar(60),
                yardstick,
                (f"{LIFECYCLE_CLIENTS} clients; the load generator used {_share(tallies[0][0])} of one core", *beside),
                tuple(costs),
            ),
            Row("lifecycles: p95 of a request", "ms", tuple(p95 for _, p95 in tallies)),
            Row("lifecycles: half are whole within", "ms", whole),
        ]

    def _best_of_helpdesk(self, helpdesk: DjangoHelpdesk) -> int:
        rates = {number: helpdesk.lifecycles(number, min(2.0, self.plan.seconds)) for number in HELPDESK_CLIENTS}
        self.say("  django-helpdesk by clients: " + ", ".join(f"{n}: {rate:.1f}/s" for n, rate in rates.items()))
        return max(rates, key=lambda number: rates[number])

    # --- spikes ---

    def spikes(self) -> list[Row]:
        """Lifecycles begun at a given pace, whether or not those before have ended."""
        lifecycle = Lifecycle(self.users)
        costs: list[CpuCost] = []
        self._measure_cost(
            "lifecycle at spikes",
            lambda: load.run(self._spikes(lifecycle)),
            lambda _: max(1, len(lifecycle.whole)),
            costs,
        )
        slow_after = _recovery(lifecycle.moments, self.plan.step)
        self.say(f"  {len(lifecycle.whole)} lifecycles, {len(lifecycle.errors)} errors")
        whole = percentile(lifecycle.whole, 0.95) * 1000
        errors = tuple(sorted(set(lifecycle.errors))[:3])
        return [
            Row(
                "spikes: errors",
                "",
                (float(len(lifecycle.errors)),),
                Bar(0, at_most=True),
                remarks=errors,
                cpu=tuple(costs),
            ),
            Row(
                "spikes: p95 of a request", "ms", (percentile(lifecycle.requests, 0.95) * 1000,), Bar(250, at_most=True)
            ),
            Row("spikes: p95 of a whole lifecycle", "ms", (whole,)),
            Row("spikes: normal again after", "s", (slow_after,), Bar(5, at_most=True)),
        ]

    async def _spikes(self, lifecycle: Lifecycle) -> None:
        free = [Connection(self.system.url) for _ in range(8)]
        running: set[asyncio.Task[None]] = set()

        async def run_one() -> None:
            connection = free.pop() if free else Connection(self.system.url)
            try:
                await lifecycle.run(connection)
            finally:
                free.append(connection)

        lifecycle.began = time.perf_counter()
        for step, pace in enumerate(SPIKES):
            for place in range(int(pace * self.plan.step)):
                due = lifecycle.began + step * self.plan.step + place / pace
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                running.add(asyncio.create_task(run_one()))
            await asyncio.sleep(max(0.0, lifecycle.began + (step + 1) * self.plan.step - time.perf_counter()))
        await asyncio.gather(*running)
        for connection in free:
            connection.close()

    # --- uploads ---

    def upload(self) -> list[Row]:
        """One large file through the gateway, and to the S3 server directly."""
        upload = Upload(self.system, self.plan.mebibytes)
        upload.warm_up()
        through, direct, grown = [], [], []
        costs: list[CpuCost] = []
        for _ in range(self.plan.runs):
            direct.append(self._measure(upload.directly, "direct upload"))
            pid = self.system.pid("gateway")
            machine.reset_peak(pid)
            before = machine.resident(pid)
            through.append(
                self._measure_cost(
                    "uploaded MiB", upload.through_the_gateway, lambda _: float(self.plan.mebibytes), costs
                )
            )
            grown.append(machine.peak(pid) - before)
            self.say(f"  {through[-1]:.0f} MiB/s through the gateway, {direct[-1]:.0f} MiB/s directly")
        yardstick = Yardstick("PUT to the S3 server", tuple(direct), Bar(0.5))
        size = self.plan.mebibytes
        return [
            Row(
                f"upload of {size} MiB through the gateway", "MiB/s", tuple(through), None, yardstick, (), tuple(costs)
            ),
            Row("upload: gateway memory grows by", "MiB", tuple(grown), Bar(32, at_most=True)),
        ]

    # --- each measurement ---

    def _measure_cost(
        self, unit: str, work: Callable[[], Result], units: Callable[[Result], float], costs: list[CpuCost]
    ) -> Result:
        """The result of `work`, measured as below; what each of its `units` cost is added to `costs`."""
        result, cost = self._measure(lambda: self.meter.cost_of(unit, work, units), unit)
        costs.append(cost)
        self.say(f"  CPU {plain(cost.system * cost.scale)} ms for each {unit}, measured {plain(cost.system)} ms")
        return result

    def _measure(self, measure: Callable[[], Result], name: str) -> Result:
        """Waits until the machine is idle, measures, and warns when other processes disturbed it."""
        busy = machine.await_idle(self.plan.patience)
        if busy > machine.DISTURBED:
            self.say(f"  warning: {busy:.0%} of the machine is busy with other processes before '{name}'")
        with machine.measuring_others() as other_load:
            result = measure()
        if other_load.others > machine.DISTURBED:
            self.say(f"  warning: other processes used {other_load.others:.0%} of the machine during '{name}'")
        return result


def _recovery(moments: Sequence[tuple[float, float]], step: float) -> float:
    """Seconds after a spike's end until its last slow answer; the worst of the spikes."""
    worst = 0.0
    for number, pace in enumerate(SPIKES[:-1]):
        if SPIKES[number + 1] < pace:
            ended, next_spike = (number + 1) * step, (number + 2) * step
            slow = [end - ended for end, took in moments if ended <= end < next_spike and took > SLOW]
            worst = max([worst, *slow])
    return worst


def _share(tally: Tally) -> str:
    return f"{tally.generator / tally.took:.0%}"


def answered(tally: Tally) -> float:
    """How much was done as expected."""
    return len(tally.seconds)


def without_errors(tally: Tally) -> Tally:
    if tally.errors:
        raise RuntimeError(f"{len(tally.errors)} answers were not as expected, the first: {tally.errors[0]}")
    return tally
