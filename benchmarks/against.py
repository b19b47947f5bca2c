"""`./peygir bench --against COMMIT`: the working tree and another commit, measured in alternation on this machine."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime

from benchmarks import load, machine
from benchmarks.api_user import CLIENTS
from benchmarks.comparison import (
    CPU_AT_REST,
    CPU_OF_ALL,
    CPU_OF_PROCESS,
    FOR_INFORMATION,
    LATENCY,
    MEMORY,
    RATE,
    Comparison,
    Kind,
    table,
)
from benchmarks.figures import CpuCost, percentile, plain
from benchmarks.lifecycle import LIFECYCLE_CLIENTS, Lifecycle, status_of
from benchmarks.measured_system import await_rest
from benchmarks.rows import Plan, answered, without_errors
from benchmarks.running_tree import RunningTree, worktree
from deploy.local.environment import ROOT, state_folder
from deploy.local.processes import remove

Say = Callable[[str], None]
Figures = dict[str, tuple[Kind, float]]
"""Name → kind and value, of one round."""

_WARM_UP = 2.0


def compare(commit: str, names: Sequence[str], plan: Plan, rounds: int, say: Say) -> int:
    """0; 1 when a figure of the working tree is worse by more than its tolerance beyond the spread of the rounds."""
    about = machine.describe()
    say("; ".join(f"{name} {value}" for name, value in about.items()))
    folder = state_folder() / "bench" / "against"
    remove(folder)
    folder.mkdir(parents=True)
    try:
        with ExitStack() as stack:
            tree = stack.enter_context(worktree(commit, folder, state_folder() / "bench" / "environments", say))
            systems = [
                RunningTree("the working tree", ROOT, folder / "working-tree", say),
                RunningTree(commit, tree, folder / "commit", say),
            ]
            for system in systems:
                stack.callback(system.stop)
                system.start()
            comparisons = [comparison for name in names for comparison in _measure(name, systems, plan, rounds, say)]
            say("stopping")
            for system in systems:
                system.ask_to_stop()
    finally:
        remove(folder)
    print(f"\n{table(comparisons, commit)}")
    worse = [comparison.name for comparison in comparisons if comparison.verdict == "worse"]
    print(f"\nworse than {commit}: {', '.join(worse)}" if worse else f"\nnothing is worse than {commit}")
    _keep(about, commit, comparisons)
    return 1 if worse else 0


def _measure(name: str, systems: Sequence[RunningTree], plan: Plan, rounds: int, say: Say) -> list[Comparison]:
    """One row of both systems, in alternation."""
    say(name)
    rows = [ROWS[name](system, plan) for system in systems]
    measured: list[list[Figures]] = [[] for _ in systems]
    for number in range(rounds):
        for row, system, figures in zip(rows, systems, measured, strict=True):
            busy = machine.await_idle(plan.patience)
            if busy > machine.DISTURBED:
                say(f"  warning: {busy:.0%} of the machine is busy")
            with machine.measuring_others() as other_load:
                figures.append(row())
            if other_load.others > machine.DISTURBED:
                say(f"  warning: other processes used {other_load.others:.0%} of the machine")
            summary = ", ".join(f"{figure} {plain(value)} {kind.unit}" for figure, (kind, value) in _main(figures[-1]))
            say(f"  round {number + 1} of {rounds}, {system.name}: {summary}")
    ours, theirs = measured
    return [
        Comparison(
            figure,
            kind,
            tuple(values.get(figure, (kind, 0.0))[1] for values in ours),
            tuple(values.get(figure, (kind, 0.0))[1] for values in theirs),
        )
        for figure, kind in _kinds([*ours, *theirs]).items()
    ]


def _main(figures: Figures) -> Iterable[tuple[str, tuple[Kind, float]]]:
    return [(name, figure) for name, figure in figures.items() if figure[0] is not CPU_OF_PROCESS][:5]


def _kinds(rounds: Iterable[Figures]) -> dict[str, Kind]:
    return {name: kind for figures in rounds for name, (kind, _) in figures.items()}


def _costs(cost: CpuCost) -> Figures:
    """Scaled CPU of a unit of work, by process; and what was measured, with the loop that it is scaled by."""
    names = sorted(cost.by_process, key=lambda name: -cost.by_process[name])
    scaled = cost.scaled()
    return {
        f"{cost.unit}: CPU of all": (CPU_OF_ALL, cost.system * cost.scale),
        f"{cost.unit}: CPU of all, not scaled": (FOR_INFORMATION, cost.system),
        f"{cost.unit}: reference loop": (FOR_INFORMATION, statistics.mean(cost.loop)),
        **{f"{cost.unit}: CPU of {name}": (CPU_OF_PROCESS, scaled[name]) for name in names},
    }


# --- the rows: each prepares a system and gives what measures it once ---


def _lifecycles(system: RunningTree, plan: Plan) -> Callable[[], Figures]:
    lifecycle = Lifecycle(system.users)

    def run(seconds: float) -> load.Tally:
        return load.run(load.during(system.url, LIFECYCLE_CLIENTS, seconds, lifecycle.run_counted))

    def measure() -> Figures:
        lifecycle.requests.clear()
        tally, cost = system.meter.cost_of("lifecycle", lambda: without_errors(run(plan.seconds)), answered)
        p95 = percentile(lifecycle.requests, 0.95) * 1000
        return {"lifecycles": (RATE, tally.rate), "p95 of a request": (LATENCY, p95), **_costs(cost)}

    run(_WARM_UP)
    system.meter.await_quiet()
    return measure


def _submissions(system: RunningTree, plan: Plan) -> Callable[[], Figures]:
    def run(seconds: float) -> load.Tally:
        return without_errors(load.run(load.during(system.url, CLIENTS, seconds, system.users.submit)))

    def measure() -> Figures:
        tally, cost = system.meter.cost_of("submission", lambda: run(plan.seconds), answered)
        p95 = percentile(tally.seconds, 0.95) * 1000
        return {"submissions": (RATE, tally.rate), "p95 of a submission": (LATENCY, p95), **_costs(cost)}

    run(_WARM_UP)
    system.meter.await_quiet()
    return measure


def _status(system: RunningTree, plan: Plan) -> Callable[[], Figures]:
    def measure() -> Figures:
        if len(system.users.codes) < plan.codes:
            system.users.file_until(plan.codes)
            system.meter.await_quiet()
        requests = [status_of(code) for code in system.users.take_codes(plan.codes)]
        tally, cost = system.meter.cost_of(
            "status", lambda: without_errors(load.run(load.each(system.url, CLIENTS, requests))), answered
        )
        return {"status by code, not cached": (RATE, tally.rate), **_costs(cost)}

    return measure


def _memory(system: RunningTree, plan: Plan) -> Callable[[], Figures]:
    def measure() -> Figures:
        system.meter.await_quiet()
        return {f"memory of {name}": (MEMORY, machine.resident(pid)) for name, pid in system.roots().items()}

    return measure


def _idle(system: RunningTree, plan: Plan) -> Callable[[], Figures]:
    def measure() -> Figures:
        system.meter.await_quiet()
        cost = system.meter.at_rest(plan.rest)
        percent = {name: milliseconds / 10 for name, milliseconds in cost.scaled().items()}
        names = sorted(percent, key=lambda name: -percent[name])
        return {
            "idle CPU": (CPU_AT_REST, sum(percent.values())),
            **{f"idle CPU of {name}": (CPU_AT_REST, percent[name]) for name in names},
        }

    await_rest(system.state)
    return measure


ROWS: dict[str, Callable[[RunningTree, Plan], Callable[[], Figures]]] = {
    "memory": _memory,
    "idle": _idle,
    "submissions": _submissions,
    "status": _status,
    "lifecycles": _lifecycles,
}


def _keep(about: dict[str, str], commit: str, comparisons: Sequence[Comparison]) -> None:
    content = {
        "machine": about,
        "against": commit,
        "figures": [
            {
                "name": comparison.name,
                "unit": comparison.kind.unit,
                "tree": comparison.tree,
                "commit": comparison.commit,
                "ratio": comparison.ratio,
                "spread": comparison.spread,
                "tolerance": comparison.kind.tolerance,
                "verdict": comparison.verdict,
            }
            for comparison in comparisons
        ],
    }
    file = state_folder() / "bench" / f"against-{datetime.now(UTC):%Y%m%dT%H%M%S}.json"
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False))
    print(f"written to {file.relative_to(ROOT) if file.is_relative_to(ROOT) else file}")
