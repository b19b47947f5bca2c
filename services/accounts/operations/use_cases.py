"""Queues and dead letters, for administrators: what `./peygir dead-letters` does on the server, without the bodies."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError, ChannelClosedByBroker
from sqlalchemy import Connection

from backbone.messaging import dead_letters, topology
from backbone.messaging.dead_letters import DeadLetter
from backbone.process import logs
from backbone.storage import idempotency
from contracts.errors import Conflict, NotAllowed, NotFound, Unavailable
from contracts.gateway import Actor
from contracts.operations import (
    MOST_LETTERS,
    DeadLetterDetails,
    DeadLetterField,
    DeadLetters,
    DeadLettersOfQueue,
    DeadLetterSummary,
    DropDeadLetter,
    HandledDeadLetter,
    ListDeadLetters,
    Queues,
    QueueStatus,
    ReadQueues,
    ReplayDeadLetter,
    ShowDeadLetter,
)
from contracts.vocabulary import ActorKind, Role
from services.accounts.models import operation_commands

log = logs.get("operations")

_RETRY_AFTER = 5
QUEUES = (
    *topology.SUBSCRIPTIONS,
    *map(topology.rpc_queue, topology.SERVICES),
    *topology.DELAYS,
    topology.DEAD_LETTERS,
)


class OperationsUseCases:
    """`amqp_url`: of this service, whose user may read dead letters and give them back (deploy/rabbitmq/users.py);
    `open_channel`: a channel of the broker at such an address."""

    def __init__(
        self,
        amqp_url: str,
        open_channel: Callable[[str], AbstractContextManager[BlockingChannel]] = dead_letters.opened,
    ) -> None:
        self._amqp_url, self._open_channel = amqp_url, open_channel

    def read_queues(self, _: Connection, request: ReadQueues) -> Queues:
        """Every queue, and how much waits in it. NotAllowed, Unavailable."""
        _require_administrator(request.actor)
        with self._opened() as channel:
            return Queues(items=[_queue(channel, name) for name in QUEUES])

    def list_dead_letters(self, _: Connection, request: ListDeadLetters) -> DeadLetters:
        """Without their bodies. NotAllowed, Unavailable."""
        _require_administrator(request.actor)
        with self._opened() as channel:
            letters = dead_letters.listed(channel)
        counts = Counter(letter.queue for letter in letters)
        return DeadLetters(
            items=[DeadLetterSummary(**_summary(letter)) for letter in letters[:MOST_LETTERS]],
            by_queue=[DeadLettersOfQueue(queue=queue, count=count) for queue, count in sorted(counts.items())],
        )

    def show_dead_letter(self, _: Connection, request: ShowDeadLetter) -> DeadLetterDetails:
        """Which fields it has, and not what they say. NotAllowed, NotFound, Unavailable."""
        _require_administrator(request.actor)
        with self._opened() as channel:
            letter = _found(channel, request.letter_id)
        body = _body(letter)
        event_id = body.get("id")
        trace_id = str(letter.headers.get("traceparent", "")).split("-")
        return DeadLetterDetails(
            **_summary(letter),
            event_id=event_id if isinstance(event_id, str) and len(event_id) == 36 else None,
            trace_id=trace_id[1] if len(trace_id) > 1 else None,
            fields=[DeadLetterField(name=str(name)[:60], holds=_holds(value)) for name, value in body.items()],
        )

    def replay(self, connection: Connection, request: ReplayDeadLetter) -> HandledDeadLetter:
        """Back to its queue. NotAllowed, NotFound, Conflict, KeyReused, Unavailable."""
        return self._handle(connection, request)

    def drop(self, connection: Connection, request: DropDeadLetter) -> HandledDeadLetter:
        """For ever. NotAllowed, NotFound, KeyReused, Unavailable."""
        return self._handle(connection, request)

    def _handle(self, connection: Connection, request: ReplayDeadLetter | DropDeadLetter) -> HandledDeadLetter:
        _require_administrator(request.actor)
        digest = idempotency.command_hash(request)
        key = request.idempotency_key
        earlier = idempotency.repeated(connection, operation_commands, request.actor, key, digest, queue="")
        if earlier is not None:
            return HandledDeadLetter(letter_id=request.letter_id, queue=earlier.queue)
        with self._opened() as channel:
            letter = _found(channel, request.letter_id)
            queue = letter.queue
            if isinstance(request, DropDeadLetter):
                channel.basic_ack(letter.tag)
                log.warning("a dead letter was dropped", queue=queue, event_name=letter.properties.type)
            elif not dead_letters.replay(channel, letter):
                raise Conflict
        mine = operation_commands.c.actor == f"{request.actor.kind}:{request.actor.id}"
        this = operation_commands.update().where(mine, operation_commands.c.key == key)
        connection.execute(this.values(queue=queue))
        return HandledDeadLetter(letter_id=request.letter_id, queue=queue)

    @contextmanager
    def _opened(self) -> Iterator[BlockingChannel]:
        """Unavailable while the broker cannot be reached, or forbids."""
        try:
            with self._open_channel(self._amqp_url) as channel:
                yield channel
        except (AMQPError, OSError) as error:
            log.warning("the broker could not be asked", error=type(error).__name__)
            raise Unavailable(retry_after=_RETRY_AFTER) from None


def _queue(channel: BlockingChannel, name: str) -> QueueStatus:
    """On a channel of its own: the broker closes that on which it is asked for a queue that there is not."""
    with channel.connection.channel() as own:
        try:
            looked = own.queue_declare(name, passive=True).method
        except ChannelClosedByBroker:
            return QueueStatus(name=name)
    return QueueStatus(name=name, waiting=looked.message_count, consumers=looked.consumer_count)


def _found(channel: BlockingChannel, letter_id: str) -> DeadLetter:
    for letter in dead_letters.listed(channel):
        if _id_of(letter) == letter_id:
            return letter
    raise NotFound


def _id_of(letter: DeadLetter) -> str:
    """The same as long as it is dead: of its body, of where it fell from, and of when."""
    digest = hashlib.sha256(f"{letter.queue}\n{letter.properties.message_id}\n{letter.died_at}\n".encode())
    digest.update(letter.body)
    return digest.hexdigest()[:32]


def _summary(letter: DeadLetter) -> dict[str, Any]:
    return {
        "letter_id": _id_of(letter),
        "queue": letter.queue,
        "type": str(letter.properties.type or "unknown")[:100],
        "failures": letter.failures,
        "reason": letter.reason[:300],
        "died_at": letter.died_at,
        "size": len(letter.body),
    }


def _body(letter: DeadLetter) -> dict[str, Any]:
    try:
        body = json.loads(letter.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _holds(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool() | int() | float():
            return "a number" if not isinstance(value, bool) else "yes or no"
        case str():
            return f"text of {len(value)} characters"
        case list():
            return f"a list of {len(value)}"
        case dict():
            return f"{len(value)} fields"
        case _:
            return "something else"


def _require_administrator(actor: Actor) -> None:
    if actor.kind is not ActorKind.STAFF or Role.ADMINISTRATOR not in actor.roles:
        raise NotAllowed
