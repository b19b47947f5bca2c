"""Queries about who asked for one-time codes, a line of comment each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.accounts.models import one_time_codes, otp_sessions, otp_tries

EVERYBODY = ""
"""The `asker_hash` under which the tries of all strangers are counted together."""


def session(connection: Connection, session_hash: str) -> Row[Any] | None:
    """One that asked for a code."""
    return connection.execute(select(otp_sessions).where(otp_sessions.c.session_hash == session_hash)).first()


def sent_sessions(connection: Connection, mobile_hash: str) -> list[Row[Any]]:
    """Those at whose wish this mobile was sent a code within a day, the newest first: no more than codes are sent."""
    chosen = select(otp_sessions).where(otp_sessions.c.mobile_hash == mobile_hash, otp_sessions.c.sent != [])
    return list(connection.execute(chosen.order_by(otp_sessions.c.asked_at.desc())).all())


def keep_session(connection: Connection, values: dict[str, Any]) -> None:
    """A session that asked for a code, for the first time or again."""
    added = upsert(otp_sessions).values(**values)
    again = {name: value for name, value in values.items() if name != "session_hash"}
    connection.execute(added.on_conflict_do_update(index_elements=["session_hash"], set_=again))


def void_codes_of_nobody(connection: Connection, mobile_hash: str) -> None:
    """A gateway of the release before asks for everybody alike: its new code makes its one before void."""
    void = update(otp_sessions).where(otp_sessions.c.mobile_hash == mobile_hash, otp_sessions.c.asker_hash.is_(None))
    connection.execute(void.values(used=True))


def count_session_try(connection: Connection, session_hash: str) -> None:
    """One more wrong code told by a session that asked."""
    connection.execute(
        update(otp_sessions).where(otp_sessions.c.session_hash == session_hash).values(tries=otp_sessions.c.tries + 1)
    )


def tries(connection: Connection, mobile_hash: str, askers: Sequence[str], since: datetime) -> dict[str, int]:
    """How many wrong codes each of these told for this mobile, counted since."""
    chosen = select(otp_tries.c.asker_hash, otp_tries.c.tries).where(
        otp_tries.c.mobile_hash == mobile_hash, otp_tries.c.asker_hash.in_(askers), otp_tries.c.since >= since
    )
    return {row.asker_hash: row.tries for row in connection.execute(chosen)}


def count_try(connection: Connection, mobile_hash: str, asker: str, at: datetime, since: datetime) -> None:
    """One more wrong code told for this mobile by one address; counted anew when the count began before `since`."""
    added = upsert(otp_tries).values(mobile_hash=mobile_hash, asker_hash=asker, tries=1, since=at)
    counted = {"tries": otp_tries.c.tries + 1}
    key = ["mobile_hash", "asker_hash"]
    fresh = added.on_conflict_do_update(index_elements=key, set_=counted, where=otp_tries.c.since >= since)
    if connection.execute(fresh.returning(otp_tries.c.tries)).first() is None:
        here = (otp_tries.c.mobile_hash == mobile_hash, otp_tries.c.asker_hash == asker)
        connection.execute(update(otp_tries).where(*here).values(tries=1, since=at))


def forget_tries(connection: Connection, mobile_hash: str, asker: str) -> None:
    """An address asked for a code of its own: what it tried before is over."""
    connection.execute(delete(otp_tries).where(otp_tries.c.mobile_hash == mobile_hash, otp_tries.c.asker_hash == asker))


def spend_codes(connection: Connection, mobile_hash: str) -> None:
    """Its owner came in: no code that was sent to this mobile does anything any more."""
    connection.execute(update(one_time_codes).where(one_time_codes.c.mobile_hash == mobile_hash).values(used=True))
    connection.execute(
        update(otp_sessions)
        .where(otp_sessions.c.mobile_hash == mobile_hash, otp_sessions.c.used.is_(False))
        .values(used=True)
    )


def prune(connection: Connection, sessions_before: datetime, tries_before: datetime) -> None:
    """Deletes sessions that asked long ago, and tries that are forgiven."""
    connection.execute(delete(otp_sessions).where(otp_sessions.c.asked_at < sessions_before))
    connection.execute(delete(otp_tries).where(otp_tries.c.since < tries_before))
