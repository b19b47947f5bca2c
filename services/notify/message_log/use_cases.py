"""The log of messages, for heads and administrators; and sending one again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import Connection

from backbone.storage import cursors, idempotency
from contracts.errors import NotAllowed, NotFound, NotResendable
from contracts.gateway import Actor
from contracts.notification_log import (
    ListNotifications,
    LogChannel,
    LoggedNotification,
    Notifications,
    ResendNotification,
)
from contracts.notify import MessageState
from contracts.vocabulary import ActorKind, Role
from services.notify.clock import Clock
from services.notify.delivery.rules import TEHRAN
from services.notify.delivery.store import mark_due
from services.notify.inbox.readers import staff_reader
from services.notify.message_log import store
from services.notify.message_log.store import Filters
from services.notify.models import notification_commands
from services.notify.push.store import mark_due as mark_push_due
from services.notify.settings import Settings

_READERS = frozenset({Role.HEAD, Role.ADMINISTRATOR})
_AS_STORED = (
    *("channel", "template", "event", "state", "reason", "audience", "staff_id", "role", "unit", "created_at"),
    *("attempts", "provider", "sent_at", "delivered_at", "resends", "resendable"),
)
_WAITING = (MessageState.DUE, MessageState.SENDING)


class LogUseCases:
    """Heads see of which case a message is; administrators, who see no cases, do not."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._offices: Sequence[str] = (settings.inspection_unit, settings.mayor_unit)
        self._clock = clock

    def list_notifications(self, connection: Connection, request: ListNotifications) -> Notifications:
        """Newest first. NotAllowed, InvalidField."""
        filters = self._readable(connection, request.actor)
        sees_cases = Role.HEAD in request.actor.roles
        if not sees_cases and (request.case_id is not None or request.number is not None):
            raise NotAllowed
        case_id = request.case_id
        if request.number is not None:
            of_number = store.case_of_number(connection, request.number)
            if of_number is None or case_id not in (None, of_number):
                return Notifications(items=[])
            case_id = of_number
        filters = replace(
            filters,
            channel=request.channel,
            state=request.state,
            template=request.template,
            case_id=case_id,
            since=_begin(request.since) if request.since else None,
            before=_begin(request.until + timedelta(days=1)) if request.until else None,
            after=cursors.decode(request.after) if request.after else None,
        )
        rows = store.page(connection, filters, request.limit + 1)
        shown = rows[: request.limit]
        more = cursors.encode(shown[-1].created_at, shown[-1].id) if len(rows) > request.limit else None
        return Notifications(items=[_shown(row, sees_cases) for row in shown], next=more)

    def resend(self, connection: Connection, request: ResendNotification) -> LoggedNotification:
        """Once more. NotAllowed, NotFound, NotResendable, KeyReused."""
        readable = replace(self._readable(connection, request.actor), id=request.notification_id)
        row = _one(connection, readable)
        store.lock(connection, row)
        digest = idempotency.command_hash(request)
        earlier = idempotency.repeated(
            connection, notification_commands, request.actor, request.idempotency_key, digest
        )
        if earlier is None:
            if not _one(connection, readable).resendable or not store.send_again(connection, row, self._clock()):
                raise NotResendable
            (mark_push_due if row.channel == LogChannel.PUSH else mark_due)(connection)
        return _shown(_one(connection, readable), Role.HEAD in request.actor.roles)

    def _readable(self, connection: Connection, actor: Actor) -> Filters:
        """What hides from this actor what they may not see. NotAllowed."""
        if actor.kind is not ActorKind.STAFF or not actor.roles & _READERS:
            raise NotAllowed
        reader = staff_reader(
            connection, UUID(actor.id), self._offices, [str(role) for role in actor.roles], actor.unit
        )
        if reader is None:
            raise NotAllowed
        return Filters(hidden_units=reader.units_in_conflict)


def _one(connection: Connection, filters: Filters) -> store.AnyRow:
    rows = store.page(connection, filters, 1)
    if not rows:
        raise NotFound
    return rows[0]


def _begin(day: date) -> datetime:
    """The first moment of a day in Tehran."""
    return datetime.combine(day, time(), TEHRAN)


def _shown(row: store.AnyRow, sees_cases: bool) -> LoggedNotification:
    return LoggedNotification(
        notification_id=row.id,
        case_id=row.case_id if sees_cases else None,
        case_number=row.number if sees_cases else None,
        next_attempt_at=row.next_attempt_at if row.state in _WAITING else None,
        **{name: getattr(row, name) for name in _AS_STORED},
    )
