"""The in-app inbox: of a citizen, of whoever holds a code, of a member of staff."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import Connection

from backbone.process.settings import secrets
from backbone.storage import cursors
from contracts.call_backs import CallableCitizen, CheckCallable, may_call
from contracts.errors import NotAllowed
from contracts.gateway import Actor
from contracts.notify import ListMessages, MarkRead, Message, MessagePage
from contracts.vocabulary import ActorKind, Language
from services.notify.delivery.contact_codes import code_of
from services.notify.delivery.store import callable_contact
from services.notify.inbox import store
from services.notify.inbox.readers import staff_reader
from services.notify.inbox.store import Reader
from services.notify.settings import Settings
from services.notify.wording.rules import Value
from services.notify.wording.store import with_changes
from services.notify.wording.templates import Templates


class InboxUseCases:
    """Lists messages and marks them as read; substitutes have those of screeners and heads about the inspection itself."""

    def __init__(self, settings: Settings, templates: Templates, values: Mapping[str, Value]) -> None:
        self._private_keys = secrets(settings.notify_private_keys)
        self._offices = (settings.inspection_unit, settings.mayor_unit)
        self._templates = templates
        self._values = values

    def list_messages(self, connection: Connection, request: ListMessages) -> MessagePage:
        """Newest first. NotAllowed without an actor or a code."""
        reader = self._reader(connection, request.actor, request.code_hashes)
        after = cursors.decode(request.after) if request.after else None
        rows = store.page(connection, reader, after, request.limit + 1)
        page = rows[: request.limit]
        next_cursor = cursors.encode(page[-1].at, page[-1].id) if len(rows) > request.limit else None
        templates = with_changes(connection, self._templates)
        items = [self._shown(row, reader, request.actor, templates) for row in page]
        return MessagePage(items=items, next=next_cursor)

    def mark_read(self, connection: Connection, request: MarkRead) -> MessagePage:
        """Marks those of `ids` as read that are this reader's."""
        reader = self._reader(connection, request.actor, request.code_hashes)
        rows = store.of_ids(connection, reader, request.ids)
        store.mark_read(connection, reader, [row.id for row in rows])
        templates = with_changes(connection, self._templates)
        items = [self._shown(row, reader, request.actor, templates).model_copy(update={"read": True}) for row in rows]
        return MessagePage(items=items)

    def check_callable(self, connection: Connection, request: CheckCallable) -> CallableCitizen:
        """Whether the citizen of a case may be called. NotAllowed for who calls nobody."""
        if request.actor.kind is not ActorKind.STAFF or not may_call(request.actor.roles):
            raise NotAllowed
        contact = callable_contact(connection, request.case_id)
        if contact is None:
            return CallableCitizen(callable=False)
        code = code_of(contact, self._private_keys)
        return CallableCitizen(callable=True, code_digits=code[-4:] if code else None)

    def _reader(self, connection: Connection, actor: Actor | None, code_hashes: Sequence[str]) -> Reader:
        if actor is not None and actor.kind is ActorKind.STAFF:
            # A token may be older than the last change of roles.
            reader = staff_reader(
                connection, UUID(actor.id), self._offices, [str(role) for role in actor.roles], actor.unit
            )
            if reader is None:
                raise NotAllowed
            return reader
        if code_hashes:
            return Reader.by_code(code_hashes)
        if actor is not None and actor.kind is ActorKind.BEARER:
            return Reader.by_code([actor.id])
        if actor is not None and actor.kind is ActorKind.CITIZEN:
            return Reader.citizen(UUID(actor.id))
        raise NotAllowed

    def _shown(self, row: store.AnyRow, reader: Reader, actor: Actor | None, templates: Templates) -> Message:
        language = actor.language if actor is not None else Language(row.contact_language or Language.FA)
        params = dict(row.params)
        if row.promised_on is not None and row.event == "submission.registered.v1":
            params["date"] = row.promised_on.isoformat()
        values = templates.write(params, language, self._values)
        return Message(
            id=row.id,
            case_id=row.case_id,
            case_number=row.params.get("number") if reader.staff_id is not None else None,
            template=row.template,
            text=templates.render(row.channel, row.template, language, values),
            at=row.at,
            read=row.read,
        )
