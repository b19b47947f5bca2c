"""Queries of inbound texts: each counts once, what it answers, how often a handset is answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.notify.models import contacts, helped, inbound, messages

AnyRow = Row[Any]


def add_inbound_text(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Records an inbound text; False when the provider has pushed it before."""
    added = upsert(inbound).values(values).on_conflict_do_nothing().returning(inbound.c.provider)
    return connection.execute(added).first() is not None


def contact_by_code(connection: Connection, code_hashes: Sequence[str]) -> AnyRow | None:
    """The contact whose code has one of these hashes."""
    return connection.execute(select(contacts).where(contacts.c.code_hash.in_(code_hashes))).first()


def language_of(connection: Connection, mobile_hash: str) -> str | None:
    """The language in which this mobile filed last."""
    newest = select(contacts.c.language).where(contacts.c.mobile_hash == mobile_hash)
    return connection.execute(newest.order_by(contacts.c.registered_at.desc()).limit(1)).scalar()


def last_question(connection: Connection, mobile_hash: str) -> AnyRow | None:
    """The last message sent to this mobile that asked for 1 or 2, locked."""
    newest = (
        select(messages)
        .where(messages.c.mobile_hash == mobile_hash, messages.c.asks_reply, messages.c.sent_at.is_not(None))
        .order_by(messages.c.sent_at.desc())
        .limit(1)
        .with_for_update()
    )
    return connection.execute(newest).first()


def set_reply(connection: Connection, message_id: UUID, reply: str) -> None:
    """Stores what the citizen answered."""
    connection.execute(update(messages).where(messages.c.id == message_id).values(reply=reply))


def may_send_help(connection: Connection, mobile_hash: str, now: datetime, every: timedelta) -> bool:
    """True at most once in `every` for a mobile; records that it was."""
    new = upsert(helped).values(mobile_hash=mobile_hash, at=now)
    again = new.on_conflict_do_update(
        index_elements=[helped.c.mobile_hash], set_={"at": now}, where=helped.c.at <= now - every
    )
    return connection.execute(again.returning(helped.c.at)).first() is not None


def count_answers(connection: Connection, mobile_hash: str, since: datetime) -> int:
    """How many answers were composed for this handset since then."""
    counted = select(func.count()).where(
        messages.c.mobile_hash == mobile_hash,
        messages.c.audience == "handset",
        messages.c.created_at > since,
    )
    return connection.execute(counted).scalar_one()
