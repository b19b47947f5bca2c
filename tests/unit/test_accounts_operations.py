"""Queues and dead letters as an administrator is told of them: counts, reasons and shapes, and nothing of what was written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pika
import pytest
from pika.exceptions import AMQPConnectionError, ChannelClosedByBroker

from contracts.errors import NotAllowed, NotFound, Unavailable
from contracts.gateway import Actor
from contracts.operations import ListDeadLetters, ReadQueues, ShowDeadLetter
from contracts.vocabulary import ActorKind, Role
from services.accounts.operations.use_cases import OperationsUseCases

SECRET = "آنچه شهروند نوشته است"
EVENT_ID = "5b0a54f0-1f3e-4d0c-9a53-0d2f6a0b7d11"
HEADERS = {
    "peygir-error": "KeyError at wording/templates.py:88",
    "peygir-queue": "notify.cases",
    "peygir-failures": 8,
    "peygir-died": "2026-11-24T08:30:05+00:00",
    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
}
BODY = json.dumps({"id": EVENT_ID, "text": SECRET, "names": ["a", "b"], "place": {"x": 1}, "sequence": 3, "unit": None})
NOBODY = cast(Any, None)


@dataclass
class Channel:
    """A channel of a broker that holds these dead letters, and these queues."""

    letters: list[tuple[dict[str, Any], bytes]] = field(default_factory=list)
    queues: dict[str, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._next = iter(self.letters)
        self.connection = SimpleNamespace(channel=self._another)

    @contextmanager
    def _another(self) -> Iterator[Channel]:
        yield self

    def basic_get(self, _: str) -> Sequence[Any]:
        headers, body = next(self._next, (None, None))
        if body is None:
            return None, None, None
        properties = pika.BasicProperties(headers=headers, type="case.decided.v1", message_id=EVENT_ID)
        return SimpleNamespace(delivery_tag=1), properties, body

    def queue_declare(self, name: str, passive: bool) -> Any:
        assert passive, "looking declares nothing"
        if name not in self.queues:
            raise ChannelClosedByBroker(404, "NOT_FOUND")
        waiting, consumers = self.queues[name]
        return SimpleNamespace(method=SimpleNamespace(message_count=waiting, consumer_count=consumers))


def administrator(*roles: Role) -> Actor:
    return Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset(roles or {Role.ADMINISTRATOR}))


def of(*letters: tuple[dict[str, Any], bytes], **queues: tuple[int, int]) -> OperationsUseCases:
    @contextmanager
    def opened(_: str) -> Iterator[Any]:
        yield Channel(list(letters), {name.replace("_", "."): counts for name, counts in queues.items()})

    return OperationsUseCases("amqp://nowhere", opened)


def test_letters_are_counted_by_the_queue_they_fell_from() -> None:
    other = HEADERS | {"peygir-queue": "tracking.media"}
    operations = of((HEADERS, BODY.encode()), (HEADERS, b"{}"), (other, b"not JSON"))
    listed = operations.list_dead_letters(NOBODY, ListDeadLetters(actor=administrator()))
    assert [(item.queue, item.count) for item in listed.by_queue] == [("notify.cases", 2), ("tracking.media", 1)]
    assert len({item.letter_id for item in listed.items}) == 3
    first = listed.items[0]
    assert (first.type, first.failures, first.reason, first.size) == (
        "case.decided.v1",
        8,
        "KeyError at wording/templates.py:88",
        len(BODY.encode()),
    )
    assert SECRET not in listed.model_dump_json()


def test_one_letter_is_shown_by_its_fields_and_not_by_what_they_say() -> None:
    operations = of((HEADERS, b"{}"), (HEADERS, BODY.encode()))
    actor = administrator()
    letter_id = operations.list_dead_letters(NOBODY, ListDeadLetters(actor=actor)).items[1].letter_id
    shown = operations.show_dead_letter(NOBODY, ShowDeadLetter(actor=actor, letter_id=letter_id))
    assert {held.name: held.holds for held in shown.fields} == {
        "id": "text of 36 characters",
        "text": f"text of {len(SECRET)} characters",
        "names": "a list of 2",
        "place": "1 fields",
        "sequence": "a number",
        "unit": "nothing",
    }
    assert (shown.event_id, shown.trace_id) == (EVENT_ID, "4bf92f3577b34da6a3ce929d0e0e4736")
    assert SECRET not in shown.model_dump_json()
    with pytest.raises(NotFound):
        operations.show_dead_letter(NOBODY, ShowDeadLetter(actor=actor, letter_id="0" * 32))


@pytest.mark.parametrize("body", [b"", b"[1]", b'"text"', b"\xff\xfe", b"{"])
def test_a_body_that_is_no_object_has_no_fields(body: bytes) -> None:
    operations, actor = of((HEADERS, body)), administrator()
    [item] = operations.list_dead_letters(NOBODY, ListDeadLetters(actor=actor)).items
    assert operations.show_dead_letter(NOBODY, ShowDeadLetter(actor=actor, letter_id=item.letter_id)).fields == []


def test_a_queue_that_there_is_not_is_told_apart_from_an_empty_one() -> None:
    queues = of(notify_cases=(0, 2)).read_queues(NOBODY, ReadQueues(actor=administrator())).items
    found = {queue.name: (queue.waiting, queue.consumers) for queue in queues}
    assert found["notify.cases"] == (0, 2)
    assert found["tracking.media"] == (None, None)


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMINISTRATOR}))
def test_no_other_role_is_told(role: Role) -> None:
    with pytest.raises(NotAllowed):
        of().list_dead_letters(NOBODY, ListDeadLetters(actor=administrator(role)))
    with pytest.raises(NotAllowed):
        of().read_queues(NOBODY, ReadQueues(actor=administrator(role)))


def test_a_broker_that_is_away_is_said_so() -> None:
    def away(_: str) -> Any:
        raise AMQPConnectionError

    with pytest.raises(Unavailable):
        OperationsUseCases("amqp://nowhere", away).list_dead_letters(NOBODY, ListDeadLetters(actor=administrator()))
