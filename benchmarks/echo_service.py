"""A service of nameko alone, as its documentation begins: what an RPC costs with nothing of Peygir's around it. Run by
`benchmarks.yardsticks` with the broker's address as its argument."""

from __future__ import annotations

import sys
import warnings

warnings.filterwarnings("ignore")

import eventlet

eventlet.monkey_patch()

from typing import Any

from nameko.rpc import rpc
from nameko.runners import ServiceRunner


class Service:
    name = "bench_echo"

    @rpc  # type: ignore[untyped-decorator]  # nameko is untyped
    def echo(self, request: dict[str, Any]) -> dict[str, Any]:
        return request


if __name__ == "__main__":
    runner = ServiceRunner({"AMQP_URI": sys.argv[1]})
    runner.add_service(Service)
    runner.start()
    runner.wait()
