"""Who may know of which cases, and which units a liaison answers for (DOMAIN: The people)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import Connection

from contracts.errors import NotAllowed
from contracts.gateway import Actor
from contracts.units import UnitTree
from contracts.vocabulary import IDENTITY_ROLES, ActorKind, Role
from services.tracking.case.lifecycle import Case
from services.tracking.case.scope import Scope, scope_of
from services.tracking.reference import store
from services.tracking.reference.catalogue import CatalogueCopy, CityCatalogue
from services.tracking.reference.store import Member


@dataclass(frozen=True)
class Reader:
    """A member of staff who reads a case: which cases they may know of, what accounts published of them, the catalogue."""

    actor: Actor
    scope: Scope
    member: Member | None
    city: CityCatalogue


class Access:
    """The rights of an actor, by their token and by what accounts published last."""

    def __init__(self, catalogue: CatalogueCopy) -> None:
        self._catalogue = catalogue

    def scope(self, connection: Connection, actor: Actor, masks: bool = False) -> Scope:
        """Which cases this member of staff may know of. NotAllowed for who sees none. `masks`: as in `scope_of`."""
        return self.reader(connection, actor, masks).scope

    def city(self, connection: Connection) -> CityCatalogue:
        """The city's catalogue."""
        return self._catalogue.current(connection)

    def reader(self, connection: Connection, actor: Actor, masks: bool = False) -> Reader:
        """The same with what it follows from."""
        member = store.member(connection, actor_id(actor, ActorKind.STAFF))
        city = self._catalogue.current(connection)
        return Reader(actor, scope_as(actor, member, city, masks), member, city)

    def published_scope(self, connection: Connection, staff_id: UUID) -> Scope:
        """The same without a token, by what accounts published last. NotAllowed for who sees none."""
        member = store.member(connection, staff_id)
        if member is None:
            raise NotAllowed
        return _published_scope(member, self._catalogue.current(connection))

    def identity_scope(self, connection: Connection, actor: Actor) -> Scope:
        """The cases whose identity this member of staff may ask to open: heads and custodians all but for a conflict of interest,
        a substitute, who is head there, those about the inspection. NotAllowed for others."""
        if not actor.roles & IDENTITY_ROLES:
            raise NotAllowed
        scope = self.conflict_free_scope(connection, actor)
        if actor.roles & {Role.HEAD, Role.CUSTODIAN}:
            return scope
        return replace(scope, only=self._catalogue.current(connection).about_inspection)

    def conflict_free_scope(self, connection: Connection, actor: Actor) -> Scope:
        """All cases but those about units in which this member of staff has a conflict of interest, for roles that see none by
        themselves. NotAllowed for a closed account."""
        member = store.member(connection, actor_id(actor, ActorKind.STAFF))
        return Scope(_conflict_units(actor, member, self._catalogue.current(connection).tree), None)

    def answered_units(self, connection: Connection, actor: Actor) -> frozenset[str]:
        """The units this liaison answers for, by the unit that accounts published last, where it did. NotAllowed for others."""
        member = store.member(connection, actor_id(actor, ActorKind.STAFF))
        unit = member.unit if member is not None else actor.unit
        if Role.LIAISON not in actor.roles or unit is None or (member is not None and not member.active):
            raise NotAllowed
        tree = self._catalogue.current(connection).tree
        away = store.members(connection, member.stands_in_for) if member is not None else ()
        others = {row.unit for row in away if row.unit is not None and Role.LIAISON in row.roles}
        return frozenset(code for own in (unit, *others) for code in tree.below(own))


def _conflict_units(actor: Actor, member: Member | None, tree: UnitTree) -> frozenset[str]:
    """Both the unit in the token and the one that accounts published last count: either may be the newer."""
    if member is not None and not member.active:
        raise NotAllowed
    return tree.in_conflict(actor.unit, member.unit if member else None)


def scope_as(actor: Actor, member: Member | None, city: CityCatalogue, masks: bool = False) -> Scope:
    """Which cases an actor may know of whom accounts published as this member of staff. NotAllowed for who sees none."""
    avoided = _conflict_units(actor, member, city.tree)
    deputy_of = member.stands_in_for if member is not None else frozenset()
    return scope_of(actor_id(actor, ActorKind.STAFF), actor.roles, avoided, masks, city.about_inspection, deputy_of)


def may_see(member: Member, case: Case, city: CityCatalogue) -> bool:
    """Whether a member of staff, by what accounts published last, may know of this case."""
    try:
        return _published_scope(member, city).knows(case)
    except NotAllowed:
        return False


def _published_scope(member: Member, city: CityCatalogue) -> Scope:
    if not member.active:
        raise NotAllowed
    avoided, about_inspection = city.tree.in_conflict(member.unit), city.about_inspection
    return scope_of(
        member.staff_id, member.roles, avoided, about_inspection=about_inspection, deputy_of=member.stands_in_for
    )


def actor_id(actor: Actor, kind: ActorKind) -> UUID:
    """The actor's UUID; NotAllowed for another kind of actor."""
    if actor.kind is not kind:
        raise NotAllowed
    try:
        return UUID(actor.id)
    except ValueError:
        raise NotAllowed from None
