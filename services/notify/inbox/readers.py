"""Which messages a member of staff may read, as accounts published them last."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection

from contracts.base import now
from contracts.units import UnitTree
from contracts.vocabulary import Role
from services.notify.inbox import store
from services.notify.inbox.store import Reader
from services.notify.notifications.store import away as staff_away
from services.notify.notifications.store import staff_member


def staff_reader(
    connection: Connection,
    staff_id: UUID,
    offices: Sequence[str],
    roles: Sequence[str] = (),
    unit: str | None = None,
) -> Reader | None:
    """None for a closed account. `roles`, `unit`: of whom no event has arrived yet; `offices`: of the inspection itself."""
    member = staff_member(connection, staff_id)
    if member is not None and not member.active:
        return None
    if member is not None:
        roles, unit = member.roles, member.unit
    needs_tree = unit is not None or Role.SUBSTITUTE in roles
    tree = store.unit_tree(connection) if needs_tree else UnitTree({})
    return Reader.staff(staff_id, roles, unit, tree, offices, staff_away(connection, staff_id, now()))
