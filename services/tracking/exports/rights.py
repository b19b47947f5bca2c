"""What an export's owner may see: asked when it is started, with each page, and when the file is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row

from contracts.gateway import Actor
from contracts.searches import Filter
from contracts.vocabulary import ActorKind, Role
from services.tracking.case.access import Access, actor_id
from services.tracking.case.scope import Scope
from services.tracking.reference import store


class ExportRights:
    """The rights of an export's owner, as they are now."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def scope(self, connection: Connection, actor: Actor) -> Scope:
        """What the actor may see, by their roles as accounts published them last, where it has: an analyst, masked.
        NotAllowed for who sees no case."""
        member = store.member(connection, actor_id(actor, ActorKind.STAFF))
        if member is not None:
            actor = actor.model_copy(update={"roles": actor.roles & {Role(role) for role in member.roles}})
        return self._access.scope(connection, actor, masks=True)


def stored_scope(scope: Scope) -> dict[str, Any]:
    """The scope, for keeping."""
    kept: dict[str, Any] = {
        "avoided": sorted(scope.avoided),
        "handler": str(scope.handler) if scope.handler else None,
    }
    if scope.deputy_of:
        kept["deputy_of"] = sorted(map(str, scope.deputy_of))
    if scope.stands_in:
        kept["stands_in"] = sorted(scope.stands_in)
    return {**kept, "masked": True} if scope.masked else kept


def covers(kept: Mapping[str, Any] | None, scope: Scope) -> bool:
    """Whether what was read under the kept rights holds nothing that this scope does not know."""
    if kept is None:
        return False
    same = scope.handler is None or (
        kept["handler"] == str(scope.handler)
        and set(kept.get("stands_in", ())) <= scope.stands_in
        and set(kept.get("deputy_of", ())) <= set(map(str, scope.deputy_of))
    )
    same = same and (not scope.masked or kept.get("masked", False))
    return same and scope.avoided <= set(kept["avoided"])


def owner_of(row: Row[Any]) -> Actor:
    """Who started it, with the roles of their token."""
    return Actor(kind=ActorKind.STAFF, id=str(row.owner), roles=frozenset(map(Role, row.roles)), unit=row.unit)


def filters_of(row: Row[Any]) -> list[Filter]:
    """What was asked for."""
    return [Filter.model_validate(part) for part in (row.filters, row.kept) if part is not None]
