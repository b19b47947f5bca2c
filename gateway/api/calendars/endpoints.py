"""The calendar feed of a member of staff, and its address.

The address is a secret: who has it reads the feed without signing in. It is told once, its hash alone is kept, and it is no
part of any log (addresses are never logged).
"""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import Field

from contracts.base import Answer, Moment
from contracts.calendars import (
    CalendarEntries,
    CalendarFeed,
    GetCalendarFeed,
    MakeCalendarFeed,
    ReadCalendarFeed,
    RevokeCalendarFeed,
)
from contracts.errors import NotFound
from gateway.api.dependencies import ContainerDep, IfNoneMatch, StaffDep, address_key, answer, conditional_answer
from gateway.api.openapi_responses import NOT_CHANGED, problems
from gateway.api.request_endpoints import STAFF, RequestEndpoint, Rpc, register_requests
from gateway.calendars import icalendar

router = APIRouter(tags=["calendar"])
_SECRET = re.compile("[A-Za-z0-9_-]{43}")
"""256 random bits, base64url."""


class CalendarAddress(Answer):
    """`path`: of the feed on this server. It is told this once."""

    path: Annotated[str, Field(pattern=rf"^/v1/calendars/{_SECRET.pattern}\.ics$")]
    made_at: Moment


def _hash(secret: str) -> str:
    """Of 256 random bits: there is nothing to guess, and so no key is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


@router.put(
    "/calendar",
    operation_id="makeCalendarFeed",
    summary="A new address for my calendar",
    response_model=CalendarAddress,
    responses=problems(401, 403),
)
async def make(container: ContainerDep, signed_in: StaffDep) -> Response:
    """Visits and deadlines of the cases I may see, for a calendar program: case numbers and kinds of dates, and nothing of who or
    what they are about. An address that I had answers no more. Whoever has the address reads it."""
    secret = secrets.token_urlsafe(32)
    request = MakeCalendarFeed(actor=signed_in.actor, secret_hash=_hash(secret))
    feed = await container.rabbit.call("tracking", "make_calendar_feed", request, CalendarFeed)
    assert feed.made_at is not None
    return answer(CalendarAddress(path=f"/v1/calendars/{secret}.ics", made_at=feed.made_at))


register_requests(
    router,
    RequestEndpoint(
        "GET /calendar",
        "getCalendarFeed",
        "Whether my calendar has an address",
        "When it was made; the address itself is told only once.",
        STAFF,
        Rpc("tracking.get_calendar_feed", GetCalendarFeed, CalendarFeed),
    ),
    RequestEndpoint(
        "DELETE /calendar",
        "revokeCalendarFeed",
        "Revoke the address of my calendar",
        "It answers no more.",
        STAFF,
        Rpc("tracking.revoke_calendar_feed", RevokeCalendarFeed, CalendarFeed),
    ),
)


_ICS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The calendar",
        "content": {"text/calendar": {"schema": {"type": "string", "examples": ["BEGIN:VCALENDAR\r\n"]}}},
        "headers": {"ETag": {"description": "Of these entries", "schema": {"type": "string"}}},
    },
    **NOT_CHANGED,
}


@router.get(
    "/calendars/{secret}.ics",
    operation_id="readCalendarFeed",
    summary="A calendar, by its secret address",
    response_class=Response,
    responses={**problems(404), **_ICS},
)
async def read(
    secret: str,
    request: Request,
    container: ContainerDep,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """iCalendar (RFC 5545): from a week back to three months ahead, as its owner may see it today."""
    if _SECRET.fullmatch(secret) is None:
        raise NotFound
    try:
        reading = ReadCalendarFeed(secret_hash=_hash(secret))
        feed = await container.rabbit.call("tracking", "read_calendar_feed", reading, CalendarEntries)
    except NotFound:
        # A calendar program asks with the right address for ever; who guesses is counted twice.
        await container.admission.admit_request(address_key(container, request), None)
        raise
    content = icalendar.document(feed)
    return conditional_answer(
        content,
        hashlib.sha256(content).hexdigest()[:32],
        if_none_match,
        icalendar.MEDIA_TYPE,
        {"cache-control": "private, no-cache", "referrer-policy": "no-referrer", "x-robots-tag": "noindex"},
    )
