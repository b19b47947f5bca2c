"""Notifications of visits to the office."""

from __future__ import annotations

from typing import Any

from contracts.tracking import (
    VisitAsked,
    VisitBooked,
    VisitCancelled,
    VisitHandedOver,
    VisitMissed,
    VisitMoved,
    VisitOffered,
    VisitReminded,
)
from services.notify.notifications.of_cases import CASE, CASE_OF_STAFF
from services.notify.notifications.recipients import CASE_HANDLER, CITIZEN, NEW_VISIT_HOLDER, VISIT_HOLDERS
from services.notify.notifications.rules import INBOX, SMS_AND_INBOX, Notification
from services.notify.wording.values import PLACE, WHEN

_VISIT = (*CASE, WHEN, PLACE)
_VISIT_OF_STAFF = (*CASE_OF_STAFF, WHEN, PLACE)

VISITS: tuple[Notification[Any], ...] = (
    Notification(VisitOffered, "visit_offered", CITIZEN, SMS_AND_INBOX, CASE),
    Notification(VisitBooked, "visit_booked", CITIZEN, SMS_AND_INBOX, _VISIT, urgent=True),
    Notification(VisitMoved, "visit_moved", CITIZEN, SMS_AND_INBOX, _VISIT, urgent=True),
    Notification(
        VisitCancelled,
        "visit_called_off",
        CITIZEN,
        SMS_AND_INBOX,
        _VISIT,
        condition=lambda event: event.by == "office" and event.because is None,
    ),
    Notification(
        VisitCancelled,
        "visit_on_holiday",
        CITIZEN,
        SMS_AND_INBOX,
        _VISIT,
        condition=lambda event: event.because == "holiday",
    ),
    Notification(
        VisitCancelled,
        "visit_on_holiday_for_staff",
        VISIT_HOLDERS,
        INBOX,
        _VISIT_OF_STAFF,
        condition=lambda event: event.because == "holiday",
    ),
    Notification(VisitHandedOver, "visit_handed_over", NEW_VISIT_HOLDER, INBOX, _VISIT_OF_STAFF),
    Notification(
        VisitCancelled,
        "visit_not_needed",
        CITIZEN,
        SMS_AND_INBOX,
        _VISIT,
        condition=lambda event: event.by == "ended",
    ),
    Notification(
        VisitCancelled, "visit_cancelled", CITIZEN, INBOX, _VISIT, condition=lambda event: event.by == "citizen"
    ),
    Notification(
        VisitReminded,
        "visit_tomorrow",
        CITIZEN,
        SMS_AND_INBOX,
        _VISIT,
        condition=lambda event: event.before == "day",
        expires=lambda event: event.starts_at,
    ),
    Notification(
        VisitReminded,
        "visit_soon",
        CITIZEN,
        SMS_AND_INBOX,
        _VISIT,
        condition=lambda event: event.before == "hours",
        expires=lambda event: event.starts_at,
    ),
    Notification(VisitMissed, "visit_missed", CITIZEN, INBOX, CASE),
    Notification(VisitAsked, "visit_asked_for_staff", CASE_HANDLER, INBOX, CASE_OF_STAFF),
    Notification(VisitBooked, "visit_booked_for_staff", CASE_HANDLER, INBOX, _VISIT_OF_STAFF),
    Notification(VisitMoved, "visit_moved_for_staff", CASE_HANDLER, INBOX, _VISIT_OF_STAFF),
    Notification(
        VisitCancelled,
        "visit_cancelled_for_staff",
        CASE_HANDLER,
        INBOX,
        _VISIT_OF_STAFF,
        condition=lambda event: event.by == "citizen",
    ),
)
