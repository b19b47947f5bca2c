"""`./peygir test`: style, types, import rules, dead code, then every test against the real parts."""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.local import packages, ports
from deploy.local.environment import ROOT
from deploy.local.rabbitmq import RABBITMQ_MISSING, RabbitMQ

SUITES = ("unit", "component", "contract", "e2e", "resilience", "browser", "compose")
LANES = (("unit", "component", "contract"), ("e2e", "resilience", "browser"), ("compose",))
"""The first two go on at the same time, for each waits more than it works; the images have the machine for themselves."""
NOTHING = 5
"""pytest's exit code when no test was chosen."""
CODE = ("contracts", "texts", "backbone", "services", "gateway", "deploy")
CHROMIUM = ("chromium", "fonts-noto-core")  # the fonts hold Noto Naskh Arabic, which has the Persian letters


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 when everything passed."""
    parser = argparse.ArgumentParser(
        prog="./peygir test",
        description="Check style, types, import rules and dead code, then run the tests.",
        epilog="Whatever else is given goes to pytest: ./peygir test --only unit -k codes -x",
    )
    parser.add_argument("--long", action="store_true", help="the tests marked long too: most of tests/resilience")
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="SUITE",
        default=[],
        help=f"only these of tests/, without the checks of the code: {', '.join(SUITES)}",
    )
    options, for_pytest = parser.parse_known_args(arguments)
    # --only takes all words up to the next option; those that are no suite are pytest's (a path, say).
    chosen_suites = [name for name in options.only if name in SUITES]
    for_pytest = [name for name in options.only if name not in chosen_suites] + for_pytest
    if options.only and not chosen_suites:
        parser.error(f"--only wants one or more of {', '.join(SUITES)}")
    suites = chosen_suites or list(SUITES)
    suites = [suite for suite in suites if _has_tests(suite)]
    try:
        _install_missing(suites)
    except packages.CannotInstall as problem:
        print(f"peygir: {problem}", file=sys.stderr)
        return 1
    results = [_run(title, command) for title, command in ([] if chosen_suites else _checks())]
    if options.long:
        os.environ.setdefault("PEYGIR_SEED", "random")  # tests/support/seeds.py: worlds that nobody has seen before
    words = ["--durations=10", *([] if options.long else ["-m", "not long"]), *for_pytest]
    for_all = [list(suites)] if chosen_suites else [[suite for suite in lane if suite in suites] for lane in LANES]
    lanes = [
        (f"tests: {' '.join(lane)}", _python("pytest", *(f"tests/{suite}" for suite in lane), *words))
        for lane in for_all
        if lane
    ]
    beside = lanes[:2] if len(lanes) > 2 else []
    results += _run_beside(beside) if beside else []
    results += [_run(title, command) for title, command in lanes[len(beside) :]]
    return _sum_up(results)


def _checks() -> list[tuple[str, list[str]]]:
    code = [folder for folder in (*CODE, "tests", "benchmarks") if (ROOT / folder).is_dir()]
    return [
        ("style (ruff check)", _python("ruff", "check", *code)),
        ("format (ruff format)", _python("ruff", "format", "--check", *code)),
        ("types (mypy)", _python("mypy", *code)),
        ("import rules", [str(Path(sys.executable).with_name("lint-imports"))]),
        ("dead code (vulture)", _python("vulture", "--config", "tests/vulture.toml")),
    ]


def _install_missing(suites: Sequence[str]) -> None:
    """Debian packages that the suites need; as root they are installed, else one sentence says the command."""
    names: list[str] = []
    if {"component", "e2e", "browser", "resilience"}.intersection(suites) and RabbitMQ.binary() is None:
        if os.geteuid() != 0:
            raise packages.CannotInstall(RABBITMQ_MISSING)
        names.append("rabbitmq-server")
    if "browser" in suites and shutil.which("chromium") is None:
        names += CHROMIUM
    # The virus scanner's tests bring their own signatures, and are skipped with their reason where there is no scanner.
    wants_scanner = {"component", "e2e"}.intersection(suites) and not Path("/usr/sbin/clamd").exists()
    if wants_scanner and os.geteuid() == 0:
        names.append("clamav-daemon")
    # So do those of limits that several gateways share.
    shares_limits = "component" in suites and not (shutil.which("valkey-server") or shutil.which("redis-server"))
    if shares_limits and os.geteuid() == 0:
        names.append("redis-server")
    if names:
        print(f"peygir: installing {', '.join(names)}", flush=True)
        packages.install(*names)


def _has_tests(suite: str) -> bool:
    return any((ROOT / "tests" / suite).rglob("test_*.py"))


def _python(*words: str) -> list[str]:
    return [sys.executable, "-m", *words]


def _run(title: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> tuple[str, int, float]:
    print(f"\n== {title}", flush=True)
    began = time.monotonic()
    code = subprocess.run(command, cwd=ROOT, check=False, env=environment).returncode
    return title, code, time.monotonic() - began


def _run_beside(commands: Sequence[tuple[str, list[str]]]) -> list[tuple[str, int, float]]:
    """Two at the same time; what the first says is shown as it comes, what the second said when both are done."""
    first, (title, command) = commands
    with tempfile.TemporaryFile() as output:
        print(f"\n== {title}: at the same time, told below", flush=True)
        began = time.monotonic()
        # The first has pytest's memory of what failed last; two would overwrite each other's.
        middle = (ports.LOWEST + ports.HIGHEST) // 2
        others = {**os.environ, ports.RANGE: f"{middle + 1}-{ports.HIGHEST}"}
        second = subprocess.Popen(
            [*command, "-p", "no:cacheprovider"], cwd=ROOT, stdout=output, stderr=output, env=others
        )
        try:
            results = [_run(*first, {**os.environ, ports.RANGE: f"{ports.LOWEST}-{middle}"})]
            results.append((title, second.wait(), time.monotonic() - began))
        finally:
            second.send_signal(signal.SIGINT)  # stopped: it ends its own servers
            second.wait()
        output.seek(0)
        print(f"\n== {title}", flush=True)
        shutil.copyfileobj(output, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    return results


def _sum_up(results: Sequence[tuple[str, int, float]]) -> int:
    print()
    outcomes = {0: "passed", NOTHING: "nothing"}
    for title, code, seconds in results:
        print(f"{outcomes.get(code, 'FAILED'):7}  {seconds:6.0f} s  {title}")
    of_tests = [code for title, code, _ in results if title.startswith("tests: ")]
    # What is chosen by -k may all be in one lane; nothing at all is no success.
    return int(any(code not in outcomes for _, code, _ in results) or set(of_tests) == {NOTHING})


if __name__ == "__main__":
    sys.exit(main())
