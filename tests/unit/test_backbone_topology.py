"""The topology: what a broker without its data is given back loses nothing, and everything said is heard."""

from __future__ import annotations

from typing import Any

import pytest

from backbone.messaging import asyncapi, topology
from backbone.messaging.consumers import MAX_FAILURES
from contracts import registry
from tests.support.processes import run_module

QUEUES: dict[str, list[Any]] = {}
EXCHANGES: dict[str, Any] = {}
for entity in topology.entities():
    if hasattr(entity, "queue_arguments"):
        QUEUES.setdefault(entity.name, []).append(entity)
    else:
        EXCHANGES[entity.name] = entity
DEAD = topology.DEAD_LETTERS


@pytest.mark.parametrize("name", sorted(QUEUES))
def test_a_queue_is_replicated_and_survives_a_restart(name: str) -> None:
    for queue in QUEUES[name]:
        assert queue.queue_arguments["x-queue-type"] == "quorum"
        assert queue.durable
        assert not queue.auto_delete
        assert not queue.exclusive


@pytest.mark.parametrize("name", sorted(set(QUEUES) - {DEAD}))
def test_dead_lettered_messages_arrive_at_least_once(name: str) -> None:
    """At-most-once, the broker's default, loses what a crash finds on the way; it needs reject-publish to be otherwise."""
    for queue in QUEUES[name]:
        arguments = queue.queue_arguments
        assert arguments["x-dead-letter-strategy"] == "at-least-once"
        assert arguments["x-overflow"] == "reject-publish"
        assert arguments["x-dead-letter-exchange"] == (topology.RETRY if name in topology.DELAYS else DEAD)


@pytest.mark.parametrize("name", sorted(QUEUES))
def test_every_declaration_of_a_queue_is_the_same(name: str) -> None:
    assert all(queue.queue_arguments == QUEUES[name][0].queue_arguments for queue in QUEUES[name])


@pytest.mark.parametrize("name", sorted(topology.SUBSCRIPTIONS))
def test_a_queue_can_be_reached_by_its_name_for_retries_and_replays(name: str) -> None:
    assert any(queue.exchange.name == topology.RETRY and queue.routing_key == name for queue in QUEUES[name])


def test_twenty_kills_dead_letter_nothing() -> None:
    for name in topology.SUBSCRIPTIONS:
        assert QUEUES[name][0].queue_arguments["x-delivery-limit"] >= 50


def test_reading_dead_letters_does_not_remove_them() -> None:
    [dead] = QUEUES[DEAD]
    assert "x-message-ttl" not in dead.queue_arguments
    assert "x-dead-letter-exchange" not in dead.queue_arguments
    assert dead.queue_arguments["x-delivery-limit"] >= 1_000_000


def test_pauses_grow_and_return_to_where_they_came_from() -> None:
    pauses = [QUEUES[name][0].queue_arguments["x-message-ttl"] for name in topology.DELAYS]
    assert pauses == sorted(pauses) == [1_000, 10_000, 60_000, 600_000]
    tries = [*pauses, *[pauses[-1]] * MAX_FAILURES][: MAX_FAILURES - 1]
    assert sum(tries) > 30 * 60_000, "an hour's trouble is survived, or nearly"
    for name in topology.DELAYS:
        assert EXCHANGES[name].type == "fanout", "the routing key, the name of its queue, is kept"


def test_exchanges_are_declared_before_their_bindings() -> None:
    declared: set[str] = set()
    for entity in topology.entities():
        if hasattr(entity, "queue_arguments"):
            assert entity.exchange.name in declared
        else:
            declared.add(entity.name)
    assert all(exchange.durable and not exchange.auto_delete for exchange in EXCHANGES.values())


@pytest.mark.parametrize("name", sorted(registry.events()))
def test_every_event_has_a_consumer_and_is_counted(name: str) -> None:
    """Published mandatory, one without would stay in the outbox for good."""
    assert "insight.events" in asyncapi.consumers_of(registry.events()[name])


@pytest.mark.parametrize("queue", sorted(topology.SUBSCRIPTIONS))
def test_no_queue_is_bound_to_an_event_that_nobody_publishes(queue: str) -> None:
    for binding in topology.SUBSCRIPTIONS[queue]:
        matching_events = [
            name
            for name, cls in registry.messages().items()
            if asyncapi.exchange_of(cls) == binding.exchange and _routed(binding.key, name)
        ]
        assert matching_events or binding.key == "#", f"{binding} brings nothing"


def _routed(pattern: str, name: str) -> bool:
    """As a topic exchange reads it, for the patterns we use."""
    return pattern == name or (pattern.endswith("#") and f"{name}.".startswith(pattern[:-1]))


def test_each_queue_belongs_to_one_service() -> None:
    owned = [queue for service in topology.SERVICES for queue in topology.queues_of(service)]
    assert sorted(owned) == sorted(topology.SUBSCRIPTIONS)


def test_the_command_reports_a_missing_broker_setting() -> None:
    done = run_module("backbone.messaging.topology", environment={})
    assert done.returncode == 1
    assert done.stderr == "AMQP_URL is not set\n"
