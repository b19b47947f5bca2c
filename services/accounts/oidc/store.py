"""Queries of sign-ins at the provider, one line of comment each."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, delete, insert, select, update

from services.accounts.models import oidc_sign_ins


def begin(connection: Connection, values: dict[str, Any]) -> None:
    """A sign-in that was begun."""
    connection.execute(insert(oidc_sign_ins).values(**values))


def find(connection: Connection, browser_hash: str, state_hash: str, at: datetime) -> Row[Any] | None:
    """The sign-in of this browser, when its state is right and it has not expired."""
    chosen = select(oidc_sign_ins).where(
        oidc_sign_ins.c.browser_hash == browser_hash,
        oidc_sign_ins.c.state_hash == state_hash,
        oidc_sign_ins.c.expires_at > at,
    )
    return connection.execute(chosen).first()


def use(connection: Connection, browser_hash: str) -> bool:
    """Before the provider's code is exchanged: False when it was before."""
    used = update(oidc_sign_ins).where(oidc_sign_ins.c.browser_hash == browser_hash, oidc_sign_ins.c.used.is_(False))
    return connection.execute(used.values(used=True)).rowcount == 1


def identify(connection: Connection, browser_hash: str, staff_id: UUID) -> None:
    """Who the provider said it is; their second factor is waited for."""
    known = update(oidc_sign_ins).where(oidc_sign_ins.c.browser_hash == browser_hash)
    connection.execute(known.values(staff_id=staff_id))


def end(connection: Connection, browser_hash: str) -> bool:
    """Signed in, or refused: False when it had ended before."""
    return connection.execute(delete(oidc_sign_ins).where(oidc_sign_ins.c.browser_hash == browser_hash)).rowcount == 1


def prune(connection: Connection, at: datetime) -> int:
    """Deletes those that nobody finished; how many."""
    return connection.execute(delete(oidc_sign_ins).where(oidc_sign_ins.c.expires_at < at)).rowcount
