"""Notifications of what happens in a case: to its citizen, to staff, to the unit that is asked."""

from __future__ import annotations

from typing import Any

from contracts.intake import SubmissionRecoded, SubmissionRegistered
from contracts.tracking import (
    CaseAssigned,
    CaseDecided,
    CaseMerged,
    CaseObjected,
    CaseRated,
    CaseRefused,
    CaseReminded,
    CaseReopened,
    CaseWithdrawn,
    CitizenAnswered,
    CitizenAsked,
    DecisionProposed,
    EvidenceAdded,
    EvidenceRefused,
    JoinedCaseDecided,
    JoinedCaseRefused,
    NoteAdded,
    ProposalReturned,
    RecommendationReported,
    RecommendationSettled,
    UnitAnswered,
    UnitAsked,
)
from contracts.vocabulary import Stage
from services.notify.notifications.recipients import (
    CASE_HANDLER,
    CITIZEN,
    HEADS,
    MENTIONED_STAFF,
    REMINDED_STAFF,
    SCREENERS,
    UNIT_ASKED,
    UNIT_RECOMMENDED_TO,
)
from services.notify.notifications.rules import INBOX, SMS, SMS_AND_INBOX, Notification
from services.notify.wording.values import (
    CODE,
    DUE_DATE,
    EXPECTED_DATE,
    KIND,
    KIND_OF_CONTACT,
    NUMBER,
    OUTCOME,
    PROMISED_DATE,
    REASON,
)

CASE = (KIND, EXPECTED_DATE, CODE)
"""What the citizen may read of any event of their case."""
CASE_OF_STAFF = (KIND, EXPECTED_DATE, NUMBER)
"""What staff who may see the case may read of any event of it."""

_NOT_DECIDED = frozenset(
    {
        Stage.REGISTERED,
        Stage.SCREENING,
        Stage.INVESTIGATING,
        Stage.AWAITING_CITIZEN,
        Stage.AWAITING_UNIT,
        Stage.REVIEW,
    }
)

CITIZENS: tuple[Notification[Any], ...] = (
    Notification(
        SubmissionRegistered,
        "registered",
        CITIZEN,
        SMS_AND_INBOX,
        (KIND, PROMISED_DATE, CODE),
        urgent=True,
        waits_for_case=True,
    ),
    Notification(
        SubmissionRecoded, "registered_new_code", CITIZEN, SMS_AND_INBOX, (KIND_OF_CONTACT, CODE), urgent=True
    ),
    Notification(
        CitizenAsked, "question_asked", CITIZEN, SMS_AND_INBOX, CASE, stages=frozenset({Stage.AWAITING_CITIZEN})
    ),
    Notification(
        CaseDecided,
        "decided",
        CITIZEN,
        SMS_AND_INBOX,
        (*CASE, OUTCOME),
        condition=lambda event: not event.final,
        stages=frozenset({Stage.DECIDED, Stage.CLOSED}),
        reply_until=lambda event: event.objection_until,
    ),
    Notification(
        CaseDecided,
        "decided_final",
        CITIZEN,
        SMS_AND_INBOX,
        (*CASE, OUTCOME),
        condition=lambda event: event.final,
    ),
    Notification(CaseRefused, "refused", CITIZEN, SMS_AND_INBOX, (*CASE, REASON)),
    # An SMS for the first file alone: whoever sends ten that are refused gets one SMS, not ten.
    Notification(
        EvidenceRefused,
        "evidence_refused",
        CITIZEN,
        SMS,
        CASE,
        condition=lambda event: event.first,
        stages=_NOT_DECIDED,
    ),
    Notification(EvidenceRefused, "evidence_refused", CITIZEN, INBOX, CASE),
    Notification(CaseMerged, "merged", CITIZEN, SMS_AND_INBOX, CASE),
    Notification(JoinedCaseDecided, "joined_decided", CITIZEN, SMS_AND_INBOX, (*CASE, OUTCOME)),
    Notification(JoinedCaseRefused, "joined_refused", CITIZEN, SMS_AND_INBOX, (*CASE, REASON)),
    Notification(CaseReopened, "reopened", CITIZEN, SMS_AND_INBOX, CASE),
    Notification(CaseWithdrawn, "withdrawn", CITIZEN, SMS_AND_INBOX, CASE, urgent=True),
    Notification(CaseObjected, "objection_registered", CITIZEN, SMS_AND_INBOX, CASE, urgent=True),
    Notification(CaseRated, "rating_thanks", CITIZEN, INBOX, CASE),
)

STAFF_OF_A_CASE: tuple[Notification[Any], ...] = (
    Notification(CaseAssigned, "assigned", CASE_HANDLER, INBOX, CASE_OF_STAFF),
    Notification(CaseReopened, "reopened_for_staff", SCREENERS, INBOX, CASE_OF_STAFF),
    Notification(CaseObjected, "objection_raised", HEADS, INBOX, CASE_OF_STAFF),
    Notification(CitizenAnswered, "citizen_answered", CASE_HANDLER, INBOX, CASE_OF_STAFF),
    Notification(
        EvidenceAdded,
        "evidence_sent",
        CASE_HANDLER,
        INBOX,
        CASE_OF_STAFF,
        condition=lambda event: event.by_citizen,
    ),
    Notification(
        EvidenceAdded,
        "evidence_sent",
        SCREENERS,
        INBOX,
        CASE_OF_STAFF,
        condition=lambda event: event.by_citizen and event.state.handler is None,
    ),
    Notification(UnitAsked, "unit_asked", UNIT_ASKED, INBOX, (DUE_DATE,)),
    Notification(UnitAnswered, "unit_answered", CASE_HANDLER, INBOX, CASE_OF_STAFF),
    Notification(DecisionProposed, "decision_proposed", HEADS, INBOX, CASE_OF_STAFF),
    Notification(ProposalReturned, "proposal_returned", CASE_HANDLER, INBOX, CASE_OF_STAFF),
    Notification(
        CaseDecided,
        "recommended",
        UNIT_RECOMMENDED_TO,
        INBOX,
        (EXPECTED_DATE,),
    ),
    Notification(RecommendationReported, "recommendation_reported", CASE_HANDLER, INBOX, CASE_OF_STAFF),
    Notification(RecommendationReported, "recommendation_reported", HEADS, INBOX, CASE_OF_STAFF),
    Notification(
        RecommendationSettled,
        "recommendation_sent_back",
        UNIT_ASKED,
        INBOX,
        (EXPECTED_DATE,),
        condition=lambda event: event.now == "open",
    ),
    Notification(NoteAdded, "mentioned", MENTIONED_STAFF, INBOX, CASE_OF_STAFF),
    Notification(CaseReminded, "reminded", REMINDED_STAFF, INBOX, CASE_OF_STAFF),
)
