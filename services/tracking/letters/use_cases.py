"""The formal letter of a case, for whoever may read it."""

from __future__ import annotations

from sqlalchemy import Connection

from contracts.errors import NoLetter
from contracts.letters import CheckLetter, Letter, LetterStanding, ReadLetter
from contracts.vocabulary import ActorKind
from services.tracking.case.access import Access
from services.tracking.letters import store


class LetterUseCases:
    """The use cases."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def read_letter(self, connection: Connection, request: ReadLetter) -> Letter:
        """The formal letter of a decided or refused case, for staff, its citizen, or who holds its code."""
        of_staff = request.actor.kind is ActorKind.STAFF
        return store.read(connection, request, self._access.scope(connection, request.actor) if of_staff else None)

    def check_letter(self, connection: Connection, request: CheckLetter) -> LetterStanding:
        """Whether a letter of this number is the current one of its case."""
        case_number = request.number.rpartition("-")[0]
        try:
            current = store.current(connection, case_number)
        except NoLetter:
            return LetterStanding(in_force=False)
        return LetterStanding(in_force=current.number == request.number)
