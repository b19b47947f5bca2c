"""Queries of the counter: what operators filed, tries to get a new code, and who confirmed what was filed for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, and_, delete, exists, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from backbone.storage import idempotency
from contracts.gateway import Actor
from services.intake.models import (
    consents,
    desk_claims,
    desk_commands,
    desk_tries,
    disowned_mobiles,
    identities,
    submissions,
    units,
)

AnyRow = Row[Any]
_FILED_BY = submissions.c.body["filed_by"].astext
MOST_FOUND = 200


def lock_submission(connection: Connection, submission_id: UUID) -> AnyRow | None:
    """One submission, locked, with the operator who filed it."""
    chosen = select(submissions, _FILED_BY.label("filed_by")).where(submissions.c.submission_id == submission_id)
    return connection.execute(chosen.with_for_update()).first()


def by_digits(connection: Connection, digits_hashes: Sequence[str]) -> list[UUID]:
    """Submissions by the last digits of their mobile; the hash is of one operator's own."""
    chosen = (
        select(identities.c.submission_id)
        .join(submissions, submissions.c.submission_id == identities.c.submission_id)
        .where(identities.c.digits_hash.in_(digits_hashes))
        .order_by(submissions.c.filed_at.desc())
        .limit(MOST_FOUND)
    )
    return list(connection.execute(chosen).scalars())


def consents_to_sms(connection: Connection, submission_id: UUID) -> bool:
    """Whether the citizen whom an operator filed for agreed to be reached by SMS."""
    agreed = select(consents.c.agreed_to).where(consents.c.submission_id == submission_id)
    return "sms" in (connection.execute(agreed).scalar() or ())


def set_code(connection: Connection, submission_id: UUID, code_hash: str, attempt: int) -> None:
    """The submission's new code. The one on its receipt is forgotten: its holder is told nothing of this one."""
    this = submissions.c.submission_id == submission_id
    values = {"code_hash": code_hash, "code_attempt": attempt, "code_hash_asked": None}
    connection.execute(update(submissions).where(this).values(values))


def set_citizen(connection: Connection, submission_id: UUID, citizen_id: UUID | None) -> None:
    """From whose account it counts as filed."""
    this = submissions.c.submission_id == submission_id
    connection.execute(update(submissions).where(this).values(citizen_id=citizen_id))


def citizen(connection: Connection, submission_id: UUID) -> UUID | None:
    """From whose account it counts as filed."""
    chosen = select(submissions.c.citizen_id).where(submissions.c.submission_id == submission_id)
    return connection.execute(chosen).scalar()


# --- tries to get a new code ---


def add_try(connection: Connection, case_id: UUID | None, staff_id: UUID, at: datetime) -> int:
    """A try, wrong until it is found right; its id."""
    added = insert(desk_tries).values(case_id=case_id, staff_id=staff_id, at=at).returning(desk_tries.c.id)
    return int(connection.execute(added).scalar_one())


def wrong_tries_of_case(connection: Connection, case_id: UUID, since: datetime, but: int) -> list[datetime]:
    """When somebody answered wrongly for this case."""
    chosen = select(desk_tries.c.at).where(desk_tries.c.case_id == case_id, desk_tries.c.at > since)
    return list(connection.execute(chosen.where(~desk_tries.c.confirmed, desk_tries.c.id != but)).scalars())


def wrong_tries_of_person(connection: Connection, staff_id: UUID, since: datetime, but: int) -> list[datetime]:
    """When this member of staff gave wrong answers, for whichever cases."""
    chosen = select(desk_tries.c.at).where(desk_tries.c.staff_id == staff_id, desk_tries.c.at > since)
    return list(connection.execute(chosen.where(~desk_tries.c.confirmed, desk_tries.c.id != but)).scalars())


def confirm_try(connection: Connection, try_id: int) -> None:
    """The answers were right."""
    connection.execute(update(desk_tries).where(desk_tries.c.id == try_id).values(confirmed=True))


def was_done(connection: Connection, actor: Actor, key: str) -> bool:
    """Whether this member of staff did a command under this key."""
    used = select(desk_commands.c.key).where(
        desk_commands.c.actor == f"{actor.kind}:{actor.id}", desk_commands.c.key == key
    )
    return connection.execute(used).first() is not None


def repeated(connection: Connection, actor: Actor, key: str, digest: str, attempt: int) -> int | None:
    """The attempt of the code that this very command made before; None when it is new, and noted now. KeyReused."""
    row = idempotency.repeated(connection, desk_commands, actor, key, digest, attempt=attempt)
    return None if row is None else int(row.attempt)


# --- filed for a citizen ---


def filed_for(connection: Connection, mobile_hash: str) -> list[AnyRow]:
    """What operators filed with this mobile, and nobody has confirmed or disowned; newest first."""
    answered = exists().where(desk_claims.c.submission_id == submissions.c.submission_id)
    chosen = (
        select(submissions, units.c.name_fa, units.c.name_en)
        .join(identities, identities.c.submission_id == submissions.c.submission_id)
        .outerjoin(units, units.c.code == submissions.c.unit)
        .where(identities.c.mobile_hash == mobile_hash, _FILED_BY.is_not(None))
        .where(submissions.c.citizen_id.is_(None), ~answered)
        .order_by(submissions.c.filed_at.desc(), submissions.c.submission_id)
        .limit(MOST_FOUND)
    )
    return list(connection.execute(chosen))


def has_mobile(connection: Connection, submission_id: UUID, mobile_hash: str) -> bool:
    """Whether it was filed with this mobile."""
    this = and_(identities.c.submission_id == submission_id, identities.c.mobile_hash == mobile_hash)
    return connection.execute(select(identities.c.submission_id).where(this)).first() is not None


def mobile_hash(connection: Connection, submission_id: UUID) -> str | None:
    """Of the mobile that its citizen has now, unless its owner said that it is not theirs."""
    disowned = exists().where(
        disowned_mobiles.c.submission_id == identities.c.submission_id,
        disowned_mobiles.c.mobile_hash == identities.c.mobile_hash,
    )
    this = select(identities.c.mobile_hash).where(identities.c.submission_id == submission_id, ~disowned)
    return connection.execute(this).scalar()


def is_disowned(connection: Connection, submission_id: UUID, mobile_hash: str) -> bool:
    """Whether the owner of this mobile said that the submission is not theirs."""
    this = (disowned_mobiles.c.submission_id == submission_id, disowned_mobiles.c.mobile_hash == mobile_hash)
    return connection.execute(select(disowned_mobiles.c.submission_id).where(*this)).first() is not None


def disown(connection: Connection, submission_id: UUID, mobile_hash: str) -> None:
    """Its owner says so."""
    row = {"submission_id": submission_id, "mobile_hash": mobile_hash}
    connection.execute(upsert(disowned_mobiles).values(row).on_conflict_do_nothing())


def claim(connection: Connection, submission_id: UUID) -> AnyRow | None:
    """What whoever has its mobile has said of it; None: nothing yet."""
    return connection.execute(select(desk_claims).where(desk_claims.c.submission_id == submission_id)).first()


def add_claim(connection: Connection, submission_id: UUID, citizen_id: UUID, mine: bool) -> None:
    """What they say of it now."""
    row = {"submission_id": submission_id, "citizen_id": citizen_id, "mine": mine}
    connection.execute(upsert(desk_claims).values(row))


def drop_claim(connection: Connection, submission_id: UUID) -> None:
    """It was said by whoever has another mobile than the citizen's."""
    connection.execute(delete(desk_claims).where(desk_claims.c.submission_id == submission_id))
