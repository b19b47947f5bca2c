"""`./peygir bench fill|plans|million`: a city of a million cases, in .peygir/bench/city, and what is measured in it."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from benchmarks import figures, machine, plans
from benchmarks.city import filled_system
from benchmarks.city.fill import CannotFill
from benchmarks.figures import Row
from benchmarks.million import Million
from benchmarks.rows import QUICK, Plan
from deploy.local.child_process import CannotStart
from deploy.local.environment import ROOT, state_folder
from deploy.local.processes import System, remove

COMMANDS = ("fill", "plans", "million")
PLANS = ROOT / "benchmarks" / "PLANS.md"
RESULTS = ROOT / "benchmarks" / "RESULTS.md"

Say = Callable[[str], None]


def main(arguments: Sequence[str], say: Say) -> int:
    """0; 1 when it could not be done, or a plan reads a large table from end to end."""
    parser = argparse.ArgumentParser(prog="./peygir bench", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--cases", type=int, default=1_000_000, help="how many (1000000)")
    parser.add_argument("--quick", action="store_true", help="million: short runs")
    parser.add_argument("--write", action="store_true", help="put the figures into RESULTS.md, the plans into PLANS.md")
    parser.add_argument("--remove", action="store_true", help="take the city away at the end")
    options = parser.parse_args(arguments)
    # Servers given by the environment are somebody else's and are not filled.
    for variable in ("AMQP_URL", "DATABASE_URL", "S3_ENDPOINT"):
        os.environ.pop(variable, None)
    about = machine.describe()
    say("; ".join(f"{name} {value}" for name, value in about.items()))
    try:
        system = filled_system.start(say)
        try:
            return _DO[options.command](system, options, about, say)
        finally:
            say("stopping")
            system.stop()
            if options.remove:
                remove(filled_system.folder())
    except (CannotStart, CannotFill) as problem:
        print(f"peygir: {problem}", file=sys.stderr)
        return 1


def _fill(system: System, options: argparse.Namespace, about: dict[str, str], say: Say) -> int:
    if not filled_system.is_filled(system, options.cases):
        rate = filled_system.fill_system(system, options.cases, say)
        say(f"{options.cases:,} cases are there; {rate:,.0f}/s with the indexes")
    else:
        say(f"{options.cases:,} cases are there")
    return 0


def _plans(system: System, options: argparse.Namespace, about: dict[str, str], say: Say) -> int:
    _fill(system, options, about, say)
    urls = {
        name: system.database_url(name) for name in ("tracking", "intake", "notify", "insight", "media", "accounts")
    }
    for process in system.processes():  # or they would work on the same tables
        process.stop()
    measured = []
    for query in plans.plans(urls):
        measured.append(query)
        say(f"  {query.service} {query.name}: {query.took:.1f} ms {' '.join(query.read_whole)}")
    _keep("plans", plans.as_json(measured))
    if options.write:
        heading = f"{_heading(about)}; {options.cases:,} cases"
        PLANS.write_text(plans.page(measured, heading))
    for query in measured:
        if not query.sound:
            print(f"{query.service}, {query.name}, reads all of {', '.join(query.read_whole)}")
    return 0 if all(query.sound for query in measured) else 1


def _million(system: System, options: argparse.Namespace, about: dict[str, str], say: Say) -> int:
    # The spikes at full length: two seconds would not show how the system recovers.
    plan = replace(QUICK, step=Plan().step) if options.quick else Plan()
    measured = Million(system, plan, options.cases, say)
    kept = filled_system.folder() / "empty.json"
    if not kept.exists() and not filled_system.is_filled(system, options.cases):
        say("the empty system, to compare with")
        kept.write_text(json.dumps([row.as_json() for row in measured.before()], ensure_ascii=False))
    before = [_row(values) for values in json.loads(kept.read_text())] if kept.exists() else []
    fill_rows = []
    if not filled_system.is_filled(system, options.cases):
        began = time.monotonic()
        rate = filled_system.fill_system(system, options.cases, say)
        took = f"{options.cases:,} cases in {time.monotonic() - began:,.0f} s, indexes and statistics included"
        fill_rows.append(Row("cases filled", "1/s", (rate,), remarks=(took,)))
    rows = [*fill_rows, *before, *measured.after(before)]
    print(figures.table(rows))
    _keep(
        "million", json.dumps({"machine": about, "rows": [row.as_json() for row in rows]}, indent=1, ensure_ascii=False)
    )
    if options.write:
        written = f"\n{_heading(about)}; {options.cases:,} cases\n\n{figures.markdown(rows)}\n"
        RESULTS.write_text(figures.replace_figures(RESULTS.read_text(), written, figures.MILLION))
    return 0


def _heading(about: dict[str, str]) -> str:
    return "; ".join(f"{name} {value}" for name, value in about.items())


def _row(values: dict[str, Any]) -> Row:
    return Row(values["name"], values["unit"], tuple(values["runs"]), remarks=tuple(values["remarks"]))


def _keep(name: str, text: str) -> None:
    file = state_folder() / "bench" / f"{name}-{datetime.now(UTC):%Y%m%dT%H%M%S}.json"
    file.write_text(text)
    print(f"written to {file.relative_to(ROOT) if file.is_relative_to(ROOT) else file}")


_DO: dict[str, Callable[[System, argparse.Namespace, dict[str, str], Say], int]] = {
    "fill": _fill,
    "plans": _plans,
    "million": _million,
}
