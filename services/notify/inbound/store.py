"""Queries of inbound texts: each counts once, what it answers, how often a handset is answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from backbone.storage.writes import Write
from services.notify.models import contacts, help_replies, inbound, messages, open_replies

AnyRow = Row[Any]
MOST_QUESTIONS = 50
"""Messages to one mobile that are looked through for the decision an answer is for."""


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


def questions(connection: Connection, mobile_hash: str) -> list[AnyRow]:
    """The messages sent to this mobile that asked for an answer, the last one of each case, locked; the last one first."""
    newest = (
        select(messages)
        .where(messages.c.mobile_hash == mobile_hash, messages.c.asks_reply, messages.c.sent_at.is_not(None))
        .where(messages.c.case_id.is_not(None))
        .order_by(messages.c.sent_at.desc(), messages.c.id)
        .limit(MOST_QUESTIONS)
        .with_for_update()
    )
    of_cases: dict[UUID, AnyRow] = {}
    for row in connection.execute(newest):
        of_cases.setdefault(row.case_id, row)
    return list(of_cases.values())


def set_reply(connection: Connection, message_id: UUID, reply: str) -> None:
    """Stores what the citizen answered."""
    connection.execute(update(messages).where(messages.c.id == message_id).values(reply=reply))


def add_open_reply(connection: Connection, values: Mapping[str, Any]) -> None:
    """Keeps which handset is answered once tracking has said what became of its answer."""
    connection.execute(upsert(open_replies).values(values))


def open_replies_of(connection: Connection, reply_ids: Sequence[UUID]) -> Sequence[AnyRow]:
    """The handsets that wait for what became of these answers."""
    return connection.execute(select(open_replies).where(open_replies.c.reply_id.in_(reply_ids))).all()


_SETTLE = (
    "DELETE FROM open_replies USING json_to_recordset({rows}) AS given(reply_id uuid)"
    " WHERE open_replies.reply_id = given.reply_id"
)
_FORGET = (
    "UPDATE messages SET reply = NULL FROM json_to_recordset({rows}) AS given(case_id uuid, mobile_hash text)"
    " WHERE messages.case_id = given.case_id AND messages.mobile_hash = given.mobile_hash AND messages.asks_reply"
)


def settling(rows: Sequence[AnyRow]) -> list[Write]:
    """These handsets are answered, and kept no longer."""
    return [Write(_SETTLE, [{"reply_id": row.reply_id} for row in rows])] if rows else []


def forgetting_replies(rows: Sequence[AnyRow]) -> list[Write]:
    """What these handsets answered had no effect: it may be answered again."""
    given = [{"case_id": row.case_id, "mobile_hash": row.mobile_hash} for row in rows]
    return [Write(_FORGET, given)] if given else []


def may_send_help(connection: Connection, mobile_hash: str, now: datetime, every: timedelta) -> bool:
    """True at most once in `every` for a mobile; records that it was."""
    new = upsert(help_replies).values(mobile_hash=mobile_hash, at=now)
    again = new.on_conflict_do_update(
        index_elements=[help_replies.c.mobile_hash], set_={"at": now}, where=help_replies.c.at <= now - every
    )
    return connection.execute(again.returning(help_replies.c.at)).first() is not None


def count_answers(connection: Connection, mobile_hash: str, since: datetime) -> int:
    """How many answers were composed for this handset since then."""
    counted = select(func.count()).where(
        messages.c.mobile_hash == mobile_hash,
        messages.c.audience == "handset",
        messages.c.created_at > since,
    )
    return connection.execute(counted).scalar_one()
