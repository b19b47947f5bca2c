"""The formal letter of a case, for whoever may read it."""

from __future__ import annotations

from sqlalchemy import Connection

from contracts.letters import Letter, ReadLetter
from contracts.vocabulary import ActorKind
from services.tracking.case.access import Access
from services.tracking.letters import store


class LetterUseCases:
    """The use case."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def read_letter(self, connection: Connection, request: ReadLetter) -> Letter:
        """The formal letter of a decided or refused case, for staff, its citizen, or who holds its code."""
        of_staff = request.actor.kind is ActorKind.STAFF
        return store.read(connection, request, self._access.scope(connection, request.actor) if of_staff else None)
