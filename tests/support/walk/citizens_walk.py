"""Cases as citizens and holders of a code read and command them, and the slots of visits."""

from __future__ import annotations

import uuid
from typing import Any

from contracts import visits
from contracts.gateway import Actor
from contracts.letters import CheckLetter, ReadLetter
from contracts.tracking import (
    CorrectFiled,
    CorrectMessage,
    ExecuteCitizenCommand,
    FindSimilarOwnCases,
    ListOwnCases,
    SendEvidence,
    SendMessage,
    ViewByCode,
    ViewOwnCase,
    Withdraw,
    WithdrawEvidence,
    WithdrawMessage,
)
from contracts.vocabulary import ActorKind, Role, Stage
from tests.support.walk.oracle import Person
from tests.support.walk.witness import OFFICES_OWN, ServiceWalk


class CitizensWalk(ServiceWalk):
    """Cases as citizens and holders of a code read and command them, and the slots of visits."""

    def tracking_view_by_code(self, person: Person) -> None:
        # Who knows the code knows the case: here it is asked by a hash that belongs to none.
        _, code = self.ask(person, "tracking.view_by_code", ViewByCode(code_hashes=["0" * 64]))
        self.refused(person, "tracking.view_by_code", code)
        if person.code_hash:
            view, _ = self.ask(person, "tracking.view_by_code", ViewByCode(code_hashes=[person.code_hash]))
            self.same(
                person,
                "tracking.view_by_code",
                [view.case_id],
                [case.case_id for case in self.oracle.known_cases(person)],
            )
            self._public(person, view)

    def _public(self, person: Person, case: Any) -> None:
        """Of what the office does for itself the citizen's timeline does not even tell that it was done."""
        self.same(person, "a citizen's timeline", {line.entry for line in case.timeline} & OFFICES_OWN, set())

    def tracking_list_own_cases(self, person: Person) -> None:
        listed: set[uuid.UUID] = set()
        after = None
        while True:
            request = ListOwnCases(actor=self.actor(person), after=after, limit=100)
            own_cases, code = self.ask(person, "tracking.list_own_cases", request)
            if person.actor is None or person.actor.kind is not ActorKind.CITIZEN:
                self.refused(person, "tracking.list_own_cases", code)
                return
            listed |= {item.case_id for item in own_cases.items}
            after = own_cases.next
            if after is None:
                break
        granted = {case.case_id for case in self.oracle.known_cases(person)}
        self.same(person, "tracking.list_own_cases", listed, granted)

    def tracking_find_similar_own_cases(self, person: Person) -> None:
        own = {case.case_id for case in self.oracle.known_cases(person)} if self.is_citizen(person) else set()
        for case in self.others_cases(person)[:4]:
            request = FindSimilarOwnCases(
                actor=self.actor(person), unit=case.unit, ground=case.filed.ground, text=case.filed.text
            )
            similar, code = self.ask(person, "tracking.find_similar_own_cases", request)
            if not self.is_citizen(person):
                self.refused(person, "tracking.find_similar_own_cases", code)
                continue
            self.same(person, "tracking.find_similar_own_cases", {item.case_id for item in similar.items} - own, set())

    def tracking_view_own_case(self, person: Person) -> None:
        for case in self.others_cases(person):
            request = ViewOwnCase(actor=self.actor(person), case_id=case.case_id)
            self.refused(person, "tracking.view_own_case", self.ask(person, "tracking.view_own_case", request)[1])
        for case in self.oracle.known_cases(person) if self.is_citizen(person) else ():
            request = ViewOwnCase(actor=self.actor(person), case_id=case.case_id)
            view, _ = self.ask(person, "tracking.view_own_case", request)
            self.same(person, "tracking.view_own_case", view and view.case_id, case.case_id)
            self._public(person, view)

    def tracking_execute_citizen(self, person: Person) -> None:
        for place, case in enumerate(self.others_cases(person)):
            codes = [person.code_hash] if person.code_hash else []
            further = (
                SendMessage(text="x"),
                CorrectMessage(message_id=uuid.uuid4(), text="x"),
                WithdrawMessage(message_id=uuid.uuid4()),
                CorrectFiled(text="x"),
                WithdrawEvidence(media_id=next(iter(case.media), uuid.uuid4().hex)),
            )
            # The way to the case is the same for all of them: each is tried with some cases.
            for command in (Withdraw(), SendEvidence(uploads=[uuid.uuid4().hex]), further[place % len(further)]):
                request = ExecuteCitizenCommand(
                    actor=self.actor(person),
                    code_hashes=codes,
                    case_id=case.case_id,
                    idempotency_key=uuid.uuid4().hex,
                    command=command,
                )
                _, code = self.ask(person, "tracking.execute_citizen", request)
                self.refused(person, "tracking.execute_citizen", code)
        if person.code_hash:
            request = ExecuteCitizenCommand(
                actor=self.actor(person),
                code_hashes=[person.code_hash],
                idempotency_key=uuid.uuid4().hex,
                command=visits.AskVisit(),
            )
            result, code = self.ask(person, "tracking.execute_citizen", request)
            own = self.oracle.known_cases(person)[0].case_id
            self.same(person, "tracking.execute_citizen", result.case_id if code is None else own, own)

    def tracking_list_offered_slots(self, person: Person) -> None:
        for case in self.others_cases(person):
            request = visits.ListOfferedSlots(actor=self.actor(person), case_id=case.case_id)
            self.refused(
                person, "tracking.list_offered_slots", self.ask(person, "tracking.list_offered_slots", request)[1]
            )
        nobodys = visits.ListOfferedSlots(actor=Actor(kind=ActorKind.BEARER, id="0" * 64), code_hashes=["0" * 64])
        self.refused(person, "tracking.list_offered_slots", self.ask(person, "tracking.list_offered_slots", nobodys)[1])
        for case in self.oracle.known_cases(person) if not person.staff else ():
            codes = [person.code_hash] if person.code_hash else []
            request = visits.ListOfferedSlots(actor=self.actor(person), case_id=case.case_id, code_hashes=codes)
            slots, _ = self.ask(person, "tracking.list_offered_slots", request)
            if case.stage == Stage.WITHDRAWN or not case.filed.visit_wanted:
                self.same(person, "tracking.list_offered_slots", slots.items, [])

    def tracking_read_letter(self, person: Person) -> None:
        codes = [person.code_hash] if person.code_hash else []
        for case in [] if codes else self.hidden_cases(person):
            request = ReadLetter(actor=self.actor(person), case_id=case.case_id)
            self.refused(person, "tracking.read_letter", self.ask(person, "tracking.read_letter", request)[1])
        for case in self.oracle.known_cases(person):
            request = ReadLetter(actor=self.actor(person), case_id=case.case_id, code_hashes=codes)
            letter, code = self.ask(person, "tracking.read_letter", request)
            if letter is None:
                self.same(person, "tracking.read_letter", code, "no_letter")
            else:
                self.same(person, "tracking.read_letter", letter.case_number, case.number)

    def tracking_check_letter(self, person: Person) -> None:
        # Whoever holds a letter may ask, whoever they are; of the case nothing else is answered.
        _, code = self.ask(person, "tracking.check_letter", CheckLetter(number="1300-000001-1"))
        self.refused(person, "tracking.check_letter", code)
        for case in self.hidden_cases(person)[:3]:
            standing, _ = self.ask(person, "tracking.check_letter", CheckLetter(number=f"{case.number}-1"))
            self.same(person, "tracking.check_letter", set(dict(standing)), {"in_force"})

    def tracking_list_slots(self, person: Person) -> None:
        slots, code = self.ask(person, "tracking.list_slots", visits.ListSlots(actor=self.actor(person)))
        if not person.roles & {Role.HEAD, Role.ADMINISTRATOR, Role.INSPECTOR, Role.SUBSTITUTE}:
            self.refused(person, "tracking.list_slots", code)
            return
        shown = {(slot.slot_id, visited_case.case_id) for slot in slots.items for visited_case in slot.cases}
        taken = "('booked', 'moved', 'held', 'no_show')"
        query = f"SELECT slot_id, case_id FROM visits WHERE slot_id IS NOT NULL AND state IN {taken}"
        keeps = person.roles & {Role.HEAD, Role.ADMINISTRATOR}
        granted = {
            (row["slot_id"], row["case_id"])
            for row in self.world.rows("tracking", query)
            if self.oracle.knows(person, self.oracle.cases[row["case_id"]])
        }
        self.same(person, "tracking.list_slots", shown, granted)
        if not keeps:
            own = {person.id, *person.deputy_of}
            self.same(person, "tracking.list_slots", {str(slot.inspector) for slot in slots.items} - own, set())

    def _keepers(self, person: Person, name: str, request: Any, also: frozenset[Role] = frozenset()) -> None:
        """For head and administrator (and `also`); no case is in it."""
        _, code = self.ask(person, name, request)
        if not person.roles & ({Role.HEAD, Role.ADMINISTRATOR} | also):
            self.refused(person, name, code)

    def tracking_list_rooms(self, person: Person) -> None:
        also = frozenset({Role.INSPECTOR, Role.SUBSTITUTE})
        self._keepers(person, "tracking.list_rooms", visits.ListRooms(actor=self.actor(person)), also)

    def tracking_add_room(self, person: Person) -> None:
        request = visits.AddRoom(actor=self.actor(person), idempotency_key=uuid.uuid4().hex, name_fa="x", name_en="x")
        self._keepers(person, "tracking.add_room", request)

    def tracking_close_room(self, person: Person) -> None:
        self._keepers(person, "tracking.close_room", visits.CloseRoom(actor=self.actor(person), room_id=uuid.uuid4()))

    def tracking_close_slot(self, person: Person) -> None:
        [slot] = [row["slot_id"] for row in self.world.rows("tracking", "SELECT slot_id FROM visit_slots LIMIT 1")]
        self._keepers(person, "tracking.close_slot", visits.CloseSlot(actor=self.actor(person), slot_id=slot))

    def _slot(self, person: Person) -> dict[str, Any]:
        [row] = self.world.rows("tracking", "SELECT room_id, inspector, starts_at, ends_at FROM visit_slots LIMIT 1")
        return {"actor": self.actor(person), "idempotency_key": uuid.uuid4().hex, **row}

    def tracking_add_slot(self, person: Person) -> None:
        self._keepers(person, "tracking.add_slot", visits.AddSlot(**self._slot(person)))

    def tracking_make_slots(self, person: Person) -> None:
        given = self._slot(person)
        day = given.pop("starts_at").date()
        del given["ends_at"]
        request = visits.MakeSlots(**given, first_day=day, opens="08:00", closes="09:00", minutes=30)
        self._keepers(person, "tracking.make_slots", request)
