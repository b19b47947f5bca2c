"""The walk's stream: all listen at the same time while everything happens again that ever happened."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from contracts.accounts import StaffChanged
from contracts.base import now
from tests.support.walk.gateway_walk import GatewayWalk, Operation
from tests.support.walk.oracle import Oracle, Person
from tests.support.walk.witness import Leak

STREAM = Operation("streamChanges", "GET", "/v1/stream")


async def walk_stream(walk: GatewayWalk) -> None:
    """Each reader is told of what they may know at that moment, and of all of it; who was moved or dismissed, of nothing."""
    readers = [person for person in walk.world.people if person.actor is not None]
    open_ = [asyncio.create_task(walk.send(STREAM, reader, STREAM.path, check=False)) for reader in readers]
    await _until(
        lambda: len(walk.container.event_stream._subscribers) == len(readers) or any(task.done() for task in open_)
    )
    past = {reader.id for reader in readers if walk.world.account_versions.get(reader.id, 0) > reader.version}
    for staff_id in past:
        walk.rabbit.deliver_event(StaffChanged.name, _changed(staff_id, walk.world.account_versions[staff_id]))
    events = [row for service in ("tracking", "notify") for row in walk.world.rows(service, _OUTBOX)]
    for row in events:
        walk.rabbit.deliver_event(row["name"], bytes(row["body"]))
    await _until(lambda: all(subscriber.queue.empty() for subscriber in walk.container.event_stream._subscribers))
    walk.container.event_stream.end_all()
    for person, task in zip(readers, open_, strict=True):
        frames = {frame for frame in (await task).text.split("\n\n") if frame.startswith("event: ")}
        arrived = {frame for frame in frames if frame.startswith("event: message.arrived")}
        for word in walk.oracle.leaked_words(person, str(arrived)):
            raise Leak(f"the stream tells {person.name} of a message about {word}")
        reader = _by_token(person)
        granted = {frame for row in events for frame in _granted(walk.oracle, reader, row)}
        # Of who is away the gateway may learn later than the services.
        own = {frame for row in events for frame in _granted(walk.oracle, replace(reader, deputy_of=frozenset()), row)}
        if person.id in past:
            granted, own = set(), set()
        for frame in (frames - arrived - granted) | (own - frames):
            raise Leak(f"the stream {'tells' if frame in frames else 'hides from'} {person.name} {frame!r}")
        if person.id in past:
            async with asyncio.timeout(30):  # one that is opened again has no end
                again = await walk.send(STREAM, person, STREAM.path, check=False)
            walk.same(person, "streamChanges once more", again.status_code, 401)


_OUTBOX = "SELECT name, body FROM outbox ORDER BY seq"


async def _until(holds: Any) -> None:
    for _ in range(3_000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the stream stands still")


def _changed(staff_id: str, version: int) -> str:
    return StaffChanged(
        id=uuid.uuid4(),
        occurred_at=now(),
        staff_id=UUID(staff_id),
        version=version,
        display_name="-",
        roles=[],
        unit=None,
        active=False,
    ).model_dump_json()


def _by_token(person: Person) -> Person:
    """The person as their token has them: whose token is older than their account is not let in, so it is the newest."""
    if person.actor is None or not person.staff:
        return person
    return replace(person, units=frozenset({person.actor.unit} if person.actor.unit else ()))


def _granted(oracle: Oracle, person: Person, row: Mapping[str, Any]) -> Iterator[str]:
    """What this person may be told of one event, as the case was then."""
    name, event = row["name"], json.loads(bytes(row["body"]))
    if name.partition(".")[0] not in ("case", "visit"):
        return
    state = event["state"]
    handler = UUID(state["handler"]) if state.get("handler") else None
    then = replace(
        oracle.cases[UUID(event["case_id"])],
        unit=state.get("unit"),
        handler=handler,
        colleagues=frozenset((*state.get("co_handlers", ()), *state.get("consulted", ()))),
    )
    about_unit_question = name.startswith(("case.unit_asked.", "case.unit_answered."))
    if oracle.knows(person, then):
        if person.staff:
            version = event["sequence"]
        elif event["noticed"] and event["public_version"]:  # the office's own entries are not counted
            version = event["public_version"]
        else:
            return
        yield _frame("case.changed", {"case_id": event["case_id"], "version": version, "stage": state["stage"]})
    elif about_unit_question and oracle.answers_for(person, event["unit_asked"]):
        yield _frame("unit_question.changed", {"question_id": event["question_id"]})


def _frame(event: str, payload: Mapping[str, Any]) -> str:
    return f"event: {event}\ndata: {json.dumps({'event': event, **payload}, separators=(',', ':'))}"
