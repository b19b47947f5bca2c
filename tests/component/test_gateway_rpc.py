"""How long the gateway waits for a service: for one that is slow, not for one that is away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest
from sqlalchemy import create_engine

from backbone.messaging import inbox, outbox
from contracts.errors import DeadlinePassed
from deploy.local.parts import PostgreSQL, RabbitMQ
from gateway.rabbit.client import RabbitClient
from tests.support.probe_contracts import TABLES, Ask, Told
from tests.support.processes import ServiceProcess, create_database

SLOW = Ask(what="slow", seconds=2.0)
PATIENCE = 0.4
Question = Callable[[RabbitClient], Awaitable[Told]]


@pytest.fixture(scope="module")
def ask(
    broker: RabbitMQ, postgres: PostgreSQL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Question], Told]]:
    """What comes of a question on a bus of its own, to a probe that is there."""
    database = create_database(postgres.url, "probe")
    engine = create_engine(database)
    with engine.begin() as connection:
        outbox.TABLE.create(connection)
        inbox.TABLE.create(connection)
        connection.exec_driver_sql(TABLES)
    engine.dispose()
    environment = {"AMQP_URL": broker.url, "DATABASE_URL": database}
    log = tmp_path_factory.mktemp("probe") / "log"
    process = ServiceProcess("probe", environment, log, ("-m", "tests.support.probe")).start()

    async def asked(question: Question) -> Told:
        bus, ready = RabbitClient(broker.url, "test", rpc_timeout=PATIENCE, rpc_deadline=5.0), asyncio.Event()

        async def connected() -> None:
            ready.set()

        bus.add_connect_listener(connected)
        await bus.start()
        try:
            await ready.wait()
            await bus.ask("probe", "tell", Ask(what="are you there"), Told)
            return await question(bus)
        finally:
            await bus.stop()

    yield lambda question: asyncio.run(asyncio.wait_for(asked(question), 60))
    process.kill()


async def slow(bus: RabbitClient) -> Told:
    return await bus.ask("probe", "tell", SLOW, Told)


def test_a_service_that_answers_others_is_waited_for(ask: Callable[[Question], Told]) -> None:
    async def beside_others(bus: RabbitClient) -> Told:
        waiting = asyncio.ensure_future(slow(bus))
        while not waiting.done():
            await bus.ask("probe", "tell", Ask(what="quick"), Told)
            await asyncio.wait({waiting}, timeout=0.05)
        return await waiting

    assert ask(beside_others).what == "slow"


def test_one_that_answers_nobody_is_given_up(ask: Callable[[Question], Told]) -> None:
    with pytest.raises(DeadlinePassed):
        ask(slow)


def test_who_asks_says_how_long_nobody_need_be_answered(ask: Callable[[Question], Told]) -> None:
    assert ask(lambda bus: bus.ask("probe", "tell", SLOW, Told, patience=4.0)).what == "slow"


def test_nothing_is_waited_for_past_its_deadline(ask: Callable[[Question], Told]) -> None:
    async def beside_others(bus: RabbitClient) -> Told:
        never = Ask(what="never", seconds=20.0)
        waiting = asyncio.ensure_future(bus.ask("probe", "tell", never, Told))
        while not waiting.done():
            await bus.ask("probe", "tell", Ask(what="quick"), Told)
            await asyncio.wait({waiting}, timeout=0.05)
        return await waiting

    with pytest.raises(DeadlinePassed):
        ask(beside_others)
