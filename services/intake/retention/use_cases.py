"""What is erased when tracking says that its time is over."""

from __future__ import annotations

from uuid import uuid4

from sqlalchemy import Connection

from backbone.messaging import outbox
from contracts.base import now
from contracts.intake import IdentityErased
from contracts.tracking import RetentionDue
from contracts.vocabulary import KeptPart
from services.intake.retention import store


def erase(connection: Connection, event: RetentionDue) -> None:
    """Erases who filed a submission, or what it says; once, and never to come back.

    A repeated event, under its own id or another, erases what a restored backup may have brought back, and is published once.
    """
    if event.part is KeptPart.EVIDENCE:
        return
    rule = f"{event.state.kind}, {event.rule_outcome or 'any outcome'}: {event.months} months"
    is_first = store.record_erasure(connection, event.case_id, event.part, rule)
    if event.part is KeptPart.TEXTS:
        store.erase_texts(connection, event.case_id)
        return
    store.erase_identity(connection, event.case_id)
    if is_first:
        outbox.add(
            connection, IdentityErased(id=uuid4(), occurred_at=now(), case_id=event.case_id, months=event.months)
        )
