"""Who receives notifications. An address says exactly who; a new kind of recipient is one entry here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from contracts.vocabulary import Role
from services.notify.notifications.rules import Address, Recipient


def _role(role: Role) -> Callable[[Any], Sequence[Address]]:
    return lambda event: [Address(role=role)]


def _liaisons(unit: str | None) -> Sequence[Address]:
    return [] if unit is None else [Address(role=Role.LIAISON, unit=unit)]


def _case_handler(event: Any) -> Sequence[Address]:
    handler = event.state.handler
    return [] if handler is None else [Address(staff_id=handler)]


CITIZEN = Recipient("citizen", lambda event: [Address()])
"""Who filed the case; reached by the case's contact when the message is sent."""

OTP_HANDSET = Recipient("handset", lambda event: [Address(sealed=event.sealed_code)])
"""Who signs in by a one-time code."""
INBOUND_HANDSET = Recipient(
    "handset",
    lambda event: [Address(sealed=event.sealed_contact, mobile_hash=event.mobile_hash, language=event.language)],
)
"""Who sent an inbound text."""

CASE_HANDLER = Recipient("inspector", _case_handler)
SCREENERS = Recipient("screener", _role(Role.SCREENER))
HEADS = Recipient("head", _role(Role.HEAD))

UNIT_ASKED = Recipient("liaison", lambda event: _liaisons(event.unit_asked), of_case=False)
"""The liaisons of the unit that was asked. They learn of the question alone: neither the case nor its number."""
UNIT_RECOMMENDED_TO = Recipient("liaison", lambda event: _liaisons(event.recommended_to), of_case=False)
MAYORS_OFFICE = Recipient("mayor", lambda event: _liaisons(event.to_unit), of_case=False)
"""The liaisons of the mayor's office: they read the number and the day, and do not read cases."""

MENTIONED_STAFF = Recipient(
    "mentioned", lambda event: [Address(staff_id=staff_id, key=str(staff_id)) for staff_id in event.mentions]
)
REMINDED_STAFF = Recipient("mentioned", lambda event: [Address(staff_id=event.staff, key=str(event.staff))])

CUSTODIANS = Recipient("custodian", _role(Role.CUSTODIAN))
ADMINISTRATORS = Recipient("administrator", _role(Role.ADMINISTRATOR))
IDENTITY_REQUESTER = Recipient("asker", lambda event: [Address(staff_id=event.asked_by)])
"""Who asked to see who filed a case."""
ACCOUNT_OWNER = Recipient("account_owner", lambda event: [Address(staff_id=event.staff_id)])
