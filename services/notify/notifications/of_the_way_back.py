"""Notifications of work that ends, and of what the office takes back: to the citizen, to all who worked on it, to the unit that
need not answer any more (DOMAIN: The life of a case)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contracts import tracking
from contracts.vocabulary import OPEN_STAGES, Stage
from services.notify.notifications.of_cases import CASE, CASE_OF_STAFF
from services.notify.notifications.recipients import (
    CASE_HANDLER,
    CITIZEN,
    SCREENERS,
    UNIT_RECOMMENDED_TO,
    UNIT_RELEASED,
    WORKERS,
)
from services.notify.notifications.rules import INBOX, SMS_AND_INBOX, Notification

_RELEASING = (tracking.CaseWithdrawn, tracking.CaseReturned, tracking.CaseReopened, tracking.CaseStageChanged)


def _took_back(mistake: str) -> Callable[[tracking.CaseReopened], bool]:
    return lambda event: event.mistake == mistake


THE_WAY_BACK: tuple[Notification[Any], ...] = (
    *(
        Notification(tracking.CaseReopened, template, CITIZEN, SMS_AND_INBOX, CASE, condition=_took_back(mistake))
        for mistake, template in (
            ("refused", "refusal_taken_back"),
            ("decided", "decision_taken_back"),
            ("closed", "closing_taken_back"),
            ("merged", "merge_undone"),
        )
    ),
    Notification(tracking.MergedCaseReopened, "joined_reopened", CITIZEN, SMS_AND_INBOX, CASE),
    Notification(tracking.CaseReturned, "returned", CITIZEN, INBOX, CASE),
    # --- staff ---
    Notification(tracking.CaseWithdrawn, "withdrawn_for_staff", WORKERS, INBOX, CASE_OF_STAFF),
    Notification(tracking.CaseDecided, "decided_for_staff", WORKERS, INBOX, CASE_OF_STAFF),
    Notification(
        tracking.CaseStageChanged,
        "closed_for_staff",
        WORKERS,
        INBOX,
        CASE_OF_STAFF,
        condition=lambda event: event.state.stage is Stage.CLOSED,
    ),
    Notification(tracking.CaseReturned, "returned_for_staff", WORKERS, INBOX, CASE_OF_STAFF),
    Notification(tracking.CaseReturned, "returned_for_screeners", SCREENERS, INBOX, CASE_OF_STAFF),
    Notification(tracking.CaseReopened, "taken_back_for_staff", WORKERS, INBOX, CASE_OF_STAFF),
    Notification(
        tracking.CaseReopened,
        "taken_back_for_screeners",
        SCREENERS,
        INBOX,
        CASE_OF_STAFF,
        condition=lambda event: event.mistake is not None,
    ),
    Notification(tracking.CaseCorrected, "corrected_for_staff", CASE_HANDLER, INBOX, CASE_OF_STAFF),
    *(
        Notification(
            event,
            template,
            recipient,
            INBOX,
            CASE_OF_STAFF,
            condition=condition,
        )
        for event, template in ((tracking.CaseJoined, "case_joined"), (tracking.CaseParted, "case_parted"))
        for recipient, condition in (
            (CASE_HANDLER, lambda event: event.state.stage in OPEN_STAGES),
            (SCREENERS, lambda event: event.state.handler is None and event.state.stage in OPEN_STAGES),
        )
    ),
    # --- units ---
    *(Notification(event, "answer_not_needed", UNIT_RELEASED, INBOX) for event in _RELEASING),
    Notification(tracking.CaseReopened, "recommendations_void", UNIT_RECOMMENDED_TO, INBOX),
)
