"""Notifications of what happens in a case: to its citizen, to staff, to the unit that is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contracts import tracking
from contracts.desk import SubmissionDisowned
from contracts.intake import SubmissionRecoded, SubmissionRegistered
from contracts.vocabulary import OPEN_STAGES, Stage
from services.notify.notifications.recipients import (
    CASE_HANDLER,
    CASE_HANDLER_BESIDE_HEADS,
    CITIZEN,
    COLLEAGUE,
    CONSULTING_STAFF,
    FILED_BY,
    HEADS,
    MENTIONED_STAFF,
    REMINDED_STAFF,
    SCREENERS,
    UNIT_ASKED,
    UNIT_RECOMMENDED_TO,
)
from services.notify.notifications.rules import INBOX, SMS, SMS_AND_INBOX, Notification
from services.notify.wording.values import (
    CLOSE_DATE,
    CODE,
    DUE_DATE,
    EXPECTED_DATE,
    KIND,
    KIND_OF_CONTACT,
    NUMBER,
    OUTCOME,
    PROMISED_DATE,
    REASON,
    REOPEN_DATE,
)

CASE = (KIND, EXPECTED_DATE, CODE)
"""What the citizen may read of any event of their case."""
CASE_OF_STAFF = (KIND, EXPECTED_DATE, NUMBER)
"""What staff who may see the case may read of any event of it."""


def _of_colleagues(what: str) -> Callable[[tracking.ColleaguesChanged], bool]:
    """Of the end of a case its second inspector is told as its inspector is, and not that they are it no longer."""
    return lambda event: event.what == what and not (event.ended_with_case and what == "co_handler_removed")


def _ended_elsewhere(event: tracking.CaseReopened) -> bool:
    """The case that it went on in ended without a result; else the office took something back (of_the_way_back.py)."""
    return event.mistake is None


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
        SubmissionRecoded,
        "registered_new_code",
        CITIZEN,
        SMS_AND_INBOX,
        (KIND_OF_CONTACT, CODE),
        condition=lambda event: event.reason == "clash",
        urgent=True,
    ),
    Notification(
        SubmissionRecoded,
        "mobile_corrected",
        CITIZEN,
        SMS_AND_INBOX,
        (KIND_OF_CONTACT, CODE),
        condition=lambda event: event.reason == "corrected",
        urgent=True,
    ),
    Notification(
        SubmissionRecoded,
        "code_replaced",
        CITIZEN,
        SMS_AND_INBOX,
        (KIND_OF_CONTACT, CODE),
        condition=lambda event: event.reason == "lost",
        urgent=True,
    ),
    Notification(
        tracking.CitizenAsked,
        "question_asked",
        CITIZEN,
        SMS_AND_INBOX,
        CASE,
        stages=frozenset({Stage.AWAITING_CITIZEN}),
    ),
    Notification(
        tracking.CitizenReminded,
        "question_reminder",
        CITIZEN,
        SMS_AND_INBOX,
        (KIND, CLOSE_DATE, CODE),
        stages=frozenset({Stage.AWAITING_CITIZEN}),
    ),
    # Whoever has no smartphone reopens it by a word.
    Notification(
        tracking.CaseUnanswered,
        "closed_unanswered",
        CITIZEN,
        SMS_AND_INBOX,
        (KIND, REOPEN_DATE, CODE),
        stages=frozenset({Stage.CLOSED}),
        reply_until=lambda event: event.object_until,
    ),
    Notification(tracking.CaseResumed, "resumed", CITIZEN, INBOX, CASE),
    Notification(
        tracking.CaseDecided,
        "decided",
        CITIZEN,
        SMS_AND_INBOX,
        (*CASE, OUTCOME),
        condition=lambda event: not event.final,
        stages=frozenset({Stage.DECIDED, Stage.CLOSED}),
        reply_until=lambda event: event.objection_until,
    ),
    Notification(
        tracking.CaseDecided,
        "decided_final",
        CITIZEN,
        SMS_AND_INBOX,
        (*CASE, OUTCOME),
        condition=lambda event: event.final,
    ),
    Notification(tracking.CaseRefused, "refused", CITIZEN, SMS_AND_INBOX, (*CASE, REASON)),
    # An SMS for the first file alone: whoever sends ten that are refused gets one SMS, not ten.
    Notification(
        tracking.EvidenceRefused,
        "evidence_refused",
        CITIZEN,
        SMS,
        CASE,
        condition=lambda event: event.first,
        stages=OPEN_STAGES,
    ),
    Notification(tracking.EvidenceRefused, "evidence_refused", CITIZEN, INBOX, CASE),
    Notification(tracking.CaseMerged, "merged", CITIZEN, SMS_AND_INBOX, CASE),
    Notification(tracking.MergedCaseDecided, "joined_decided", CITIZEN, SMS_AND_INBOX, (*CASE, OUTCOME)),
    Notification(tracking.MergedCaseRefused, "joined_refused", CITIZEN, SMS_AND_INBOX, (*CASE, REASON)),
    Notification(tracking.CaseReopened, "reopened", CITIZEN, SMS_AND_INBOX, CASE, condition=_ended_elsewhere),
    Notification(tracking.CaseWithdrawn, "withdrawn", CITIZEN, SMS_AND_INBOX, CASE, urgent=True),
    Notification(tracking.CaseObjected, "objection_registered", CITIZEN, SMS_AND_INBOX, CASE, urgent=True),
    Notification(tracking.CaseRated, "rating_thanks", CITIZEN, INBOX, CASE),
)

STAFF_OF_A_CASE: tuple[Notification[Any], ...] = (
    Notification(SubmissionDisowned, "filing_disowned", FILED_BY, INBOX, (KIND_OF_CONTACT,)),
    Notification(tracking.CaseAssigned, "assigned", CASE_HANDLER, INBOX, CASE_OF_STAFF),
    Notification(
        tracking.CaseReopened, "reopened_for_staff", SCREENERS, INBOX, CASE_OF_STAFF, condition=_ended_elsewhere
    ),
    Notification(tracking.HandlerLeft, "handler_left", HEADS, INBOX, CASE_OF_STAFF),
    Notification(tracking.CaseObjected, "objection_raised", HEADS, INBOX, CASE_OF_STAFF),
    Notification(tracking.CitizenAnswered, "citizen_answered", CASE_HANDLER, INBOX, CASE_OF_STAFF),
    Notification(tracking.CaseUnanswered, "closed_unanswered_for_staff", CASE_HANDLER, INBOX, (KIND, NUMBER)),
    # Who handled it may have left while it was closed.
    Notification(
        tracking.CitizenAnswered,
        "reopened_by_citizen",
        HEADS,
        INBOX,
        CASE_OF_STAFF,
        condition=lambda event: event.state.previous_stage is Stage.CLOSED,
    ),
    Notification(tracking.CaseResumed, "resumed_for_staff", CASE_HANDLER, INBOX, CASE_OF_STAFF),
    Notification(tracking.CaseResumed, "reopened_by_citizen", HEADS, INBOX, CASE_OF_STAFF),
    Notification(
        tracking.EvidenceAdded,
        "evidence_sent",
        CASE_HANDLER,
        INBOX,
        CASE_OF_STAFF,
        condition=lambda event: event.by_citizen and not event.with_message,
    ),
    Notification(
        tracking.EvidenceAdded,
        "evidence_sent",
        SCREENERS,
        INBOX,
        CASE_OF_STAFF,
        condition=lambda event: event.by_citizen and not event.with_message and event.state.handler is None,
    ),
    Notification(tracking.MessageSent, "message_sent", CASE_HANDLER, INBOX, CASE_OF_STAFF),
    Notification(
        tracking.MessageSent,
        "message_sent",
        SCREENERS,
        INBOX,
        CASE_OF_STAFF,
        condition=lambda event: event.state.handler is None,
    ),
    # Nobody has the case before its first reading: then there is nobody who would have to read it again.
    Notification(tracking.CitizenCorrected, "citizen_corrected", CASE_HANDLER, INBOX, CASE_OF_STAFF),
    Notification(tracking.UnitAsked, "unit_asked", UNIT_ASKED, INBOX, (DUE_DATE,)),
    Notification(tracking.UnitWithoutLiaison, "unit_without_liaison", CASE_HANDLER_BESIDE_HEADS, INBOX, CASE_OF_STAFF),
    Notification(tracking.UnitWithoutLiaison, "unit_without_liaison", HEADS, INBOX, CASE_OF_STAFF),
    Notification(tracking.UnitAnswered, "unit_answered", CASE_HANDLER, INBOX, CASE_OF_STAFF),
    Notification(tracking.DecisionProposed, "decision_proposed", HEADS, INBOX, CASE_OF_STAFF),
    Notification(tracking.ProposalReturned, "proposal_returned", CASE_HANDLER, INBOX, CASE_OF_STAFF),
    Notification(
        tracking.ProposalReturned,
        "settlement_returned",
        SCREENERS,
        INBOX,
        CASE_OF_STAFF,
        condition=lambda event: event.state.handler is None,
    ),
    Notification(
        tracking.CaseDecided,
        "recommended",
        UNIT_RECOMMENDED_TO,
        INBOX,
        (EXPECTED_DATE,),
    ),
    Notification(
        tracking.RecommendationReported, "recommendation_reported", CASE_HANDLER_BESIDE_HEADS, INBOX, CASE_OF_STAFF
    ),
    Notification(tracking.RecommendationReported, "recommendation_reported", HEADS, INBOX, CASE_OF_STAFF),
    Notification(
        tracking.RecommendationSettled,
        "recommendation_sent_back",
        UNIT_ASKED,
        INBOX,
        (EXPECTED_DATE,),
        condition=lambda event: event.now == "open",
    ),
    *(
        Notification(
            tracking.ColleaguesChanged,
            template,
            recipient,
            INBOX,
            CASE_OF_STAFF,
            condition=_of_colleagues(template),
        )
        for template, recipient in (
            ("co_handler_added", COLLEAGUE),
            ("co_handler_removed", COLLEAGUE),
            ("colleague_consulted", COLLEAGUE),
            ("consultation_answered", CONSULTING_STAFF),
            ("consultation_ended", COLLEAGUE),
        )
    ),
    Notification(tracking.NoteAdded, "mentioned", MENTIONED_STAFF, INBOX, CASE_OF_STAFF),
    Notification(tracking.CaseReminded, "reminded", REMINDED_STAFF, INBOX, CASE_OF_STAFF),
)
