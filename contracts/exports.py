"""What is asked of tracking about exports: files of the cases that somebody may see, made in the background."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from contracts.base import Answer, LongPageRequest, Moment, Request
from contracts.gateway import Actor
from contracts.searches import Dropped, Filter, Key
from contracts.vocabulary import Language

__all__ = [
    "DropExport",
    "Dropped",
    "Export",
    "ExportFormat",
    "ExportPage",
    "ExportChunk",
    "ExportState",
    "GetExport",
    "ListExports",
    "ReadExport",
    "StartExport",
]


class ExportFormat(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"


class ExportState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Export(Answer):
    """A file of cases. `rows_done` of `rows_total` (not known while it waits). `error`, when it failed: not_allowed,
    too_many_rows or given_up. `expires_at`: from then on it is gone."""

    export_id: UUID
    state: ExportState
    format: ExportFormat
    language: Language
    filters: Filter
    search: UUID | None = None
    rows_done: int
    rows_total: int | None = None
    size: int | None = None
    error: str | None = None
    asked_at: Moment
    finished_at: Moment | None = None
    expires_at: Moment | None = None


class ExportPage(Answer):
    items: list[Export]
    next: str | None = None


class StartExport(Request):
    """RPC tracking.start_export → Export: all cases that these filters, and those of the kept search, find and that the actor
    may see while it is made. TooManyExports; NotFound for a search that is not for them; repeated with its key, the one it
    made."""

    actor: Actor
    filters: Filter = Filter()
    search: UUID | None = None
    format: ExportFormat
    language: Language = Language.FA
    idempotency_key: Key


class ListExports(LongPageRequest):
    """RPC tracking.list_exports → ExportPage: the actor's own, the newest first."""

    actor: Actor


class GetExport(Request):
    """RPC tracking.get_export → Export; NotFound for another's."""

    actor: Actor
    export_id: UUID


class DropExport(Request):
    """RPC tracking.drop_export → Dropped: it is made no further, and what there is of it is gone. NotFound for another's."""

    actor: Actor
    export_id: UUID


class ReadExport(Request):
    """RPC tracking.read_export → ExportChunk. NotFound for another's or a chunk too far; ExportNotDone; Gone when the actor
    may no longer see what they might when it was made."""

    actor: Actor
    export_id: UUID
    chunk: Annotated[int, Field(ge=0)] = 0


class ExportChunk(Answer):
    """`content`: base64. `chunks`: how many there are."""

    export_id: UUID
    format: ExportFormat
    asked_at: Moment
    size: int
    chunks: int
    content: str
