"""Queries of citizens and their one-time codes, one line of comment each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Row, delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.accounts.models import citizens, one_time_codes, otp_sessions, otp_tries

ALL_STRANGERS = ""
"""The `address_hash` under which the tries of all strangers are counted together."""


def citizen(connection: Connection, mobile_hash: str) -> UUID:
    """The citizen with this mobile, inserted when there is none yet."""
    added = upsert(citizens).values(citizen_id=uuid4(), mobile_hash=mobile_hash).on_conflict_do_nothing()
    connection.execute(added)
    citizen_id: UUID = connection.execute(
        select(citizens.c.citizen_id).where(citizens.c.mobile_hash == mobile_hash)
    ).scalar_one()
    return citizen_id


def citizen_of(connection: Connection, mobile_hash: str) -> UUID | None:
    """The citizen with this mobile."""
    return connection.execute(select(citizens.c.citizen_id).where(citizens.c.mobile_hash == mobile_hash)).scalar()


def delete_citizen(connection: Connection, citizen_id: UUID) -> None:
    """Nobody is this citizen any more; whoever signs in with the mobile is another one."""
    connection.execute(delete(citizens).where(citizens.c.citizen_id == citizen_id))


# --- the row of a mobile ---


def claim_code_row(connection: Connection, mobile_hash: str) -> Row[Any]:
    """The row of a mobile, inserted when it is not there, locked: one request at a time."""
    connection.execute(upsert(one_time_codes).values(mobile_hash=mobile_hash).on_conflict_do_nothing())
    chosen = select(one_time_codes).where(one_time_codes.c.mobile_hash == mobile_hash).with_for_update()
    return connection.execute(chosen).one()


def lock_code_row(connection: Connection, mobile_hash: str) -> None:
    """Locks the row of a mobile: of two verifications at the same moment the second sees what the first did."""
    connection.execute(
        select(one_time_codes.c.mobile_hash).where(one_time_codes.c.mobile_hash == mobile_hash).with_for_update()
    )


def record_sent(connection: Connection, mobile_hash: str, sent: Sequence[datetime]) -> None:
    """`sent`: when codes were sent to this mobile; the last one now."""
    changed = update(one_time_codes).where(one_time_codes.c.mobile_hash == mobile_hash)
    connection.execute(changed.values(sent=list(sent), touched_at=sent[-1]))


# --- the sessions that requested codes, and wrong tries ---


def session(connection: Connection, session_hash: str) -> Row[Any] | None:
    """A session that requested a code."""
    return connection.execute(select(otp_sessions).where(otp_sessions.c.session_hash == session_hash)).first()


def sessions_with_codes(connection: Connection, mobile_hash: str) -> list[Row[Any]]:
    """Those on whose request this mobile was sent a code within a day: no more than codes are sent."""
    chosen = select(otp_sessions).where(otp_sessions.c.mobile_hash == mobile_hash, otp_sessions.c.sent != [])
    return list(connection.execute(chosen))


def keep_session(connection: Connection, values: dict[str, Any]) -> None:
    """A session that requested a code, for the first time or again."""
    added = upsert(otp_sessions).values(**values)
    again = {name: value for name, value in values.items() if name != "session_hash"}
    connection.execute(added.on_conflict_do_update(index_elements=["session_hash"], set_=again))


def count_session_try(connection: Connection, session_hash: str) -> None:
    """One more wrong code entered in a session that requested one."""
    connection.execute(
        update(otp_sessions).where(otp_sessions.c.session_hash == session_hash).values(tries=otp_sessions.c.tries + 1)
    )


def tries(connection: Connection, mobile_hash: str, addresses: Sequence[str], since: datetime) -> dict[str, int]:
    """How many wrong codes each of these addresses entered for this mobile, counted since."""
    chosen = select(otp_tries.c.address_hash, otp_tries.c.tries).where(
        otp_tries.c.mobile_hash == mobile_hash, otp_tries.c.address_hash.in_(addresses), otp_tries.c.since >= since
    )
    return {row.address_hash: row.tries for row in connection.execute(chosen)}


def count_try(connection: Connection, mobile_hash: str, address_hash: str, at: datetime, since: datetime) -> None:
    """One more wrong code entered for this mobile from one address; counted anew when the count began before `since`."""
    added = upsert(otp_tries).values(mobile_hash=mobile_hash, address_hash=address_hash, tries=1, since=at)
    counted = {"tries": otp_tries.c.tries + 1}
    key = ["mobile_hash", "address_hash"]
    fresh = added.on_conflict_do_update(index_elements=key, set_=counted, where=otp_tries.c.since >= since)
    if connection.execute(fresh.returning(otp_tries.c.tries)).first() is None:
        own_row = (otp_tries.c.mobile_hash == mobile_hash, otp_tries.c.address_hash == address_hash)
        connection.execute(update(otp_tries).where(*own_row).values(tries=1, since=at))


def forget_tries(connection: Connection, mobile_hash: str, address_hash: str) -> None:
    """An address requested a code of its own: what it tried before no longer counts."""
    connection.execute(
        delete(otp_tries).where(otp_tries.c.mobile_hash == mobile_hash, otp_tries.c.address_hash == address_hash)
    )


def spend_codes(connection: Connection, mobile_hash: str) -> None:
    """Its owner signed in: no code that was sent to this mobile is valid any more."""
    connection.execute(
        update(otp_sessions)
        .where(otp_sessions.c.mobile_hash == mobile_hash, otp_sessions.c.used.is_(False))
        .values(used=True)
    )


def prune(connection: Connection, codes_before: datetime, tries_before: datetime) -> int:
    """Deletes old codes and the sessions that requested them, and tries that are forgiven; how many codes."""
    connection.execute(delete(otp_sessions).where(otp_sessions.c.requested_at < codes_before))
    connection.execute(delete(otp_tries).where(otp_tries.c.since < tries_before))
    return connection.execute(delete(one_time_codes).where(one_time_codes.c.touched_at < codes_before)).rowcount
