"""How long the gateway waits for a service: for one that is slow, not for one that is away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest

from contracts.errors import DeadlinePassed
from deploy.local.parts import PostgreSQL, RabbitMQ
from gateway.rabbit.client import RabbitClient
from tests.support.gateway_clients import connected_client
from tests.support.probe_contracts import ProbeAnswer, ProbeRequest
from tests.support.probe_database import create_probe_database
from tests.support.processes import ServiceProcess

SLOW = ProbeRequest(what="slow", seconds=2.0)
PATIENCE = 0.4
Question = Callable[[RabbitClient], Awaitable[ProbeAnswer]]


@pytest.fixture(scope="module")
def ask(
    broker: RabbitMQ, postgres: PostgreSQL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Question], ProbeAnswer]]:
    """The answer of a running probe to a call by a client of its own."""
    environment = {"AMQP_URL": broker.url, "DATABASE_URL": create_probe_database(postgres.url)}
    log = tmp_path_factory.mktemp("probe") / "log"
    process = ServiceProcess("probe", environment, log, ("-m", "tests.support.probe")).start()

    async def answer_to(question: Question) -> ProbeAnswer:
        async with connected_client(broker.url, rpc_timeout=PATIENCE, rpc_deadline=5.0) as rabbit:
            await rabbit.call("probe", "tell", ProbeRequest(what="are you there"), ProbeAnswer)
            return await question(rabbit)

    yield lambda question: asyncio.run(asyncio.wait_for(answer_to(question), 60))
    process.kill()


async def slow(rabbit: RabbitClient) -> ProbeAnswer:
    return await rabbit.call("probe", "tell", SLOW, ProbeAnswer)


def test_a_service_that_answers_other_requests_is_awaited(ask: Callable[[Question], ProbeAnswer]) -> None:
    async def slow_among_others(rabbit: RabbitClient) -> ProbeAnswer:
        waiting = asyncio.ensure_future(slow(rabbit))
        while not waiting.done():
            await rabbit.call("probe", "tell", ProbeRequest(what="quick"), ProbeAnswer)
            await asyncio.wait({waiting}, timeout=0.05)
        return await waiting

    assert ask(slow_among_others).what == "slow"


def test_a_service_that_answers_nobody_is_abandoned(ask: Callable[[Question], ProbeAnswer]) -> None:
    with pytest.raises(DeadlinePassed):
        ask(slow)


def test_the_caller_chooses_how_long_a_silent_service_is_awaited(ask: Callable[[Question], ProbeAnswer]) -> None:
    assert ask(lambda rabbit: rabbit.call("probe", "tell", SLOW, ProbeAnswer, patience=4.0)).what == "slow"


def test_no_call_is_awaited_past_its_deadline(ask: Callable[[Question], ProbeAnswer]) -> None:
    async def slow_among_others(rabbit: RabbitClient) -> ProbeAnswer:
        never = ProbeRequest(what="never", seconds=20.0)
        waiting = asyncio.ensure_future(rabbit.call("probe", "tell", never, ProbeAnswer))
        while not waiting.done():
            await rabbit.call("probe", "tell", ProbeRequest(what="quick"), ProbeAnswer)
            await asyncio.wait({waiting}, timeout=0.05)
        return await waiting

    with pytest.raises(DeadlinePassed):
        ask(slow_among_others)
