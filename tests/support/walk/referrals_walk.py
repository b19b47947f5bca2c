"""Referrals to bodies outside: what goes into a package, and the register."""

from __future__ import annotations

import hashlib
import uuid
from uuid import UUID

from backbone.persian import jalali
from contracts.base import now
from contracts.referrals import ListReferrals, PrepareReferral, RecordReferral, RecordReferralAnswer, ReferralOutcome
from contracts.vocabulary import Role
from tests.support.walk.oracle import CaseFacts, Person
from tests.support.walk.witness import SAMPLE, ServiceWalk
from tests.support.walk.world import AGE_KEY, OUTSIDE_BODY

_NEVER = frozenset({"registered", "merged", "withdrawn"})


class ReferralsWalk(ServiceWalk):
    """Referrals to bodies outside: what goes into a package, and the register."""

    def tracking_prepare_referral(self, person: Person) -> None:
        for case in self._cases(person):
            request = PrepareReferral.model_validate(self._wish(person, case))
            _, code = self.ask(person, "tracking.prepare_referral", request)
            self._judged(person, "tracking.prepare_referral", case, code)

    def tracking_record_referral(self, person: Person) -> None:
        package = {
            "contents": [{"name": "letter.pdf", "size": 1, "sha256": "a" * 64}],
            "sha256": "b" * 64,
            "size": 1,
            "key_fingerprint": hashlib.sha256(AGE_KEY.encode()).hexdigest(),
        }
        for case in self._cases(person):
            request = RecordReferral.model_validate({**self._wish(person, case), **package})
            _, code = self.ask(person, "tracking.record_referral", request)
            self._judged(person, "tracking.record_referral", case, code)

    def tracking_list_referrals(self, person: Person) -> None:
        name = "tracking.list_referrals"
        referrals, code = self.ask(person, name, ListReferrals(actor=self.actor(person), limit=100))
        if not person.roles & {Role.HEAD, Role.SUBSTITUTE}:
            self.refused(person, name, code)
            return
        self.same(person, name, {item.referral_id for item in referrals.items}, self._referrals(person))
        for case in self.hidden_cases(person)[:SAMPLE]:
            _, code = self.ask(person, name, ListReferrals(actor=self.actor(person), case_id=case.case_id))
            self.refused(person, name, code)

    def tracking_record_referral_answer(self, person: Person) -> None:
        granted = self._referrals(person) if person.roles & {Role.HEAD, Role.SUBSTITUTE} else set()
        for row in self.world.rows("tracking", "SELECT referral_id FROM referrals"):
            request = RecordReferralAnswer(
                actor=self.actor(person),
                referral_id=row["referral_id"],
                answered_on=jalali.today(now()),
                outcome=ReferralOutcome.RECEIVED,
                text="walked",
                idempotency_key=uuid.uuid4().hex,
            )
            _, code = self.ask(person, "tracking.record_referral_answer", request)
            if row["referral_id"] not in granted:
                self.refused(person, "tracking.record_referral_answer", code)

    def _cases(self, person: Person) -> list[CaseFacts]:
        return [*self.known_cases(person, 4), *self.hidden_cases(person)[:SAMPLE]]

    def _wish(self, person: Person, case: CaseFacts) -> dict[str, object]:
        about = {"body": OUTSIDE_BODY, "reason": "walked", "idempotency_key": uuid.uuid4().hex}
        return {"actor": self.actor(person), "case_id": case.case_id, **about}

    def _judged(self, person: Person, where: str, case: CaseFacts, code: str | None) -> None:
        if not self.oracle.is_head(person, case):
            self.refused(person, where, code)
            return
        decided_so = case.row["outcome"] == "referred" and case.stage in ("decided", "review", "closed")
        information = case.row["kind"] == "information" and case.stage not in _NEVER
        self.same(person, where, code, None if decided_so or information else "wrong_stage")

    def _referrals(self, person: Person) -> set[UUID]:
        """Those of cases that this person may know of."""
        rows = self.world.rows("tracking", "SELECT referral_id, case_id FROM referrals")
        return {row["referral_id"] for row in rows if self.oracle.knows(person, self.oracle.cases[row["case_id"]])}
