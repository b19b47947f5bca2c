"""`./peygir up`: everything on this machine, until Ctrl-C."""

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from deploy.local import packages, ports
from deploy.local.child_process import CannotStart
from deploy.local.environment import state_folder
from deploy.local.processes import System
from deploy.local.rabbitmq import RABBITMQ_MISSING, RabbitMQ
from deploy.local.supervision import watch


class _Stop(BaseException):
    """A signal asks the launcher to stop."""


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0 stopped as asked, 1 could not start."""
    parser = argparse.ArgumentParser(prog="./peygir up", description="Start all of Peygir; Ctrl-C stops it.")
    parser.add_argument("--port", type=int, help="where the web pages and the API are (8000, or GATEWAY_PORT)")
    parser.add_argument("--host", help="the address they listen on (127.0.0.1, or GATEWAY_HOST)")
    parser.add_argument("--no-seed", action="store_true", help="no sample catalogue, no demo staff")
    options = parser.parse_args(arguments)
    try:
        port = options.port or int(os.environ.get("GATEWAY_PORT") or 8000)
    except ValueError:
        parser.error(f"GATEWAY_PORT is {os.environ['GATEWAY_PORT']!r}, which is no port")
    system = System(
        state_folder(),
        port,
        gateway_host=options.host or os.environ.get("GATEWAY_HOST") or "127.0.0.1",
        seed=not options.no_seed,
        report=_report,
    )
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        began = time.monotonic()
        _check(system, port)
        system.start()
        print(_summary(system, time.monotonic() - began), flush=True)
        for line in watch(system):
            if line:
                _report(line)
            else:
                time.sleep(0.5)
    except (CannotStart, packages.CannotInstall) as problem:
        print(f"peygir: {problem}", file=sys.stderr)
        return 1
    except _Stop:
        _shut_down(system)
    return 0


def _check(system: System, port: int) -> None:
    """Checks what can be checked before anything is started."""
    if system.runs_elsewhere():
        return  # `start` reports it; the port is in use by that process
    if not ports.is_free(port, system.host):
        raise CannotStart(_port_in_use(port, system.host))
    if not os.environ.get("AMQP_URL") and RabbitMQ.binary() is None:
        if os.environ.get("PEYGIR_RABBITMQ_SERVER") or os.geteuid() != 0:
            raise CannotStart(RABBITMQ_MISSING)
        _report("installing rabbitmq-server, which is missing (the system's own broker is not started)")
        packages.install("rabbitmq-server")


def _port_in_use(port: int, host: str) -> str:
    holder = ports.holder(port)
    by = f" by {holder}" if holder else ""
    free = next(other for other in range(port + 1, 65_536) if ports.is_free(other, host))
    return f"Port {port} is taken{by}: stop that, or choose another with `./peygir up --port {free}`."


def _summary(system: System, seconds: float) -> str:
    url = system.gateway_url
    lines = [
        "",
        f"Peygir is running ({seconds:.0f} s).",
        "",
        f"  web pages      {url}/",
        f"  API            {url}/v1/openapi.json",
        f"  phones         {system.simulator_url}/  (the SMS provider simulator)",
        f"  logs           {_short(system.state / 'log')}/",
        "",
    ]
    if system.seed_output.strip():
        lines += [f"  {line}".rstrip() for line in system.seed_output.strip().splitlines()] + [""]
        lines += [*_accounts(Path(system.values["PEYGIR_CREDENTIALS"])), ""]
    lines += [
        "  ./peygir demo in another terminal plays a complaint from end to end. Ctrl-C stops everything.",
        "",
    ]
    return "\n".join(lines)


def _accounts(file: Path) -> list[str]:
    """The demo staff and their credentials, which are for this folder's data alone."""
    try:
        accounts = json.loads(file.read_text())
    except (OSError, ValueError):
        return []
    rows = [("account", "unit", "password", "secret for an authenticator app (TOTP)")]
    rows += [
        (name, account["unit"] or "", account["password"] or "(changed)", account["totp_secret"] or "(changed)")
        for name, account in accounts.items()
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return ["  " + "  ".join((*map(str.ljust, row, widths), row[3])) for row in rows]


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _shut_down(system: System) -> None:
    def kill_at_once(number: int, frame: FrameType | None) -> None:
        system.kill()
        print("peygir: killed", file=sys.stderr, flush=True)
        os._exit(0)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, kill_at_once)
    _report("stopping (Ctrl-C again kills at once)")
    system.stop()
    _report(f"stopped; the data stays in {_short(system.state)}/")


def _stop(number: int, frame: FrameType | None) -> None:
    raise _Stop


def _report(text: str) -> None:
    print(f"peygir: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
