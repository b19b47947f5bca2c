"""Accounts' queries, a line of comment each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from contracts.vocabulary import Role
from services.accounts.models import (
    citizens,
    one_time_codes,
    refresh_tokens,
    sessions,
    sign_in_attempts,
    staff,
    staff_commands,
    staff_history,
)

_PRUNING = 7_204_507  # any number, the same in every process

# --- citizens ---


def citizen(connection: Connection, mobile_hash: str) -> UUID:
    """The citizen with this mobile, made when there is none yet."""
    added = upsert(citizens).values(citizen_id=uuid4(), mobile_hash=mobile_hash).on_conflict_do_nothing()
    connection.execute(added)
    found: UUID = connection.execute(
        select(citizens.c.citizen_id).where(citizens.c.mobile_hash == mobile_hash)
    ).scalar_one()
    return found


def claim_code_row(connection: Connection, mobile_hash: str) -> Row[Any]:
    """The row of a mobile's code, made when it is not there, locked: one request at a time."""
    connection.execute(upsert(one_time_codes).values(mobile_hash=mobile_hash).on_conflict_do_nothing())
    chosen = select(one_time_codes).where(one_time_codes.c.mobile_hash == mobile_hash).with_for_update()
    return connection.execute(chosen).one()


def lock_code(connection: Connection, mobile_hash: str) -> Row[Any] | None:
    """The code last sent to a mobile, locked: of two verifications at the same moment the second sees what the first did."""
    chosen = select(one_time_codes).where(one_time_codes.c.mobile_hash == mobile_hash).with_for_update()
    return connection.execute(chosen).first()


def replace_code(
    connection: Connection, mobile_hash: str, code_hash: str, expires_at: datetime, requested: Sequence[datetime]
) -> None:
    """A new code in place of the old one; `requested`: when codes were sent to this mobile."""
    connection.execute(
        update(one_time_codes)
        .where(one_time_codes.c.mobile_hash == mobile_hash)
        .values(
            code_hash=code_hash,
            expires_at=expires_at,
            tries=0,
            used=False,
            requested=list(requested),
            touched_at=requested[-1],
        )
    )


def count_wrong_code(connection: Connection, mobile_hash: str) -> None:
    """One more wrong try."""
    connection.execute(
        update(one_time_codes)
        .where(one_time_codes.c.mobile_hash == mobile_hash)
        .values(tries=one_time_codes.c.tries + 1)
    )


# --- staff ---


def staff_by_username(connection: Connection, username: str) -> Row[Any] | None:
    """A member of staff, active or not."""
    return connection.execute(select(staff).where(staff.c.username == username)).first()


def staff_by_id(connection: Connection, staff_id: UUID) -> Row[Any] | None:
    """A member of staff, active or not."""
    return connection.execute(select(staff).where(staff.c.staff_id == staff_id)).first()


def lock_staff(connection: Connection, username: str) -> Row[Any] | None:
    """A member of staff, locked for a change."""
    return connection.execute(select(staff).where(staff.c.username == username).with_for_update()).first()


def add_staff(connection: Connection, values: dict[str, Any]) -> bool:
    """A new member of staff; False when the user name or the id is taken."""
    # By the row that came back: SQLAlchemy does not keep the rowcount of an INSERT.
    added = upsert(staff).values(**values).on_conflict_do_nothing().returning(staff.c.staff_id)
    return connection.execute(added).first() is not None


def change_staff(connection: Connection, staff_id: UUID, values: dict[str, Any]) -> None:
    """New values of one member of staff."""
    connection.execute(
        update(staff).where(staff.c.staff_id == staff_id).values(**values, changed_at=func.clock_timestamp())
    )


def list_staff(connection: Connection, role: Role | None) -> list[Row[Any]]:
    """All staff, or those of one role, by name."""
    chosen = select(staff).order_by(staff.c.display_name, staff.c.staff_id)
    return list(connection.execute(chosen if role is None else chosen.where(staff.c.roles.any(role.value))).all())


def changed_staff(connection: Connection, since: datetime) -> list[Row[Any]]:
    """Id and version of each account that was changed since."""
    return list(connection.execute(select(staff.c.staff_id, staff.c.version).where(staff.c.changed_at >= since)).all())


def lock_staff_by_id(connection: Connection, staff_id: UUID) -> Row[Any] | None:
    """A member of staff, locked for a change."""
    return connection.execute(select(staff).where(staff.c.staff_id == staff_id).with_for_update()).first()


def add_history(connection: Connection, values: dict[str, Any]) -> None:
    """What was done to an account; appended, never changed."""
    connection.execute(insert(staff_history).values(**values))


def history(connection: Connection, staff_id: UUID | None, after: int | None, limit: int) -> list[Row[Any]]:
    """What was done to accounts, or to one, the newest first."""
    chosen = select(staff_history).order_by(staff_history.c.id.desc()).limit(limit)
    if staff_id is not None:
        chosen = chosen.where(staff_history.c.staff_id == staff_id)
    if after is not None:
        chosen = chosen.where(staff_history.c.id < after)
    return list(connection.execute(chosen).all())


def note_command(
    connection: Connection, actor: str, key: str, command_hash: str, staff_id: UUID
) -> tuple[str, UUID] | None:
    """Notes that a command was done under this key; hash and account of the one done before under it, or None."""
    row = {"actor": actor, "key": key, "command_hash": command_hash, "staff_id": staff_id}
    noted = upsert(staff_commands).values(row).on_conflict_do_nothing().returning(staff_commands.c.key)
    if connection.execute(noted).first() is not None:
        return None
    chosen = select(staff_commands).where(staff_commands.c.actor == actor, staff_commands.c.key == key)
    before = connection.execute(chosen).one()
    return before.command_hash, before.staff_id


