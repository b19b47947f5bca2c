"""`./peygir bench`: measures every row of the design's table, or those named, beside its yardstick of the same run.
`./peygir bench fill`, `plans` and `million` are about a city of a million cases, `statements` about the database driver (--help
of each)."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime

from backbone.process import logs
from benchmarks import against, figures, machine, measured_system, statements
from benchmarks.city import command as city
from benchmarks.django_helpdesk import DjangoHelpdesk
from benchmarks.rows import QUICK, Plan, Rows
from deploy.local.child_process import CannotStart
from deploy.local.environment import ROOT, state_folder
from deploy.local.processes import System, remove

NAMES = ("memory", "idle", "submissions", "status", "lifecycles", "spikes", "upload", "hostile")
RESULTS = ROOT / "benchmarks" / "RESULTS.md"
_BEGAN = time.monotonic()


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when everything was measured, whether or not the bars hold; 1 when something could not be, or when the working tree is
    worse than the commit it is compared with."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and words[0] in city.COMMANDS:
        return city.main(words, say)
    if words[:1] == ["statements"]:
        return statements.main(words[1:], say)
    parser = argparse.ArgumentParser(prog="./peygir bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"only these of {', '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="short runs, under three minutes in all")
    parser.add_argument("--without-peer", action="store_true", help="do not install and measure django-helpdesk")
    parser.add_argument("--write", action="store_true", help="put the figures into benchmarks/RESULTS.md")
    parser.add_argument("--against", metavar="COMMIT", help="compare with another commit, in alternation; 1 when worse")
    parser.add_argument("--rounds", type=int, help="with --against: measurements of each (5; 3 with --quick)")
    options = parser.parse_args(words)
    unknown = set(options.rows) - set(NAMES)
    if unknown:
        parser.error(f"there is no row {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    plan = QUICK if options.quick else Plan()
    logs.configure("bench", "error")
    try:
        if options.against:
            return _compare(options, plan, parser)
        names = [name for name in NAMES if not options.rows or name in options.rows]
        return _measure(names, plan, options)
    except CannotStart as problem:
        print(f"peygir: {problem}", file=sys.stderr)
        return 1


def _compare(options: argparse.Namespace, plan: Plan, parser: argparse.ArgumentParser) -> int:
    names = options.rows or ["lifecycles"]
    without = set(names) - set(against.ROWS)
    if without:
        parser.error(f"{', '.join(sorted(without))} cannot be compared; {', '.join(against.ROWS)} can")
    rounds = options.rounds or (3 if options.quick else 5)
    return against.compare(options.against, names, replace(plan, seconds=max(plan.seconds, 4.0)), rounds, say)


def _measure(names: Sequence[str], plan: Plan, options: argparse.Namespace) -> int:
    began, about = time.monotonic(), machine.describe()
    say("; ".join(f"{name} {value}" for name, value in about.items()))
    if os.getloadavg()[0] > machine.BUSY_LOAD:
        say("warning: other processes are busy on this machine, which lowers the figures")
    folder = state_folder() / "bench"
    system = measured_system.start(folder / "system", say)
    try:
        rows = _rows(system, names, plan, options)
    finally:
        say("stopping")
        system.stop()
        remove(folder / "system")
    say(f"measured in {time.monotonic() - began:.0f} s\n")
    print(figures.table(rows))
    content = {"machine": about, "quick": options.quick, "rows": [row.as_json() for row in rows]}
    file = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S}.json"
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False))
    print(f"\nwritten to {file.relative_to(ROOT) if file.is_relative_to(ROOT) else file}")
    if options.write:
        heading = "; ".join(f"{name} {value}" for name, value in about.items())
        page = figures.replace_figures(RESULTS.read_text(), f"\n{heading}\n\n{figures.markdown(rows)}\n")
        RESULTS.write_text(page)
    return 0


def _rows(system: System, names: Sequence[str], plan: Plan, options: argparse.Namespace) -> list[figures.Row]:
    with_helpdesk = "lifecycles" in names and not options.without_peer
    if with_helpdesk:
        say("preparing django-helpdesk")
    with DjangoHelpdesk(system, state_folder() / "bench" / "peer") if with_helpdesk else nullcontext() as helpdesk:
        rows = Rows(measured_system.MeasuredSystem(system), helpdesk, plan, say)
        measured: list[figures.Row] = []
        for name in names:
            say(name)
            measured += rows.all[name]()
        if "memory" in names and len(names) > 1:
            measured += rows.memory_after()
        return measured


def say(text: str) -> None:
    """Prints progress, with the seconds since the start."""
    print(f"{time.monotonic() - _BEGAN:4.0f} s  {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
