"""Messages of the inbox."""

from __future__ import annotations

from uuid import UUID

from contracts.notify import ListMessages, MarkRead
from tests.support.walk.oracle import Person
from tests.support.walk.witness import Leak, ServiceWalk

_OF_WORK = frozenset({"inspector", "colleague", "worker", "mentioned", "operator"})
"""Messages by name that a deputy has, too: not those about an account, nor about an identity that was asked for."""


class MessagesWalk(ServiceWalk):
    """Messages of the inbox."""

    def _messages(self, person: Person) -> set[UUID]:
        """What is written to this person: to a citizen of their own cases, to staff by name or role unless they have a
        conflict of interest, to a unit's liaison."""
        message_ids = set()
        for row in self.world.rows("notify", "SELECT * FROM messages WHERE channel = 'inbox'"):
            case = self.oracle.cases.get(row["case_id"])
            if row["audience"] == "citizen":
                granted = not person.staff and case is not None and self.oracle.knows(person, case)
            elif row["role"] == "liaison":
                granted = self.oracle.answers_for(person, row["unit"])
            else:
                # By name: it was told while the case was theirs, and stays in their inbox.
                of_away = str(row["staff_id"]) in person.deputy_of and row["audience"] in _OF_WORK
                stands_in = case is not None and self.oracle.stands_in(person, case)
                granted = str(row["staff_id"]) == person.id or of_away
                granted = granted or row["role"] in person.roles & {"head", "screener", "custodian"}
                granted = granted or (stands_in and row["role"] in ("head", "screener"))
                granted = granted and bool(person.roles) and not (case and self.oracle.conflicted(person, case.unit))
            if granted:
                message_ids.add(row["id"])
        return message_ids

    def notify_list_messages(self, person: Person) -> None:
        granted = self._messages(person)
        message_ids: set[UUID] = set()
        after = None
        codes = [person.code_hash] if person.code_hash else []
        while True:
            request = ListMessages(actor=person.actor, code_hashes=codes, after=after, limit=100)
            page, code = self.ask(person, "notify.list_messages", request, check=not person.staff)
            if page is None:
                self.refused(person, "notify.list_messages", code)
                break
            message_ids |= {item.id for item in page.items}
            for item in page.items:
                case = self.oracle.cases.get(item.case_id) if item.case_id else None
                if case and self.oracle.conflicted(person, case.unit):
                    raise Leak(f"notify.list_messages tells {person.name} of {case.number}")
                allowed = {str(item.case_id), item.case_number}
                self.read(person, "notify.list_messages", item.text, [word for word in allowed if word])
            after = page.next
            if after is None:
                break
        self.same(person, "notify.list_messages", message_ids, granted)

    def notify_mark_read(self, person: Person) -> None:
        granted = self._messages(person)
        rows = self.world.rows("notify", "SELECT id FROM messages ORDER BY id LIMIT 100")
        codes = [person.code_hash] if person.code_hash else []
        request = MarkRead(actor=person.actor, code_hashes=codes, ids=[row["id"] for row in rows])
        messages, code = self.ask(person, "notify.mark_read", request, check=False)
        marked = {item.id for item in messages.items} if code is None else set()
        self.same(person, "notify.mark_read", marked, granted & {row["id"] for row in rows})
