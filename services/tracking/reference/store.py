"""Queries on the copies of what others own: units, grounds, the calendar and staff."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, String, and_, any_, bindparam, exists, func, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.dialects.postgresql import insert as upsert

from backbone.storage import writes
from backbone.storage.writes import Write
from contracts.accounts import StaffChanged
from contracts.intake import Catalogue
from contracts.leaves import LeaveChanged
from contracts.vocabulary import Language, Role
from services.tracking.case.json_queries import as_sql, json_object
from services.tracking.models import cases, catalogue, grounds, leaves, staff, units
from services.tracking.row_conditions import LIAISON

SETTLED_AFTER = timedelta(minutes=2)
"""For so long after a change it is looked for what somebody may not have in hand any more: a command that was judged by the state
before it may have been at work."""

_RULES = {
    *("weekend", "deadlines", "four_eyes", "auto_close_days", "transfers_without_head", "retention"),
    *("refusal_reasons", "root_causes", "outside_bodies"),
    *("earlier_decisions", "earlier_retention", "open_case_rules"),
}

_ARTICLE_TEXTS = {"text_fa", "text_en"}
"""What no rule of a case needs: the library is read whole with every change of the catalogue."""

AWAY = (
    select(func.coalesce(func.json_agg(leaves.c.staff_id), literal_column("'[]'::json")))
    .where(leaves.c.deputy == staff.c.staff_id, leaves.c.starts_at <= func.now(), leaves.c.ends_at > func.now())
    .correlate(staff)
    .scalar_subquery()
)
"""Those for whom a member of staff stands in at this moment."""
_MEMBER_COLUMNS = ("staff_id", "roles", "unit", "active", "display_name")
_MEMBER = as_sql(
    select(*(staff.c[name] for name in _MEMBER_COLUMNS), AWAY.label("stands_in_for")).where(
        staff.c.staff_id == bindparam("staff", type_=PG_UUID, required=False)
    )
)


@dataclass(frozen=True)
class Member:
    """A member of staff as accounts published them last. `stands_in_for`: who is away and has them as deputy."""

    staff_id: UUID
    roles: frozenset[str]
    unit: str | None
    active: bool
    stands_in_for: frozenset[UUID] = frozenset()


@dataclass(frozen=True)
class NamedMember:
    """A member of staff with their name."""

    member: Member
    name: str


_SAME_OPEN_RULES = """coalesce((own.rules->>'open_case_rules')::integer, 0)
    >= coalesce((excluded.rules->>'open_case_rules')::integer, 0)"""
_KEEP_CATALOGUE = f"""
INSERT INTO catalogue AS own (one, version, holidays, rules, calendar)
SELECT true, given.version, given.holidays, given.rules, given.version FROM {writes.given(catalogue)}
ON CONFLICT (one) DO UPDATE SET version = excluded.version, holidays = excluded.holidays, rules = excluded.rules,
    calendar = CASE
        WHEN own.holidays = excluded.holidays AND own.rules->'weekend' IS NOT DISTINCT FROM excluded.rules->'weekend'
            AND {_SAME_OPEN_RULES}
        THEN own.calendar ELSE excluded.version END,
    open_rules = CASE WHEN {_SAME_OPEN_RULES} THEN own.open_rules ELSE excluded.version END
