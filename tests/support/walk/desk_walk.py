"""The counter: what operators filed, their commands, and what citizens are told was filed for them."""

from __future__ import annotations

import uuid

from contracts.call_backs import (
    CheckCallable,
    ListCallBackWeeks,
    RecordCall,
    RevealMobile,
    SkipCallBack,
    TakeCallBack,
    may_call,
)
from contracts.desk import (
    AnswerFiledForMe,
    AuthorizeDesk,
    CorrectMobile,
    FindFiled,
    ListDeskCases,
    ListFiledForMe,
    PrintReceipt,
    ReplaceLostCode,
)
from contracts.vocabulary import Role
from tests.support.walk.oracle import CaseFacts, Person
from tests.support.walk.witness import SAMPLE, ServiceWalk

_AT_DESK = frozenset({Role.OPERATOR, Role.HEAD})
_SEALED = "c2VhbGVk"  # opened by nobody: whoever is refused is refused before


class DeskWalk(ServiceWalk):
    """The counter: what operators filed, their commands, and what citizens are told was filed for them."""

    def _at_desk(self, person: Person) -> bool:
        return person.staff and person.active and bool(person.roles & _AT_DESK)

    def _filed_here(self, person: Person, case: CaseFacts) -> bool:
        return self.oracle.filed_at_desk(person, case)

    def tracking_list_desk_cases(self, person: Person) -> None:
        page, code = self.ask(person, "tracking.list_desk_cases", ListDeskCases(actor=self.actor(person), limit=100))
        if Role.OPERATOR not in person.roles or not self._at_desk(person):
            self.refused(person, "tracking.list_desk_cases", code)
            return
        granted = {case.case_id for case in self.oracle.cases.values() if self._filed_here(person, case)}
        self.same(person, "tracking.list_desk_cases", {item.case_id for item in page.items}, granted)

    def tracking_authorize_desk(self, person: Person) -> None:
        for case in list(self.oracle.cases.values())[: SAMPLE * 2 : self._thin]:
            for act in ("receipt", "lost_code"):
                request = AuthorizeDesk(actor=self.actor(person), act=act, case_id=case.case_id)
                _, code = self.ask(person, "tracking.authorize_desk", request)
                by_operator = case.filed.consent is not None
                free = self._at_desk(person) and not self.oracle.conflicted(person, case.unit)
                own = self._filed_here(person, case) or (by_operator and Role.HEAD in person.roles)
                if not (free and (own or act == "lost_code")):
                    self.refused(person, "tracking.authorize_desk", code)
                else:
                    self.same(person, "tracking.authorize_desk", code, None)

    def tracking_take_call_back(self, person: Person) -> None:
        taken, code = self.ask(person, "tracking.take_call_back", TakeCallBack(actor=self.actor(person)))
        if not may_call(person.roles) or not self._at_desk(person):
            self.refused(person, "tracking.take_call_back", code)
        elif taken is not None:
            case = self.oracle.cases[taken.case_id]
            callable_case = case.filed.kind != "information" and not case.filed.anonymous
            self.same(person, "tracking.take_call_back", callable_case, True)
            self.same(person, "tracking.take_call_back", self.oracle.conflicted(person, case.unit), False)

    def tracking_skip_call_back(self, person: Person) -> None:
        request = SkipCallBack(actor=self.actor(person), case_id=uuid.uuid4())
        self.refused(person, "tracking.skip_call_back", self.ask(person, "tracking.skip_call_back", request)[1])

    def tracking_record_call(self, person: Person) -> None:
        for case in list(self.oracle.cases.values())[:: self._thin][:SAMPLE]:  # taken by nobody
            request = RecordCall(
                actor=self.actor(person), case_id=case.case_id, result="declined", idempotency_key=uuid.uuid4().hex
            )
            self.refused(person, "tracking.record_call", self.ask(person, "tracking.record_call", request)[1])

    def tracking_list_call_back_weeks(self, person: Person) -> None:
        request = ListCallBackWeeks(actor=self.actor(person))
        self.only_for(person, "tracking.list_call_back_weeks", request, Role.OPERATOR, Role.HEAD)

    def intake_reveal_mobile(self, person: Person) -> None:
        """To operators alone, and of a report of wrongdoing to nobody; which case an operator may call says tracking."""
        for case in list(self.oracle.cases.values())[:: self._thin][:SAMPLE]:
            request = RevealMobile(actor=self.actor(person), case_id=case.case_id)
            if not may_call(person.roles) or case.filed.kind == "information":
                self.refused(person, "intake.reveal_mobile", self.ask(person, "intake.reveal_mobile", request)[1])

    def notify_check_callable(self, person: Person) -> None:
        request = CheckCallable(actor=self.actor(person), case_id=uuid.uuid4())
        _, code = self.ask(person, "notify.check_callable", request)
        if not may_call(person.roles):
            self.refused(person, "notify.check_callable", code)

    def intake_find_filed(self, person: Person) -> None:
        request = FindFiled(actor=self.actor(person), last_digits="4567")
        self.only_for(person, "intake.find_filed", request, Role.OPERATOR)

    def intake_correct_mobile(self, person: Person) -> None:
        request = CorrectMobile(
            actor=self.actor(person),
            case_id=uuid.uuid4(),
            idempotency_key=uuid.uuid4().hex,
            sealed_identity=_SEALED,
            mobile_hash="0" * 64,
        )
        self.refused(person, "intake.correct_mobile", self.ask(person, "intake.correct_mobile", request)[1])

    def intake_print_receipt(self, person: Person) -> None:
        request = PrintReceipt(actor=self.actor(person), case_id=uuid.uuid4())
        self.refused(person, "intake.print_receipt", self.ask(person, "intake.print_receipt", request)[1])

    def intake_replace_lost_code(self, person: Person) -> None:
        if self.actor(person).roles & _AT_DESK:
            return  # whose answers are looked at: test_intake_desk.py
        request = ReplaceLostCode(
            actor=self.actor(person), case_id=None, idempotency_key=uuid.uuid4().hex, sealed_answers=_SEALED
        )
        self.refused(person, "intake.replace_lost_code", self.ask(person, "intake.replace_lost_code", request)[1])

    def intake_list_filed_for_me(self, person: Person) -> None:
        request = ListFiledForMe(actor=self.actor(person), mobile_hash="0" * 64)
        filed, code = self.ask(person, "intake.list_filed_for_me", request)
        if self.is_citizen(person):
            self.same(person, "intake.list_filed_for_me", filed.items, [])
        else:
            self.refused(person, "intake.list_filed_for_me", code)

    def intake_answer_filed_for_me(self, person: Person) -> None:
        request = AnswerFiledForMe(actor=self.actor(person), mobile_hash="0" * 64, case_id=uuid.uuid4(), mine=True)
        self.refused(person, "intake.answer_filed_for_me", self.ask(person, "intake.answer_filed_for_me", request)[1])
