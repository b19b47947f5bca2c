"""What a message costs: milliseconds of CPU for a minimal RPC and for a confirmed publication, by process.

    python -m benchmarks.messaging [--against TREE…] [--rounds N]

`TREE`: other checkouts, whose services take turns with this one's; the caller is this tree's gateway client each time.
Everything runs on one RabbitMQ node of its own. Figures are medians of the rounds, each given with its smallest and largest.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path

import pika
import psutil

from backbone.messaging import amqp, topology
from backbone.process import logs
from benchmarks.messaging_contracts import Done, Echo, Publish
from contracts.errors import PeygirError
from deploy.local.environment import ROOT
from deploy.local.parts import RabbitMQ
from gateway.rabbit.client import RabbitClient

CALLS, PUBLICATIONS = 1_000, 1_000
Figures = dict[str, dict[str, list[float]]]


def main() -> int:
    """0 when everything was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.messaging")
    parser.add_argument("--against", type=Path, metavar="TREE", nargs="*", default=[])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    logs.configure("bench", "error")
    trees = [ROOT, *(tree.resolve() for tree in options.against)]
    figures: dict[Path, Figures] = {tree: defaultdict(lambda: defaultdict(list)) for tree in trees}
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        broker = RabbitMQ(Path(folder) / "rabbitmq")
        broker.start()
        try:
            topology.declare(broker.url)
            for number in range(options.rounds):
                for tree in trees if number % 2 else reversed(trees):
                    asyncio.run(_round(broker, tree, figures[tree]))
                    _print(tree, figures[tree])
        finally:
            broker.stop()
    return 0


def _print(tree: Path, figures: Figures) -> None:
    print(f"\n{tree}", flush=True)
    for what, processes in figures.items():
        parts = (
            f"{process} {statistics.median(values):.3f} ({min(values):.3f}–{max(values):.3f})"
            for process, values in processes.items()
        )
        print(f"  {what}: {'; '.join(parts)}", flush=True)


async def _round(broker: RabbitMQ, tree: Path, figures: Figures) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(tree),
        "AMQP_URL": broker.url,
        "DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1/none",
        "LOG_LEVEL": "warning",
        "NICENESS": "0",
    }
    program = Path(__file__).with_name("messaging_service.py")
    service = subprocess.Popen([sys.executable, str(program)], cwd=tree, env=environment)  # noqa: ASYNC220  # nothing else runs yet
    client = RabbitClient(broker.url, "bench", rpc_timeout=60, rpc_deadline=60)
    await client.start()
    try:
        await _answered(client)
        processes = {"service": psutil.Process(service.pid), "broker": _beam(), "caller": psutil.Process()}
        for in_flight in (1, 10):
            await _measure(
                f"RPC, {in_flight} in flight",
                processes,
                CALLS,
                lambda flight=in_flight: _call(client, flight),  # type: ignore[misc]  # mypy cannot infer a lambda with defaults
                figures,
            )
        for together in (1, 50):
            await _measure(
                f"confirmed publication, {together} together",
                processes,
                PUBLICATIONS,
                lambda size=together: client.call(  # type: ignore[misc]  # mypy cannot infer a lambda with defaults
                    "bench", "publish", Publish(count=PUBLICATIONS, together=size), Done
                ),
                figures,
            )
    finally:
        await client.stop()
        service.terminate()
        service.wait(30)
        _purge(broker.url)


async def _call(client: RabbitClient, in_flight: int) -> None:
    async def ask_in_turn() -> None:
        for _ in range(CALLS // in_flight):
            await client.call("bench", "echo", Echo(text="how much is it?"), Done)

    await asyncio.gather(*(ask_in_turn() for _ in range(in_flight)))


async def _measure(
    what: str,
    processes: dict[str, psutil.Process],
    count: int,
    work: Callable[[], Awaitable[object]],
    figures: Figures,
) -> None:
    before = {name: _seconds(process) for name, process in processes.items()}
    began = time.monotonic()
    await work()
    figures[what]["elapsed"].append((time.monotonic() - began) * 1000 / count)
    for name, process in processes.items():
        figures[what][name].append((_seconds(process) - before[name]) * 1000 / count)


def _seconds(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)


def _beam() -> psutil.Process:
    [beam] = [child for child in psutil.Process().children(recursive=True) if child.name() == "beam.smp"]
    return beam


async def _answered(client: RabbitClient) -> None:
    """Waits until the service answers, and has answered a few hundred calls, as it does at work."""
    deadline = time.monotonic() + 60
    while True:
        try:
            await client.call("bench", "echo", Echo(text=""), Done, patience=1)
            break
        except PeygirError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)
    await _call(client, 10)


def _purge(url: str) -> None:
    connection = pika.BlockingConnection(amqp.parameters(url, "bench"))
    connection.channel().queue_purge("insight.events")
    connection.close()


if __name__ == "__main__":
    sys.exit(main())
