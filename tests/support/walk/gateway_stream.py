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
from tests.support.walk.oracle import CaseFacts, Oracle, Person
from tests.support.walk.witness import SEES_CASES, Leak

STREAM = Operation("streamChanges", "GET", "/v1/stream")
_AT_ONCE = 50
"""Events, after which the readers are waited for."""


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
    for place, row in enumerate(events, 1):
        walk.rabbit.deliver_event(row["name"], bytes(row["body"]))
        if place % _AT_ONCE == 0:  # who is too slow is disconnected
            await _until(
                lambda: all(subscriber.queue.empty() for subscriber in walk.container.event_stream._subscribers)
            )
    presence = {case.case_id for case in [await _somebody_is_there(walk, reader, past) for reader in readers] if case}
    await _until(lambda: all(subscriber.queue.empty() for subscriber in walk.container.event_stream._subscribers))
    walk.container.event_stream.end_all()
    for person, task in zip(readers, open_, strict=True):
        frames = {frame for frame in (await task).text.split("\n\n") if frame.startswith("event: ")}
        arrived = {frame for frame in frames if frame.startswith("event: message.arrived") and '"from"' not in frame}
        for word in walk.oracle.leaked_words(person, str(arrived)):
            raise Leak(f"the stream tells {person.name} of a message about {word}")
        reader = _by_token(person)
        _check_presence(walk, reader, presence if person.id not in past else set(), frames)
        frames = {frame for frame in frames if not frame.startswith(_PRESENCE)}
        granted = {frame for row in events for frame in _granted(walk.oracle, reader, row, past)}
        # Of who is away the gateway may learn later than the services.
        own = {
            frame
            for row in events
            for frame in _granted(walk.oracle, replace(reader, deputy_of=frozenset()), row, past)
        }
        if person.id in past:
            granted, own = set(), set()
        for frame in (frames - arrived - granted) | (own - frames):
            raise Leak(f"the stream {'tells' if frame in frames else 'hides from'} {person.name} {frame!r}")
        if person.id in past:
            async with asyncio.timeout(30):  # one that is opened again has no end
                again = await walk.send(STREAM, person, STREAM.path, check=False)
            walk.same(person, "streamChanges once more", again.status_code, 401)


async def _somebody_is_there(walk: GatewayWalk, reader: Person, past: set[str]) -> CaseFacts | None:
    """A case that this reader says to have before them; None when they see none. What they said of it while the walk was under
    way ends first: nothing is told of what does not change."""
    known = walk.known_cases(reader) if reader.roles & SEES_CASES and reader.id not in past else []
    if not known:
        return None
    path = f"/v1/cases/{known[0].case_id}/presence"
    for operation, body in (
        (Operation("endPresence", "DELETE", path), None),
        (Operation("notePresence", "PUT", path), {"state": "editing"}),
    ):
        answer = await walk.send(operation, reader, path, json=body)
        walk.same(reader, operation.name, answer.status_code, 200)
    return known[0]


def _check_presence(walk: GatewayWalk, reader: Person, presence: set[UUID], frames: set[str]) -> None:
    """Who is at a case is told to the staff who may know of it alone."""
    told = {
        UUID(json.loads(frame.partition("data: ")[2])["case_id"]) for frame in frames if frame.startswith(_PRESENCE)
    }

    def granted(person: Person) -> set[UUID]:
        return {
            case_id for case_id in presence if person.staff and walk.oracle.knows(person, walk.oracle.cases[case_id])
        }

    for case_id in (told - granted(reader)) | (granted(replace(reader, deputy_of=frozenset())) - told):
        raise Leak(f"the stream {'tells' if case_id in told else 'hides from'} {reader.name} who is at {case_id}")


_PRESENCE = "event: presence.changed"
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


def _granted(oracle: Oracle, person: Person, row: Mapping[str, Any], past: set[str]) -> Iterator[str]:
    """What this person may be told of one event, as the case was then. `past`: whose accounts were changed meanwhile."""
    name, event = row["name"], json.loads(bytes(row["body"]))
    if name.startswith("bulk.") and event["owner"] == person.id:
        told = ("bulk_id", "state", "total", "done", "succeeded", "refused")
        yield _frame("bulk.progressed", {part: event[part] for part in told})
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
        change = {"case_id": event["case_id"], "version": version, "stage": state["stage"]}
        yield _frame("case.changed", {**change, "by": _by(person, name, event, past)})
        writer = _writer(name, event)
        if person.staff and writer is not None:
            yield _frame("message.arrived", {"case_id": event["case_id"], "from": writer})
    elif about_unit_question and oracle.answers_for(person, event["unit_asked"]):
        yield _frame("unit_question.changed", {"question_id": event["question_id"]})


def _by(person: Person, name: str, event: Mapping[str, Any], past: set[str]) -> dict[str, Any]:
    """Who did it, as this reader may be told: staff by name to staff, and who complained to nobody."""
    by_citizen = event["by_kind"] in ("citizen", "bearer")
    if not person.staff:
        of_another_case = name.startswith(("case.joined_", "case.duplicate_", "case.merged."))
        return {"kind": "citizen" if by_citizen and not of_another_case else "office"}
    if name.startswith(("case.unit_answered.", "case.recommendation_reported.")):
        return {"kind": "unit"}
    if by_citizen:
        return {"kind": "citizen"}
    if event["by_kind"] == "staff":
        # Names come with what accounts publish, and this gateway was told of these accounts alone.
        return {"kind": "staff", "id": event["by_staff"], "name": "-" if event["by_staff"] in past else None}
    return {"kind": "system"}


def _writer(name: str, event: Mapping[str, Any]) -> str | None:
    """Who wrote to the office with it, if a citizen or a unit did."""
    kind = name.removeprefix("case.").partition(".")[0]
    if kind in ("unit_answered", "recommendation_reported"):
        return "unit"
    wrote = kind in ("citizen_answered", "message_sent", "objected", "resumed")
    return "citizen" if wrote or (kind == "evidence_added" and event["by_citizen"]) else None


def _frame(event: str, payload: Mapping[str, Any]) -> str:
    return f"event: {event}\ndata: {json.dumps({'event': event, **payload}, separators=(',', ':'))}"
