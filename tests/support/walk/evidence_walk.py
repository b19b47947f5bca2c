"""Questions and recommendations to units, evidence, and identities."""

from __future__ import annotations

import uuid
from typing import Any
from uuid import UUID

from contracts.identities import AskForIdentity, DecideIdentityRequest, ListIdentityRequests
from contracts.intake import OpenIdentity, ReadOwnName
from contracts.tracking import (
    AnswerUnitQuestion,
    AuthorizeIdentity,
    AuthorizeMedia,
    ListRecommendations,
    ListUnansweredUnits,
    ListUnitQuestions,
    ReportRecommendation,
)
from contracts.vocabulary import Role
from tests.support.walk.oracle import Person, Sort
from tests.support.walk.witness import OPENS_IDENTITIES, SAMPLE, SEES_CASES, ServiceWalk


class EvidenceWalk(ServiceWalk):
    """Questions and recommendations to units, evidence, and identities."""

    def tracking_list_unit_questions(self, person: Person) -> None:
        request = ListUnitQuestions(actor=self.actor(person), open_only=False)
        questions, code = self.ask(person, "tracking.list_unit_questions", request)
        if Role.LIAISON not in person.roles:
            self.refused(person, "tracking.list_unit_questions", code)
            return
        self.same(
            person,
            "tracking.list_unit_questions",
            {item.question_id for item in questions.items},
            {row["question_id"] for row in self._questions() if self.oracle.answers_for(person, row["unit"])},
        )

    def tracking_list_unanswered_units(self, person: Person) -> None:
        _, code = self.ask(person, "tracking.list_unanswered_units", ListUnansweredUnits(actor=self.actor(person)))
        if not person.roles & SEES_CASES:
            self.refused(person, "tracking.list_unanswered_units", code)

    def _questions(self) -> list[dict[str, Any]]:
        return self.world.rows("tracking", "SELECT question_id, unit, case_id FROM questions WHERE unit IS NOT NULL")

    def tracking_answer_unit_question(self, person: Person) -> None:
        for row in self.world.rows("tracking", "SELECT question_id, unit FROM questions"):
            request = AnswerUnitQuestion(
                actor=self.actor(person), question_id=row["question_id"], text="x", idempotency_key=uuid.uuid4().hex
            )
            _, code = self.ask(person, "tracking.answer_unit_question", request)
            if row["unit"] is None or not self.oracle.answers_for(person, row["unit"]):
                self.refused(person, "tracking.answer_unit_question", code)

    def tracking_list_recommendations(self, person: Person) -> None:
        request = ListRecommendations(actor=self.actor(person), open_only=False)
        recommendations, code = self.ask(person, "tracking.list_recommendations", request)
        if not person.roles & (SEES_CASES | {Role.LIAISON}):
            self.refused(person, "tracking.list_recommendations", code)
            return
        granted = {
            recommendation_id
            for recommendation_id, (case_id, unit) in self.world.recommendations.items()
            if (
                self.oracle.answers_for(person, unit)
                if Role.LIAISON in person.roles
                else self.oracle.knows(person, self.oracle.cases[case_id])
            )
        }
        self.same(
            person, "tracking.list_recommendations", {item.recommendation_id for item in recommendations.items}, granted
        )

    def tracking_report_recommendation(self, person: Person) -> None:
        for recommendation_id, (_, unit) in self.world.recommendations.items():
            request = ReportRecommendation(
                actor=self.actor(person),
                recommendation_id=recommendation_id,
                done=True,
                idempotency_key=uuid.uuid4().hex,
            )
            _, code = self.ask(person, "tracking.report_recommendation", request)
            if not self.oracle.answers_for(person, unit):
                self.refused(person, "tracking.report_recommendation", code)

    def tracking_authorize_media(self, person: Person) -> None:
        # The case in the grant is for the gateway, which tells it to nobody.
        codes = [person.code_hash] if person.code_hash else []
        for case in [*self.known_cases(person, 2), *self.hidden_cases(person)[: SAMPLE * 2]]:
            for media_id, canary in case.media.items():
                granted = self.oracle.reads_filed(person, case) and (
                    person.staff or canary.sort in (Sort.FILED, Sort.SENT_ALONG)
                )
                for named in (case.case_id, None):
                    request = AuthorizeMedia(actor=person.actor, code_hashes=codes, case_id=named, media_id=media_id)
                    self._granted(person, request, granted)
        for row in self._questions() if Role.LIAISON in person.roles else ():
            case = self.oracle.cases[row["case_id"]]
            for media_id, canary in case.media.items():
                of_it = canary.sort in (Sort.UNIT, Sort.SENT_ALONG) and canary.unit == row["unit"]
                granted = of_it and self.oracle.answers_for(person, row["unit"])
                request = AuthorizeMedia(actor=person.actor, question_id=row["question_id"], media_id=media_id)
                self._granted(person, request, granted)
        # By a question that was put to one's own unit nothing is had but what belongs to it.
        own = [row for row in self._questions() if self.oracle.answers_for(person, row["unit"])]
        for row in own[:1]:
            for case in self.hidden_cases(person)[:SAMPLE]:
                for media_id in case.media if case.case_id != row["case_id"] else ():
                    request = AuthorizeMedia(actor=person.actor, question_id=row["question_id"], media_id=media_id)
                    self._granted(person, request, False)

    def _granted(self, person: Person, request: AuthorizeMedia, granted: bool) -> None:
        _, code = self.ask(person, "tracking.authorize_media", request, check=False)
        self.same(person, f"tracking.authorize_media {request.media_id}", code is None, granted)

    def tracking_authorize_identity(self, person: Person) -> None:
        consented = {
            row["case_id"]
            for row in self.world.rows("tracking", "SELECT * FROM identity_requests WHERE state = 'consented'")
            if (Role.HEAD in person.roles if row["for_head"] else str(row["asked_by"]) == person.id)
        }
        for case in self.oracle.cases.values():
            request = AuthorizeIdentity(actor=self.actor(person), case_id=case.case_id)
            _, code = self.ask(person, "tracking.authorize_identity", request, check=False)
            if self.oracle.may_ask_to_open(person, case):
                expected = None if case.case_id in consented else "consent_needed"
                self.same(person, "tracking.authorize_identity", code, expected)
            else:
                self.refused(person, "tracking.authorize_identity", code)

    def tracking_ask_for_identity(self, person: Person) -> None:
        for case in self.oracle.cases.values():
            request = AskForIdentity(
                actor=self.actor(person),
                case_id=case.case_id,
                reason="walked",
                minutes=30,
                idempotency_key=uuid.uuid4().hex,
            )
            _, code = self.ask(person, "tracking.ask_for_identity", request, check=False)
            granted = self.oracle.may_ask_for_identity(person, case)
            self.same(person, "tracking.ask_for_identity", code is None, granted)

    def tracking_list_identity_requests(self, person: Person) -> None:
        for waiting_only in (False, True):
            request_ids: set[UUID] = set()
            after, code = None, None
            while True:
                request = ListIdentityRequests(
                    actor=self.actor(person), waiting_only=waiting_only, after=after, limit=100
                )
                requests, code = self.ask(person, "tracking.list_identity_requests", request, check=False)
                if requests is None:
                    break
                request_ids |= {item.request_id for item in requests.items}
                after = requests.next
                if after is None:
                    break
            if not person.roles & {*OPENS_IDENTITIES, Role.INSPECTOR}:
                self.refused(person, "tracking.list_identity_requests", code)
                continue
            self.same(
                person, "tracking.list_identity_requests", request_ids, self._identity_requests(person, waiting_only)
            )

    def tracking_decide_identity_request(self, person: Person) -> None:
        # The ids of cases in it are for those who decide, and no word of them is.
        granted = self._identity_requests(person) if Role.CUSTODIAN in person.roles else set()
        for row in self.world.rows("tracking", "SELECT * FROM identity_requests WHERE state = 'waiting'"):
            request = DecideIdentityRequest(actor=self.actor(person), request_id=row["request_id"], consent=False)
            _, code = self.ask(person, "tracking.decide_identity_request", request, check=False)
            may = row["request_id"] in granted and str(row["asked_by"]) != person.id
            self.same(person, "tracking.decide_identity_request", code is None, may)

    def _identity_requests(self, person: Person, waiting_only: bool = True) -> set[UUID]:
        """To custodians all, to others their own; of cases about units they belong to none."""
        return {
            row["request_id"]
            for row in self.world.rows("tracking", "SELECT * FROM identity_requests")
            if self.oracle.may_ask_for_identity(person, self.oracle.cases[row["case_id"]])
            and (row["state"] == "waiting" or not waiting_only)
            and (Role.CUSTODIAN in person.roles or str(row["asked_by"]) == person.id)
        }

    def intake_open_identity(self, person: Person) -> None:
        # The gateway asks tracking first for the conflict of interest (authorize_identity); here the role counts.
        some = next(iter(self.oracle.cases))
        request = OpenIdentity(actor=self.actor(person), case_id=some, reason="walked")
        _, code = self.ask(person, "intake.open_identity", request, check=False)
        self.same(
            person,
            "intake.open_identity",
            code is None,
            bool(person.staff and self.actor(person).roles & OPENS_IDENTITIES),
        )

    def intake_read_own_name(self, person: Person) -> None:
        """A citizen's own name, to them alone; of others' cases nothing, and to nobody else an answer."""
        name = "intake.read_own_name"
        for case in [*self.hidden_cases(person), *self.oracle.known_cases(person)][: SAMPLE * 2]:
            request = ReadOwnName(actor=self.actor(person), case_id=case.case_id)
            own = self.is_citizen(person) and str(case.citizen_id) == self.actor(person).id
            own_name, code = self.ask(person, name, request, check=not own)
            if not self.is_citizen(person):
                self.same(person, name, code, "not_allowed")
            elif not own:
                self.same(person, name, set(dict(own_name).values()) - {None, False}, set())
            elif own_name.name is not None:
                self.same(person, name, self.oracle.canaries[own_name.name].case, case.case_id)
