"""Members of staff as their colleagues find them."""

from __future__ import annotations

import base64
import binascii

from sqlalchemy import Connection

from backbone.persian.normalisation import normalise
from contracts.colleagues import Colleague, Colleagues, ListColleagues
from contracts.errors import InvalidField, NotAllowed, UnknownCase
from contracts.vocabulary import OPEN_STAGES, Role, Stage
from services.tracking.case import store as case_store
from services.tracking.case.access import Access, may_see
from services.tracking.case.lifecycle import Case
from services.tracking.colleagues import store
from services.tracking.reference.catalogue import CityCatalogue
from services.tracking.reference.store import NamedMember

TOLD_OF_NOBODY = frozenset({Role.LIAISON, Role.ANALYST})
"""Units and analysts are not told who works in the office (DOMAIN: The people)."""


class ColleagueUseCases:
    """The use case."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def list_colleagues(self, connection: Connection, request: ListColleagues) -> Colleagues:
        """A page of them, by name. NotAllowed, UnknownCase, InvalidField for what is no cursor."""
        city = self._access.city(connection)
        self._access.conflict_free_scope(connection, request.actor)
        if not request.actor.roles - TOLD_OF_NOBODY:
            raise NotAllowed
        case = None
        if request.case_id is not None:
            case = case_store.case_in_scope(connection, request.case_id, self._access.scope(connection, request.actor))
            if case is None:
                raise UnknownCase
        words = normalise(request.q or "").split()
        found = [
            member
            for member in store.active_members(connection)
            if _named_so(member.name, words) and _suits(member, request.role, case, city)
        ]
        found.sort(key=_place)
        if request.after is not None:
            last = _decoded(request.after)
            found = [member for member in found if _place(member) > last]
        page = found[: request.limit]
        more = len(found) > len(page)
        return Colleagues(
            items=[_shown(member, city) for member in page], next=_encoded(_place(page[-1])) if more else None
        )


def _named_so(name: str, words: list[str]) -> bool:
    parts = normalise(name).split()
    return all(any(part.startswith(word) for part in parts) for word in words)


def _suits(member: NamedMember, role: Role | None, case: Case | None, city: CityCatalogue) -> bool:
    """Whether they have the role and, of a case, may see it or be given it."""
    person = member.member
    if case is None:
        return role is None or role in person.roles
    if role is not Role.INSPECTOR:
        return (role is None or role in person.roles) and may_see(person, case, city)
    decided_it = case.stage is Stage.REVIEW and person.staff_id in case.excluded_staff
    return (
        case.stage in OPEN_STAGES
        and city.unfit(person, case.unit) is None
        and person.staff_id != case.handler
        and not decided_it
    )


def _shown(member: NamedMember, city: CityCatalogue) -> Colleague:
    unit = city.unit(member.member.unit)
    return Colleague(
        id=member.member.staff_id,
        name=member.name,
        roles=sorted(Role(role) for role in member.member.roles),
        unit=member.member.unit,
        unit_name_fa=unit.name_fa if unit else None,
        unit_name_en=unit.name_en if unit else None,
    )


def _place(member: NamedMember) -> tuple[str, str]:
    return normalise(member.name), str(member.member.staff_id)


def _encoded(place: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode("\n".join(place).encode()).decode()


def _decoded(cursor: str) -> tuple[str, str]:
    try:
        name, found, staff_id = base64.urlsafe_b64decode(cursor.encode()).decode().rpartition("\n")
    except (ValueError, binascii.Error):
        found = ""
    if not found:
        raise InvalidField(fields=[{"field": "after", "reason": "not_a_cursor"}])
    return name, staff_id
