"""The load generator and the CPU meter, on a running system: lifecycles, and what they cost each process."""

from __future__ import annotations

from benchmarks import load
from benchmarks.api_user import ApiUser
from benchmarks.figures import GENERATOR
from benchmarks.lifecycle import Lifecycle
from benchmarks.processor_time import PARTS, ProcessorMeter, system_roots
from benchmarks.rows import answered, without_errors
from deploy.local.environment import SERVICES
from deploy.local.processes import System


def test_a_lifecycle_costs_every_process_that_takes_part(system: System) -> None:
    lifecycle = Lifecycle(ApiUser(system.gateway_url, system.state / "credentials.json"))
    meter = ProcessorMeter(lambda: system_roots(system.state))
    # When one client plays lifecycles, long enough for several of the ticks by which /proc counts
    tally, cost = meter.cost_of(
        "lifecycle",
        lambda: without_errors(load.run(load.during(system.gateway_url, 1, 2.0, lifecycle.run_counted))),
        answered,
    )
    assert tally.seconds
    # Then every process of the system is told of, and those that took part have used time
    assert set(cost.by_process) == {*SERVICES, *PARTS.values(), "gateway", "simulator", GENERATOR}
    assert all(cost.by_process[name] > 0 for name in ("gateway", "tracking", "PostgreSQL", "RabbitMQ"))
