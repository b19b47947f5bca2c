"""Queries of preferences: whose they are, and which hold for the citizen of a case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, delete, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert

from contracts.preferences import PreferredChannel
from services.notify.delivery.rules import QuietHours
from services.notify.models import contacts, preferences

AnyRow = Row[Any]


class HolderKind(StrEnum):
    CITIZEN = "citizen"
    STAFF = "staff"
    CASE = "case"  # whoever holds its tracking code


@dataclass(frozen=True)
class Holder:
    """Whose preferences and devices they are."""

    kind: HolderKind
    id: UUID


@dataclass(frozen=True)
class Choice:
    """What holds for somebody. `language`, `quiet` None: nothing was chosen."""

    channel: PreferredChannel = PreferredChannel.BOTH
    language: str | None = None
    quiet: QuietHours | None = None


AS_THE_OFFICE_SENDS = Choice()


def case_of_code(connection: Connection, code_hashes: Sequence[str]) -> UUID | None:
    """The case of a code; None when its submission has not arrived."""
    chosen = select(contacts.c.case_id).where(contacts.c.code_hash.in_(code_hashes))
    return connection.execute(chosen).scalar()


def of_holder(connection: Connection, holder: Holder) -> Choice | None:
    """What they chose; None: nothing."""
    row = connection.execute(select(preferences).where(*_of(holder))).first()
    return None if row is None else _choice(row)


def keep(connection: Connection, holder: Holder, choice: Choice, now: datetime) -> None:
    """What they choose from now on."""
    start, until = choice.quiet.minutes if choice.quiet else (None, None)
    values: dict[str, Any] = {
        "channel": choice.channel,
        "language": choice.language,
        "quiet_start": start,
        "quiet_until": until,
    }
    values["changed_at"] = now
    new = upsert(preferences).values(holder_kind=holder.kind, holder_id=holder.id, **values)
    connection.execute(new.on_conflict_do_update(index_elements=["holder_kind", "holder_id"], set_=values))


def forget(connection: Connection, holder: Holder) -> None:
    """They have chosen nothing any more."""
    connection.execute(delete(preferences).where(*_of(holder)))


def of_cases(connection: Connection, contacts_by_case: Mapping[UUID, AnyRow]) -> dict[UUID, Choice]:
    """What the citizen of each case chose, those left out who chose nothing: for this case by its code, else by their account."""
    accounts = {row.citizen_id for row in contacts_by_case.values() if row.citizen_id is not None}
    if not contacts_by_case:
        return {}
    by_holder = _choices(connection, [(HolderKind.CASE, contacts_by_case), (HolderKind.CITIZEN, accounts)])
    chosen = {}
    for case_id, contact in contacts_by_case.items():
        of_account = by_holder.get((HolderKind.CITIZEN.value, contact.citizen_id))
        choice = by_holder.get((HolderKind.CASE.value, case_id), of_account)
        if choice is not None:
            chosen[case_id] = choice
    return chosen


def _choices(
    connection: Connection, wanted: Iterable[tuple[HolderKind, Iterable[UUID]]]
) -> dict[tuple[str, UUID], Choice]:
    of_any = or_(
        *(preferences.c.holder_kind.in_([kind]) & preferences.c.holder_id.in_(list(ids)) for kind, ids in wanted)
    )
    rows = connection.execute(select(preferences).where(of_any))
    return {(row.holder_kind, row.holder_id): _choice(row) for row in rows}


def _of(holder: Holder) -> tuple[Any, Any]:
    return preferences.c.holder_kind == holder.kind, preferences.c.holder_id == holder.id


def _choice(row: AnyRow) -> Choice:
    quiet = None if row.quiet_start is None else QuietHours.of_minutes(row.quiet_start, row.quiet_until)
    return Choice(PreferredChannel(row.channel), row.language, quiet)
