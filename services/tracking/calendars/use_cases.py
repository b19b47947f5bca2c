"""The calendar feed: its address is made, renewed and revoked by its owner, and read by whoever has it."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from uuid import UUID, uuid5

from sqlalchemy import Connection

from backbone.persian.jalali import TEHRAN
from contracts.calendars import (
    CalendarEntries,
    CalendarEntry,
    CalendarFeed,
    GetCalendarFeed,
    MakeCalendarFeed,
    ReadCalendarFeed,
    RevokeCalendarFeed,
)
from contracts.errors import NotAllowed, NotFound
from contracts.vocabulary import ActorKind, Language
from services.tracking.calendars import store
from services.tracking.case.access import Access, actor_id
from services.tracking.case.context import Clock
from services.tracking.reference.workdays import day_of

BACK, AHEAD = timedelta(days=7), timedelta(days=90)
"""What a feed tells of."""
_UIDS = UUID("0f2e6d4b-7b1c-5a8e-9f35-2d4c6b8a1e70")  # the namespace of entries' ids; never to be changed


class CalendarUseCases:
    """The use cases of feeds."""

    def __init__(self, access: Access, clock: Clock) -> None:
        self._access, self._clock = access, clock

    def make(self, connection: Connection, request: MakeCalendarFeed) -> CalendarFeed:
        """A new address, which shows what the actor may see each time it is read."""
        self._access.scope(connection, request.actor)
        owner, now = actor_id(request.actor, ActorKind.STAFF), self._clock()
        store.keep(connection, owner, request.secret_hash, request.actor.language, now)
        return CalendarFeed(made_at=now)

    def get(self, connection: Connection, request: GetCalendarFeed) -> CalendarFeed:
        """Whether there is one."""
        return CalendarFeed(made_at=store.made_at(connection, actor_id(request.actor, ActorKind.STAFF)))

    def revoke(self, connection: Connection, request: RevokeCalendarFeed) -> CalendarFeed:
        """There is none any more."""
        store.revoke(connection, actor_id(request.actor, ActorKind.STAFF))
        return CalendarFeed()

    def read(self, connection: Connection, request: ReadCalendarFeed) -> CalendarEntries:
        """By the address alone: the rights are those that accounts published last."""
        feed = store.by_secret(connection, request.secret_hash)
        if feed is None:
            raise NotFound
        try:
            scope = self._access.published_scope(connection, feed.staff_id)
        except NotAllowed:
            raise NotFound from None
        today = day_of(self._clock())
        days = (today - BACK, today + AHEAD)
        first, last = (datetime.combine(day, time.min, TEHRAN) for day in days)
        rows = store.entries(connection, scope, days, (first, last))
        items = [
            CalendarEntry(
                uid=uuid5(_UIDS, f"{row.kind}:{row.of}"),
                **{name: getattr(row, name) for name in ("kind", "number", "on", "starts_at", "ends_at", "stamp")},
            )
            for row in rows
        ]
        return CalendarEntries(language=Language(feed.language), items=items)
