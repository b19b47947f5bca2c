"""Tells the owner of an account what was changed about how they sign in."""

from __future__ import annotations

from uuid import UUID, uuid4

from sqlalchemy import Connection

from backbone.messaging import outbox
from contracts.base import now
from contracts.own_account import AccountNews, AccountSecurityChanged


def publish_news(connection: Connection, staff_id: UUID, what: AccountNews, codes_left: int | None = None) -> None:
    """In the transaction of the change."""
    outbox.add(
        connection,
        AccountSecurityChanged(id=uuid4(), occurred_at=now(), staff_id=staff_id, what=what, codes_left=codes_left),
    )
