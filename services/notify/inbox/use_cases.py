"""The in-app inbox: of a citizen, of whoever holds a code, of a member of staff."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from contracts.errors import InvalidField, NotAllowed
from contracts.gateway import Actor
from contracts.notify import ListMessages, MarkRead, Message, MessagePage
from contracts.vocabulary import ActorKind, Language
from services.notify.inbox import store as inbox_store
from services.notify.inbox.store import Reader
from services.notify.notifications import store
from services.notify.wording import use_cases, values
from services.notify.wording.templates import Table, table


@dataclass(frozen=True)
class _Cursor:
    at: datetime
    id: UUID

    def text(self) -> str:
        return base64.urlsafe_b64encode(f"{self.at.isoformat()}|{self.id}".encode()).decode()

    @classmethod
    def parse(cls, text: str) -> _Cursor:
        try:
            at, _, message_id = base64.urlsafe_b64decode(text.encode()).decode().partition("|")
            moment = datetime.fromisoformat(at)
            if moment.tzinfo is None:
                raise ValueError("no zone")
            return cls(moment, UUID(message_id))
        except (ValueError, binascii.Error):
            raise InvalidField(fields=[{"field": "after", "reason": "not_a_cursor"}]) from None


class Inbox:
    """The use cases of the inbox."""

    def __init__(self, words: Table | None = None) -> None:
        self._table = words or table()

    def list_messages(self, connection: Connection, request: ListMessages) -> MessagePage:
        """Newest first. NotAllowed without an actor or a code."""
        reader = self._reader(connection, request.actor, request.code_hashes)
        after = _Cursor.parse(request.after) if request.after else None
        rows = inbox_store.page(connection, reader, (after.at, after.id) if after else None, request.limit + 1)
        shown = rows[: request.limit]
        more = _Cursor(shown[-1].at, shown[-1].id).text() if len(rows) > request.limit else None
        words = use_cases.current(connection, self._table)
        return MessagePage(items=[self._shown(row, reader, request.actor, words) for row in shown], next=more)

    def mark_read(self, connection: Connection, request: MarkRead) -> MessagePage:
        """Those of `ids` that are this reader's, read from now on."""
        reader = self._reader(connection, request.actor, request.code_hashes)
        rows = inbox_store.of_ids(connection, reader, request.ids)
        inbox_store.mark_read(connection, reader, [row.id for row in rows])
        words = use_cases.current(connection, self._table)
        items = [self._shown(row, reader, request.actor, words).model_copy(update={"read": True}) for row in rows]
        return MessagePage(items=items)

    def _reader(self, connection: Connection, actor: Actor | None, code_hashes: Sequence[str]) -> Reader:
        if actor is not None and actor.kind is ActorKind.STAFF:
            known = store.staff_member(connection, UUID(actor.id))
            if known is not None and not known.active:
                raise NotAllowed
            # A token may be older than the last change of roles.
            roles = known.roles if known is not None else [str(role) for role in actor.roles]
            return Reader.staff(UUID(actor.id), roles, known.unit if known is not None else actor.unit)
        if code_hashes:
            return Reader.by_code(code_hashes)
        if actor is not None and actor.kind is ActorKind.BEARER:
            return Reader.by_code([actor.id])
        if actor is not None and actor.kind is ActorKind.CITIZEN:
            return Reader.citizen(UUID(actor.id))
        raise NotAllowed

    def _shown(self, row: store.AnyRow, reader: Reader, actor: Actor | None, words: Table) -> Message:
        language = actor.language if actor is not None else Language(row.contact_language or Language.FA)
        params = dict(row.params)
        if row.promised_on is not None and row.event == "submission.registered.v1":
            params["date"] = row.promised_on.isoformat()
        filled = values.values(params, language, words)
        return Message(
            id=row.id,
            case_id=row.case_id,
            case_number=row.params.get("number") if reader.staff_id is not None else None,
            template=row.template,
            text=words.render(row.channel, row.template, language, filled),
            at=row.at,
            read=row.read,
        )
