"""The audit, for the auditor: who read, changed and opened what, and when. No texts; each reading of it is an entry itself."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from backbone.persian import jalali
from backbone.tables.writing import BOM, csv_line
from contracts import audit
from contracts.base import Answer
from contracts.characters import latin_digits
from contracts.errors import InvalidField, NotAllowed
from contracts.gateway import Actor
from contracts.vocabulary import Role
from gateway.api.audit.bodies import AuditQuery
from gateway.api.audit.merging import merged, read_cursor
from gateway.api.dependencies import ContainerDep, SignedIn, StaffDep, answer
from gateway.api.openapi_responses import problems
from gateway.container import AppContainer
from gateway.evidence.downloads import content_disposition

router = APIRouter(prefix="/audit", tags=["audit"])

EXPORTED_AT_ONCE = 500
MOST_EXPORTED = 5_000
"""Entries of one file; a longer period takes several."""
COLUMNS = (
    "at",
    "service",
    "position",
    "command",
    "result",
    "actor_kind",
    "actor_id",
    "actor_name",
    "roles",
    "subjects",
    "subject_names",
    "trace_id",
    "hash",
)

_LIST_SEPARATOR = " | "
"""Between the parts of a cell: a name has spaces in it."""


class AuditEntryView(audit.AuditEntry):
    """`actor_name`: of staff, as they are called now; `subject_names`: of those subjects that are staff, in their order."""

    actor_name: str | None = None
    subject_names: list[str] = []


class AuditPage(Answer):
    """Newest first, of all services that keep a log."""

    items: list[AuditEntryView]
    next: str | None = None


def _require_auditor(signed_in: SignedIn) -> Actor:
    if Role.AUDITOR not in signed_in.caller.roles:
        raise NotAllowed
    return signed_in.actor


async def _filters(container: AppContainer, actor: Actor, query: AuditQuery) -> dict[str, Any]:
    """The fields of ReadAudit. InvalidField; UnknownCase for a number that is none's."""
    if query.since and query.until and query.until < query.since:
        raise InvalidField(fields=[{"field": "until", "reason": "before_its_start"}])
    case_id = query.case_id
    if query.number is not None:
        finding = audit.FindAuditedCase(actor=actor, number=latin_digits(query.number))
        case_id = (await container.rabbit.call("tracking", "find_audited_case", finding, audit.AuditedCase)).case_id
    people = None
    if query.name is not None:
        named = await _staff(container, audit.NameStaff(actor=actor, typed=query.name))
        people = [member.staff_id for member in named]
    return {
        "actor": actor,
        "person": query.person,
        "people": people,
        "case_id": case_id,
        "commands": query.command,
        "since": jalali.starts(query.since) if query.since else None,
        "until": jalali.starts(query.until + timedelta(days=1)) if query.until else None,
    }


async def _staff(container: AppContainer, request: audit.NameStaff) -> list[audit.StaffName]:
    return (await container.rabbit.call("accounts", "name_staff", request, audit.StaffNames)).items


async def _named(container: AppContainer, actor: Actor, entries: list[audit.AuditEntry]) -> list[AuditEntryView]:
    """The entries with the names of staff."""
    subjects = {id_ for entry in entries for subject in entry.subjects if (id_ := _id(subject)) is not None}
    ids = sorted({entry.actor_id for entry in entries if entry.actor_id is not None} | subjects)
    parts = [ids[at : at + audit.MOST_PEOPLE] for at in range(0, len(ids), audit.MOST_PEOPLE)]
    answers = await asyncio.gather(*(_staff(container, audit.NameStaff(actor=actor, ids=part)) for part in parts))
    names = {member.staff_id: member.display_name for members in answers for member in members}
    return [
        AuditEntryView(
            **dict(entry),
            actor_name=names.get(entry.actor_id) if entry.actor_id is not None else None,
            subject_names=[names[id_] for subject in entry.subjects if (id_ := _id(subject)) in names],
        )
        for entry in entries
    ]


def _id(subject: str) -> UUID | None:
    try:
        return UUID(subject)
    except ValueError:
        return None


async def _page(
    container: AppContainer, filters: dict[str, Any], after: str | None, limit: int
) -> tuple[list[AuditEntryView], str | None]:
    before = read_cursor(after)
    # A log that was read to its end before this page has nothing more.
    requests = [audit.ReadAudit(**filters, before=before.get(service), limit=limit) for service in audit.AUDITED]
    logs = await asyncio.gather(
        *(
            container.rabbit.call(service, "read_audit", request, audit.AuditEntries)
            for service, request in zip(audit.AUDITED, requests, strict=True)
        )
    )
    entries, cursor = merged(
        {service: log.items for service, log in zip(audit.AUDITED, logs, strict=True)}, before, limit
    )
    return await _named(container, filters["actor"], entries), cursor


@router.get(
    "",
    operation_id="listAudit",
    summary="Who read, changed and opened what",
    response_model=AuditPage,
    responses=problems(401, 403, 404, 422),
)
async def list_audit(
    container: ContainerDep,
    signed_in: StaffDep,
    query: Annotated[AuditQuery, Query()],
) -> Response:
    """For the auditor. An entry has ids, names of staff, the name of a command and its result; no text, mobile or code, and no
    name of a citizen. It appears about a second after what it tells of. That it was read is an entry, whoever it is about."""
    filters = await _filters(container, _require_auditor(signed_in), query)
    items, cursor = await _page(container, filters, query.after, query.limit)
    return answer(AuditPage(items=items, next=cursor))


@router.get(
    "/file",
    operation_id="exportAudit",
    summary="The same as a file, CSV",
    response_class=Response,
    responses={
        **problems(401, 403, 404, 422),
        200: {
            "description": "UTF-8 with a byte order mark, every cell quoted",
            "content": {"text/csv": {"schema": {"type": "string"}}},
            "headers": {"Content-Disposition": {"description": "Its file name", "schema": {"type": "string"}}},
        },
    },
)
async def export_audit(container: ContainerDep, signed_in: StaffDep, query: Annotated[AuditQuery, Query()]) -> Response:
    """The newest 5,000 entries; `after`, the `next` of a page, begins behind it."""
    filters = await _filters(container, _require_auditor(signed_in), query)
    entries: list[AuditEntryView] = []
    after = query.after
    while len(entries) < MOST_EXPORTED:
        items, after = await _page(container, filters, after, EXPORTED_AT_ONCE)
        entries += items
        if after is None:
            break
    headers = {
        "cache-control": "private, no-store",
        "content-disposition": content_disposition("peygir-audit.csv", inline=False),
    }
    return Response(table(entries), 200, headers, "text/csv; charset=utf-8")


def table(entries: list[AuditEntryView]) -> bytes:
    """CSV with a line of names first; no cell is taken for a formula."""
    rows = (entry.model_dump(mode="json") for entry in entries)
    return BOM + csv_line(COLUMNS) + b"".join(csv_line([_cell(fields[name]) for name in COLUMNS]) for fields in rows)


def _cell(value: Any) -> str:
    return _LIST_SEPARATOR.join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
