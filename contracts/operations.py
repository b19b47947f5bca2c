"""How the installation runs, for who operates it: services, queues, dead letters. No text and no person of a case is in it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from contracts.base import Answer, Moment, Request
from contracts.gateway import Actor

MOST_LETTERS = 1_000
"""Of dead letters that one answer has."""

LetterId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$", description="of a dead letter, as long as it is one")]


class ReadStatus(Request):
    """RPC intake.read_status → ServiceStatus. RPC media.read_status → ServiceStatus. RPC tracking.read_status → ServiceStatus.
    RPC notify.read_status → ServiceStatus. RPC accounts.read_status → ServiceStatus. RPC insight.read_status → ServiceStatus."""


class ServiceStatus(Answer):
    """Of the process that answered. `version`: its release; `revision`: the newest migration that the database has,
    `known_revision`: that the process knows; `outbox_waiting`: events that are not published yet, `outbox_since`: since when
    the oldest waits."""

    version: str
    revision: str | None = None
    known_revision: str | None = None
    outbox_waiting: int
    outbox_since: Moment | None = None


class ReadQueues(Request):
    """RPC accounts.read_queues → Queues. For administrators. NotAllowed; Unavailable while the broker does not answer."""

    actor: Actor


class QueueStatus(Answer):
    """`waiting`: messages that nobody has taken; `consumers`: processes that take them; None of both: there is no such queue."""

    name: str
    waiting: int | None = None
    consumers: int | None = None


class Queues(Answer):
    items: list[QueueStatus]


class ListDeadLetters(Request):
    """RPC accounts.list_dead_letters → DeadLetters. For administrators; the oldest first. NotAllowed, Unavailable."""

    actor: Actor


class DeadLetterSummary(Answer):
    """What could not be handled. `type`: the event's or command's name; `queue`: where it fell from; `reason`: class and place
    of the error, never its text; `size`: of its body in bytes."""

    letter_id: LetterId
    queue: str
    type: str
    failures: int
    reason: str
    died_at: Moment | None = None
    size: int


class DeadLettersOfQueue(Answer):
    queue: str
    count: int


class DeadLetters(Answer):
    """`by_queue`: how many fell from each."""

    items: list[DeadLetterSummary]
    by_queue: list[DeadLettersOfQueue]


class ShowDeadLetter(Request):
    """RPC accounts.show_dead_letter → DeadLetterDetails. For administrators. NotAllowed, NotFound, Unavailable."""

    actor: Actor
    letter_id: LetterId


class DeadLetterField(Answer):
    """One field of a body. `holds`: of which kind it is and how long, such as `text of 53 characters`; never what it says."""

    name: str
    holds: str


class DeadLetterDetails(DeadLetterSummary):
    """`event_id`: by which the inbox knows whether its effect is there; `trace_id`: by which logs tell of it."""

    event_id: str | None = None
    trace_id: str | None = None
    fields: list[DeadLetterField]


class ReplayDeadLetter(Request):
    """RPC accounts.replay_dead_letter → HandledDeadLetter. For administrators: back to its queue; its effect happens once.
    NotAllowed,
    NotFound, Unavailable; Conflict where that queue is no more. Repeated under its key it is done once."""

    actor: Actor
    idempotency_key: Annotated[str, Field(max_length=100)]
    letter_id: LetterId


class DropDeadLetter(Request):
    """RPC accounts.drop_dead_letter → HandledDeadLetter. The same, for ever. `reason`: why, for the log of the process."""

    actor: Actor
    idempotency_key: Annotated[str, Field(max_length=100)]
    letter_id: LetterId
    reason: Annotated[str, Field(min_length=5, max_length=500)]


class HandledDeadLetter(Answer):
    letter_id: LetterId
    queue: str