WHERE own.version < excluded.version
"""
# Of one row with all codes: of an older catalogue there is none, and nothing goes.
_KEPT = "json_to_recordset({rows}) AS kept(codes text[])"
_CLOSE_UNITS = f"UPDATE units SET active = false FROM {_KEPT} WHERE units.code <> ALL (kept.codes)"
_KEEP_UNITS = """ON CONFLICT (code) DO UPDATE SET
    parent = excluded.parent, name_fa = excluded.name_fa, name_en = excluded.name_en, active = excluded.active"""
# The tree may have changed, and with it who is in a conflict of interest.
_LOOK_AT_STAFF = f"UPDATE staff SET unsettled_until = now() + interval '2 minutes' FROM {_KEPT}"
_DROP_GROUNDS = f"DELETE FROM grounds USING {_KEPT} WHERE grounds.code <> ALL (kept.codes)"
_KEEP_GROUNDS = """ON CONFLICT (code) DO UPDATE SET
    kinds = excluded.kinds, name_fa = excluded.name_fa, name_en = excluded.name_en"""


def keep_catalogue(connection: Connection, new: Catalogue) -> bool:
    """Takes over units, grounds, holidays and rules; False when it is no newer than ours. Units that went stay, inactive:
    old cases are about them."""
    # Only the fields that were set: where an older intake set none, the settings hold.
    rules = new.model_dump(mode="json", include=_RULES, exclude_unset=True)
    rules["articles"] = [article.model_dump(mode="json", exclude=_ARTICLE_TEXTS) for article in new.articles]
    row = {"version": new.version, "holidays": [day.isoformat() for day in new.holidays], "rules": rules}
    unit_rows = [unit.model_dump(include={"code", "parent", "name_fa", "name_en", "active"}) for unit in new.units]
    ground_rows = [ground.model_dump(include={"code", "kinds", "name_fa", "name_en"}) for ground in new.grounds]
    others = [
        Write(_CLOSE_UNITS, [{"codes": [unit.code for unit in new.units]}]),
        Write(_LOOK_AT_STAFF, [{"codes": []}]),
        Write(_DROP_GROUNDS, [{"codes": [ground.code for ground in new.grounds]}]),
        *writes.insert(units, unit_rows, _KEEP_UNITS),
        *writes.insert(grounds, ground_rows, _KEEP_GROUNDS),
    ]
    return writes.execute(connection, Write(_KEEP_CATALOGUE, [row]), others) == 1


def catalogue_version(connection: Connection) -> int:
    """The version of our copy; 0 when there is none yet."""
    return connection.execute(select(catalogue.c.version)).scalar() or 0


def calendar(connection: Connection) -> tuple[list[str], dict[str, Any], int]:
    """The city's holidays, ISO days; the rules that the administrator set; the version whose rules were last applied to open
    cases as well."""
    row = connection.execute(select(catalogue.c.holidays, catalogue.c.rules, catalogue.c.open_rules)).first()
    return (list(row.holidays), dict(row.rules), row.open_rules) if row else ([], {}, 0)


def ground_names(connection: Connection) -> dict[str, dict[Language, str]]:
    """What the administrator calls each ground, by its code; without one that no release has told."""
    chosen = select(grounds.c.code, grounds.c.name_fa, grounds.c.name_en)
    return {
        row.code: {Language.FA: row.name_fa, Language.EN: row.name_en}
        for row in connection.execute(chosen)
        if row.name_fa is not None and row.name_en is not None
    }


def all_units(connection: Connection) -> Sequence[Row[Any]]:
    """Our copy of the tree."""
    return connection.execute(select(units)).all()


def ground_kinds(connection: Connection, ground: str) -> frozenset[str] | None:
    """The kinds a ground is offered for, None when there is no such ground."""
    kinds = connection.execute(select(grounds.c.kinds).where(grounds.c.code == ground)).scalar()
    return None if kinds is None else frozenset(kinds)


def keep_staff(connection: Connection, event: StaffChanged) -> None:
    """A member of staff as accounts published it; an older version changes nothing."""
    statement = upsert(staff).values(
        staff_id=event.staff_id,
        version=event.version,
        roles=[str(role) for role in event.roles],
        unit=event.unit,
        active=event.active,
        display_name=event.display_name,
        successor=event.successor,
        unsettled_until=func.now() + SETTLED_AFTER,
    )
    kept = ("version", "roles", "unit", "active", "display_name", "successor", "unsettled_until")
    updates = {name: statement.excluded[name] for name in kept}
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["staff_id"], set_=updates, where=staff.c.version < statement.excluded.version
        )
    )


def keep_leave(connection: Connection, event: LeaveChanged) -> None:
    """A leave as accounts published it; an older version changes nothing."""
    names = ("leave_id", "version", "staff_id", "deputy", "starts_at", "ends_at")
    statement = upsert(leaves).values({name: getattr(event, name) for name in names})
    updates = {name: statement.excluded[name] for name in names[1:]}
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["leave_id"], set_=updates, where=leaves.c.version < statement.excluded.version
        )
    )


def member(connection: Connection, staff_id: UUID) -> Member | None:
    """One member of staff."""
    row = connection.exec_driver_sql(_MEMBER, {"staff": staff_id}).first()
    if row is None:
        return None
    away = frozenset(map(UUID, row.stands_in_for))
    return Member(row.staff_id, frozenset(row.roles), row.unit, row.active, away)


def member_part(parameter: str) -> Any:
    """The same as JSON, a part of a larger query; of the parameter of this name."""
    shown = json_object(**{name: staff.c[name] for name in _MEMBER_COLUMNS}, stands_in_for=AWAY)
    this = staff.c.staff_id == bindparam(parameter, type_=PG_UUID, required=False)
    return select(shown).where(this).scalar_subquery()


def members_part(parameter: str) -> Any:
    """Those of these members of staff who are active, as a JSON list; of a parameter that holds their ids."""
    shown = json_object(**{name: staff.c[name] for name in _MEMBER_COLUMNS}, stands_in_for=AWAY)
    these = staff.c.staff_id == any_(bindparam(parameter, type_=ARRAY(PG_UUID), required=False))
    return select(func.json_agg(shown)).where(these, staff.c.active).scalar_subquery()


_LIAISON = and_(staff.c.active, LIAISON)


def liaisons_part() -> Any:
    """The units that liaisons belong to, as a JSON list; each answers for its unit and all below it."""
    return select(func.json_agg(staff.c.unit.distinct())).where(_LIAISON, staff.c.unit.is_not(None)).scalar_subquery()


def liaison_units(connection: Connection) -> list[str]:
    """The same."""
    return list(connection.execute(select(liaisons_part())).scalar() or ())


def liaison_part() -> Any:
    """Whether a liaison answers for the unit that the case of a larger query is about: of it, or of one above it."""
    first, further = units.alias("first"), units.alias("further")
    base = select(first.c.code, first.c.parent).where(first.c.code == cases.c.unit).correlate(cases)
    above = base.cte("above", recursive=True, nesting=True)
    above = above.union_all(select(further.c.code, further.c.parent).join(above, further.c.code == above.c.parent))
    return exists(literal_column("1")).select_from(above.join(staff, staff.c.unit == above.c.code)).where(_LIAISON)


def kinds_part(parameter: str) -> Any:
    """The kinds that the ground of this parameter, or else of the case of a larger query, is offered for, as JSON; NULL when
    there is no such ground."""
    this = grounds.c.code == func.coalesce(bindparam(parameter, type_=String, required=False), cases.c.ground)
    return select(grounds.c.kinds).where(this).correlate(cases).scalar_subquery()


def handler_part() -> Any:
    """Who handles the case of a larger query, as JSON."""
    shown = json_object(**{name: staff.c[name] for name in _MEMBER_COLUMNS})
    return select(shown).where(staff.c.staff_id == cases.c.handler).correlate(cases).scalar_subquery()


def member_of_json(line: Mapping[str, Any] | None) -> Member | None:
    """The member of staff of that JSON."""
    if line is None:
        return None
    away = frozenset(map(UUID, line.get("stands_in_for", ())))
    return Member(UUID(line["staff_id"]), frozenset(line["roles"]), line["unit"], line["active"], away)


def active_with_role(connection: Connection, role: Role) -> list[Member]:
    """The active members of staff who have this role, by their ids."""
    chosen = select(staff).where(staff.c.active, staff.c.roles.contains([str(role)])).order_by(staff.c.staff_id)
    return [member_of_row(row) for row in connection.execute(chosen)]


def members(connection: Connection, ids: Iterable[UUID]) -> list[Member]:
    """These members of staff, as far as they are active."""
    chosen = select(staff).where(staff.c.staff_id.in_(list(ids)), staff.c.active)
    return [member_of_row(row) for row in connection.execute(chosen)]


def member_of_row(row: Row[Any]) -> Member:
    """The member of staff in a row that has (at least) their columns."""
    return Member(row.staff_id, frozenset(row.roles), row.unit, row.active)
