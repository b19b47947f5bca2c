"""What changes, live, as server-sent events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from starlette.responses import StreamingResponse

from contracts.errors import BadToken, NotAuthenticated, PeygirError, TooMany, Unavailable
from gateway.api.dependencies import ContainerDep, Shown, VisitorDep, bearer_of, client_of, typed_in_header
from gateway.api.openapi_responses import problems
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
    """For a session, or for the holder of a code: `case.changed` {case_id, version, stage} for what this reader may know,
    `message.arrived` {case_id}, and for a liaison `unit_question.changed` {question_id}. Events say that something changed;
    read it then. A browser's EventSource cannot set headers: read the stream by fetch. One that ends (the session expired,
    the reader was too slow, the gateway restarts) is opened again, and the state read anew."""
    hashes: list[str] = []
    if visitor.caller is None:
        if tracking_code is None:
            raise NotAuthenticated
        hashes = await bearer_of(container, client_of(container, request), typed_in_header(tracking_code))
    if container.stopping:
        raise Unavailable(retry_after=container.settings.retry_after)
    # A revocation that came after the token was checked ended the streams open then, and not this one.
    if visitor.caller is not None and container.tokens.is_revoked(visitor.caller):
        raise BadToken
    reader = container.event_stream.subscribe(visitor.address_key, visitor.caller, frozenset(hashes))
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
        _frames(container.event_stream, reader, container.settings.stream_heartbeat),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


async def _frames(event_stream: EventStream, reader: Subscriber, heartbeat: float) -> AsyncIterator[bytes]:
    ends = reader.caller.expires_at if reader.caller else float("inf")
    try:
        yield b": open\nretry: 3000\n\n"
        while (left := ends - time.time()) > 0:
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
