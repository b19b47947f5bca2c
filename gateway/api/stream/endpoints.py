"""What changes, live, as server-sent events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from starlette.responses import StreamingResponse

from contracts.errors import BadToken, PeygirError, TooMany, Unavailable
from gateway.api.dependencies import ContainerDep, Shown, VisitorDep, client_of, code_hashes_of, not_signed_in
from gateway.api.openapi_responses import problems
from gateway.auth.browser_sessions import OpenSession
from gateway.edge.session_cookie import browser_session_of
from gateway.live.event_stream import EventStream, Subscriber

router = APIRouter(tags=["stream"])

_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events until the session ends. A line that begins with a colon keeps the connection alive.",
        "content": {
            "text/event-stream": {
                "schema": {"type": "string"},
                "example": "event: case.changed\n"
                'data: {"event":"case.changed","case_id":"0f8f7f8e-6f0e-4b1a-9d38-2f1c5f3f8a11","version":4,'
                '"stage":"investigating"}\n\n',
            }
        },
    }
}


@router.get(
    "/stream",
    operation_id="streamChanges",
    summary="What changes, live",
    response_class=StreamingResponse,
    responses={**problems(401, 404, 422), **_EVENTS},
)
async def stream(
    request: Request,
    container: ContainerDep,
    visitor: VisitorDep,
    _: Shown,
    tracking_code: Annotated[
        str | None,
        Header(alias="Tracking-Code", min_length=1, max_length=200, json_schema_extra={"format": "password"}),
    ] = None,
) -> Response:
    """For a session, or for the holder of a code: `case.changed` {case_id, version, stage, by} for what this reader may know,
    `message.arrived` {case_id}, to staff with `from`, citizen or unit, when these wrote; for staff `presence.changed` {case_id,
    present} and `bulk.progressed` {bulk_id, state, total, done, succeeded, refused} of their own bulk commands, and for a
    liaison `unit_question.changed` {question_id}. `by.kind`: to staff staff, with id and name, citizen, unit or system; to a
    citizen the office or themselves. Events say that something changed; read it then. A browser's EventSource cannot set
    headers, and needs none with the cookie of its session. One that ends (the session ended, the reader was too slow, the
    gateway restarts) is opened again, and the state read anew."""
    hashes: list[str] = []
    session = browser_session_of(request.scope)
    if visitor.caller is None:
        if tracking_code is None and (session is None or not session.code_hashes):
            raise not_signed_in(request)
        hashes = await code_hashes_of(container, request, tracking_code)
        if container.event_stream.is_crowded(visitor.address_key):
            await container.admission.admit_stream_in_crowd(client_of(container, request))
    if container.stopping:
        raise Unavailable(retry_after=container.settings.retry_after)
    # A revocation that came after the token was checked ended the streams open then, and not this one.
    if visitor.caller is not None and container.tokens.is_revoked(visitor.caller):
        raise BadToken
    if session is not None and container.session_revocations.has_ended(session.id):
        raise BadToken
    reader = container.event_stream.subscribe(visitor.address_key, visitor.caller, frozenset(hashes), session)
    if reader is None:
        raise TooMany(retry_after=30)
    if hashes:
        try:
            seen = await container.citizen_cases.read(hashes, visitor.language)
        except PeygirError:
            seen = None  # its events name the code's hash, too
        except BaseException:
            container.event_stream.unsubscribe(reader)
            raise
        if seen is not None:
            reader.case_ids.add(str(seen.case_id))
    return StreamingResponse(
        _frames(container.event_stream, reader, container.settings.stream_heartbeat, container.browser_sessions.find),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


FindSession = Callable[[str], Awaitable[OpenSession | None]]


async def _frames(
    event_stream: EventStream, reader: Subscriber, heartbeat: float, find_session: FindSession | None = None
) -> AsyncIterator[bytes]:
    """`find_session`: by its cookie; the stream of a browser's session goes on as long as that does."""
    try:
        yield b": open\nretry: 3000\n\n"
        while True:
            if (left := reader.valid_until - time.time()) <= 0:
                if not await _goes_on(reader, find_session):
                    return
                continue
            try:
                async with asyncio.timeout(min(heartbeat, left)):
                    frame = await reader.queue.get()
            except TimeoutError:
                yield b": alive\n\n"
                continue
            if frame is None:
                return
            yield frame
    finally:
        event_stream.unsubscribe(reader)


async def _goes_on(reader: Subscriber, find_session: FindSession | None) -> bool:
    """Whether the session of this stream was renewed; then it is valid for some time more."""
    if reader.session is None or find_session is None:
        return False
    try:
        session = await find_session(reader.session.cookie)
    except PeygirError:
        return False
    if session is None or session.valid_until <= reader.valid_until:
        return False
    reader.session, reader.caller = session, session.caller
    return True
