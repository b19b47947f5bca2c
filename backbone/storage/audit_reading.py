"""Reading the audit, for the auditor: who did, read and opened what, when; ids, names of commands and times alone.

Whoever reads it does so by a command, which is an entry itself (backbone/process/audited_service.py).
"""

from __future__ import annotations

from sqlalchemy import Connection, select

from backbone.storage.audit import CHAIN
from contracts.audit import AuditEntries, AuditEntry, ReadAudit
from contracts.errors import NotAllowed
from contracts.vocabulary import ActorKind, Role


def page(connection: Connection, request: ReadAudit) -> AuditEntries:
    """The newest entries before a position, as far as they are chained. NotAllowed for who is no auditor."""
    if request.actor.kind is not ActorKind.STAFF or Role.AUDITOR not in request.actor.roles:
        raise NotAllowed
    chosen = select(CHAIN).order_by(CHAIN.c.position.desc()).limit(request.limit)
    if request.before is not None:
        chosen = chosen.where(CHAIN.c.position < request.before)
    if request.person is not None:
        chosen = chosen.where(CHAIN.c.actor_id == str(request.person))
    if request.people is not None:
        chosen = chosen.where(CHAIN.c.actor_id.in_([str(person) for person in request.people]))
    if request.case_id is not None:
        chosen = chosen.where(CHAIN.c.subjects[1] == str(request.case_id))
    if request.commands:
        chosen = chosen.where(CHAIN.c.command.in_(request.commands))
    if request.since is not None:
        chosen = chosen.where(CHAIN.c.at >= request.since)
    if request.until is not None:
        chosen = chosen.where(CHAIN.c.at < request.until)
    names = [name for name in AuditEntry.model_fields if name != "service"]
    rows = connection.execute(chosen)
    return AuditEntries(items=[AuditEntry(**{name: getattr(row, name) for name in names}) for row in rows])
