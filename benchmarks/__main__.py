"""`./peygir bench`: measures every row of the design's table, or those named, beside its yardstick of the same run.
`./peygir bench fill`, `plans` and `million` are about a city of a million cases (--help of each)."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import UTC, datetime

from benchmarks import figures, machine, stand
from benchmarks.city import command as city
from benchmarks.peer import Peer
from benchmarks.rows import QUICK, Plan, Rows
from deploy.local.children import CannotStart
from deploy.local.environment import ROOT, state_folder
from deploy.local.processes import System, remove

NAMES = ("memory", "submissions", "status", "lifecycles", "spikes", "upload", "hostile")
RESULTS = ROOT / "benchmarks" / "RESULTS.md"
_BEGAN = time.monotonic()


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when everything was measured, whether or not the bars hold; 1 when something could not be."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and given[0] in city.COMMANDS:
        return city.main(given, say)
    parser = argparse.ArgumentParser(prog="./peygir bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"only these of {', '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="short runs, under three minutes in all")
    parser.add_argument("--without-peer", action="store_true", help="do not install and measure django-helpdesk")
    parser.add_argument("--write", action="store_true", help="put the figures into benchmarks/RESULTS.md")
    options = parser.parse_args(given)
    unknown = set(options.rows) - set(NAMES)
    if unknown:
        parser.error(f"there is no row {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    names = [name for name in NAMES if not options.rows or name in options.rows]
    try:
        return _measure(names, QUICK if options.quick else Plan(), options)
    except CannotStart as problem:
        print(f"peygir: {problem}", file=sys.stderr)
        return 1


def _measure(names: Sequence[str], plan: Plan, options: argparse.Namespace) -> int:
    began, about = time.monotonic(), machine.describe()
    say("; ".join(f"{name} {value}" for name, value in about.items()))
    if os.getloadavg()[0] > machine.BUSY_LOAD:
        say("warning: something else is at work on this machine, which takes from the figures")
    folder = state_folder() / "bench"
    system = stand.start(folder / "system", say)
    try:
        rows = _rows(system, names, plan, options)
    finally:
        say("stopping")
        system.stop()
        remove(folder / "system")
    say(f"measured in {time.monotonic() - began:.0f} s\n")
    print(figures.table(rows))
    told = {"machine": about, "quick": options.quick, "rows": [row.as_json() for row in rows]}
    file = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S}.json"
    file.write_text(json.dumps(told, indent=1, ensure_ascii=False))
    print(f"\nwritten to {file.relative_to(ROOT) if file.is_relative_to(ROOT) else file}")
    if options.write:
        heading = "; ".join(f"{name} {value}" for name, value in about.items())
        page = figures.renewed(RESULTS.read_text(), f"\n{heading}\n\n{figures.markdown(rows)}\n")
        RESULTS.write_text(page)
    return 0


def _rows(system: System, names: Sequence[str], plan: Plan, options: argparse.Namespace) -> list[figures.Row]:
    compared = "lifecycles" in names and not options.without_peer
    if compared:
        say("preparing django-helpdesk")
    with Peer(system, state_folder() / "bench" / "peer") if compared else nullcontext() as peer:
        rows = Rows(stand.Stand(system), peer, plan, say)
        found: list[figures.Row] = []
        for name in names:
            say(name)
            found += rows.all[name]()
        if "memory" in names and len(names) > 1:
            found += rows.memory_after()
        return found


def say(text: str) -> None:
    """With the seconds since the start: what takes long is seen."""
    print(f"{time.monotonic() - _BEGAN:4.0f} s  {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