def take_totp_step(connection: Connection, staff_id: UUID, step: int) -> bool:
    """Accepts a step of the TOTP once: False when it, or a later one, was accepted before."""
    taken = update(staff).where(staff.c.staff_id == staff_id, staff.c.totp_last_step < step)
    return connection.execute(taken.values(totp_last_step=step)).rowcount == 1


def claim_attempts(connection: Connection, username_hash: str, at: datetime) -> Row[Any]:
    """The sign-in attempts under a user name, locked."""
    new = upsert(sign_in_attempts).values(username_hash=username_hash, failures=0, blocked_until=at, last_at=at)
    connection.execute(new.on_conflict_do_nothing())
    chosen = select(sign_in_attempts).where(sign_in_attempts.c.username_hash == username_hash).with_for_update()
    return connection.execute(chosen).one()


def count_attempt(
    connection: Connection, username_hash: str, failures: int, blocked_until: datetime, at: datetime
) -> None:
    """One more attempt, a failure until it is shown to be none."""
    connection.execute(
        update(sign_in_attempts)
        .where(sign_in_attempts.c.username_hash == username_hash)
        .values(failures=failures, blocked_until=blocked_until, last_at=at)
    )


def forget_attempts(connection: Connection, username_hash: str) -> None:
    """After a right sign-in."""
    connection.execute(delete(sign_in_attempts).where(sign_in_attempts.c.username_hash == username_hash))


# --- sessions ---


def add_session(
    connection: Connection, session_id: UUID, subject_type: str, subject_id: UUID, expires_at: datetime
) -> None:
    """A new family of refresh tokens."""
    connection.execute(
        insert(sessions).values(
            session_id=session_id, subject_type=subject_type, subject_id=subject_id, expires_at=expires_at
        )
    )


def add_refresh_token(
    connection: Connection, token_hash: str, session_id: UUID, issued_at: datetime, locked_mobile: str | None
) -> None:
    """A refresh token of a session."""
    connection.execute(
        insert(refresh_tokens).values(
            token_hash=token_hash, session_id=session_id, issued_at=issued_at, locked_mobile=locked_mobile
        )
    )


def lock_refresh_token(connection: Connection, token_hash: str) -> Row[Any] | None:
    """A refresh token with its session; the session is locked, so all that happens to one family happens in turn."""
    family = select(refresh_tokens.c.session_id).where(refresh_tokens.c.token_hash == token_hash).scalar_subquery()
    locked = select(sessions.c.session_id).where(sessions.c.session_id == family).with_for_update()
    if connection.execute(locked).first() is None:
        return None
    chosen = select(refresh_tokens, sessions).join(sessions).where(refresh_tokens.c.token_hash == token_hash)
    return connection.execute(chosen).first()


def was_used(connection: Connection, token_hash: str) -> bool:
    """Whether this refresh token was used, or is not there any more."""
    used_at = connection.execute(
        select(refresh_tokens.c.used_at).where(refresh_tokens.c.token_hash == token_hash)
    ).first()
    return used_at is None or used_at[0] is not None


def use_refresh_token(connection: Connection, token_hash: str, at: datetime, locked_successor: str) -> None:
    """A refresh token has been exchanged for its successor."""
    connection.execute(
        update(refresh_tokens)
        .where(refresh_tokens.c.token_hash == token_hash)
        .values(used_at=at, locked_successor=locked_successor)
    )


def revoke_session(connection: Connection, session_id: UUID, at: datetime, because: str) -> list[UUID]:
    """Ends a session; one that was ended stays as it was ended. The ids of those that were not."""
    return _revoke(connection, sessions.c.session_id == session_id, at, because)


def revoke_sessions_of(connection: Connection, subject_id: UUID, at: datetime, because: str) -> list[UUID]:
    """Ends every session of a citizen or a member of staff; the ids of those that had not ended."""
    return _revoke(connection, sessions.c.subject_id == subject_id, at, because)


def _revoke(connection: Connection, whose: ColumnElement[bool], at: datetime, because: str) -> list[UUID]:
    ended = update(sessions).where(whose, sessions.c.revoked_at.is_(None), sessions.c.expires_at > at)
    changed = ended.values(revoked_at=at, revoked_because=because).returning(sessions.c.session_id)
    return list(connection.execute(changed).scalars())


def ended_sessions(connection: Connection, since: datetime, after: UUID | None, limit: int) -> list[Row[Any]]:
    """Id and end of each session that was ended since, in the order of the ids."""
    chosen = select(sessions.c.session_id, sessions.c.revoked_at).where(sessions.c.revoked_at >= since)
    if after is not None:
        chosen = chosen.where(sessions.c.session_id > after)
    return list(connection.execute(chosen.order_by(sessions.c.session_id).limit(limit)).all())


# --- what has passed ---


def prune(connection: Connection, at: datetime, codes_before: datetime, attempts_before: datetime) -> dict[str, int]:
    """Deletes old codes, ended sessions with their tokens, and forgiven attempts; how many of each.

    One process at a time; another one that comes meanwhile does nothing.
    """
    if not connection.execute(select(func.pg_try_advisory_xact_lock(_PRUNING))).scalar_one():
        return {}
    return {
        "codes": connection.execute(delete(one_time_codes).where(one_time_codes.c.touched_at < codes_before)).rowcount,
        "sessions": connection.execute(delete(sessions).where(sessions.c.expires_at < at)).rowcount,
        "attempts": connection.execute(
            delete(sign_in_attempts).where(sign_in_attempts.c.last_at < attempts_before)
        ).rowcount,
    }
