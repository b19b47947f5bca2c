"""Who may know of which cases, and which units a liaison answers for (DOMAIN: The people)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection

from contracts.errors import NotAllowed
from contracts.gateway import Actor
from contracts.vocabulary import ActorKind, Role
from services.tracking.case.scope import Scope, scope_of
from services.tracking.reference import store
from services.tracking.reference.catalogue import CatalogueCopy


class Access:
    """The rights of an actor, by their token and by what accounts published last."""

    def __init__(self, catalogue: CatalogueCopy) -> None:
        self._catalogue = catalogue

    def scope(self, connection: Connection, actor: Actor, masks: bool = False) -> Scope:
        """Which cases this member of staff may know of. NotAllowed for who sees none. `masks`: as in `scope_of`."""
        staff_id = actor_id(actor, ActorKind.STAFF)
        return scope_of(staff_id, actor.roles, self.conflict_units(connection, actor, staff_id), masks)

    def conflict_units(self, connection: Connection, actor: Actor, staff_id: UUID) -> frozenset[str]:
        """The units in which this member of staff has a conflict of interest. NotAllowed for a closed account.

        Both the unit in the token and the one that accounts published last count: either may be the newer.
        """
        member = store.member(connection, staff_id)
        if member is not None and not member.active:
            raise NotAllowed
        tree = self._catalogue.current(connection).tree
        return tree.in_conflict(actor.unit, member.unit if member else None)

    def answered_units(self, connection: Connection, actor: Actor) -> frozenset[str]:
        """The units this liaison answers for, by the unit that accounts published last, where it did. NotAllowed for others."""
        member = store.member(connection, actor_id(actor, ActorKind.STAFF))
        unit = member.unit if member is not None else actor.unit
        if Role.LIAISON not in actor.roles or unit is None or (member is not None and not member.active):
            raise NotAllowed
        return self._catalogue.current(connection).tree.below(unit)


def actor_id(actor: Actor, kind: ActorKind) -> UUID:
    """The actor's UUID; NotAllowed for another kind of actor."""
    if actor.kind is not kind:
        raise NotAllowed
    try:
        return UUID(actor.id)
    except ValueError:
        raise NotAllowed from None
