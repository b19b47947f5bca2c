"""Who receives notifications. An address says exactly who; a new kind of recipient is one entry here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from contracts.vocabulary import OPEN_STAGES, Role, Stage
from services.notify.notifications.rules import Address, Recipient


def _role(role: Role) -> Callable[[Any], Sequence[Address]]:
    return lambda event: [Address(role=role)]


def _liaisons(unit: str | None) -> Sequence[Address]:
    return [] if unit is None else [Address(role=Role.LIAISON, unit=unit)]


_AT_WORK = OPEN_STAGES - {Stage.REGISTERED, Stage.SCREENING}


def _handler_alone(event: Any) -> Sequence[Address]:
    handler = event.state.handler
    own = [] if handler is None else [Address(staff_id=handler)]
    return [*own, *(Address(staff_id=staff_id, key=str(staff_id)) for staff_id in event.state.co_handlers)]


def _who_asked(event: Any) -> Sequence[Address]:
    return [
        Address(staff_id=staff_id, key=str(staff_id)) for staff_id in {event.asked_by, event.state.handler} - {None}
    ]


def _case_handler(event: Any) -> Sequence[Address]:
    """Whoever handles the case; the heads while nobody does and it is at work."""
    addresses = _handler_alone(event)
    return addresses or ([Address(role=Role.HEAD)] if event.state.stage in _AT_WORK else [])


def _visit_holders(event: Any) -> Sequence[Address]:
    """Whose slot it is, and whoever handles the case; the heads where there is neither."""
    people = dict.fromkeys(person for person in (event.inspector, event.state.handler) if person is not None)
    return [Address(staff_id=person, key=str(person)) for person in people] or [Address(role=Role.HEAD)]


def _new_visit_holder(event: Any) -> Sequence[Address]:
    """Who holds it from now on; where nobody was named the heads and whoever handles the case."""
    if event.inspector is not None:
        return [Address(staff_id=event.inspector)]
    handler = event.state.handler
    return [Address(role=Role.HEAD), *([Address(staff_id=handler, key=str(handler))] if handler is not None else [])]


CITIZEN = Recipient("citizen", lambda event: [Address()])
"""Who filed the case; reached by the case's contact when the message is sent."""

OTP_HANDSET = Recipient("handset", lambda event: [Address(sealed=event.sealed_code)])
"""Who signs in by a one-time code."""
INBOUND_HANDSET = Recipient(
    "handset",
    lambda event: [Address(sealed=event.sealed_contact, mobile_hash=event.mobile_hash, language=event.language)],
)
"""Who sent an inbound text."""
NAMED_HANDSET = Recipient(
    "handset", lambda event: [Address(sealed=event.sealed_contact, language=event.language)], of_case=False
)
"""The mobile that the holder of a code named."""

CASE_HANDLER = Recipient("inspector", _case_handler)
"""Who handles the case, and who works on it beside them."""
CASE_HANDLER_BESIDE_HEADS = Recipient("inspector", _handler_alone)
"""The same where the heads are notified by an entry of their own."""
VISIT_HOLDERS = Recipient("inspector", _visit_holders)
NEW_VISIT_HOLDER = Recipient("inspector", _new_visit_holder)
COLLEAGUE = Recipient("colleague", lambda event: [Address(staff_id=event.colleague, key=str(event.colleague))])
"""Who was made a case's second inspector or is asked for advice, or is it no longer."""
CONSULTING_STAFF = Recipient("inspector", _who_asked)
"""Who asked for advice, and who handles the case."""
SCREENERS = Recipient("screener", _role(Role.SCREENER))
HEADS = Recipient("head", _role(Role.HEAD))

UNIT_ASKED = Recipient("liaison", lambda event: _liaisons(event.unit_asked), of_case=False)
"""The liaisons of the unit that was asked. They learn of the question alone: neither the case nor its number."""
UNIT_RECOMMENDED_TO = Recipient("liaison", lambda event: _liaisons(event.recommended_to), of_case=False)
MAYORS_OFFICE = Recipient("mayor", lambda event: _liaisons(event.to_unit), of_case=False)
"""The liaisons of the mayor's office: they read the number and the day, and do not read cases."""

FILED_BY = Recipient("operator", lambda event: [Address(staff_id=event.filed_by)])
"""The operator who filed a case for its citizen."""

UNIT_RELEASED = Recipient("released_liaison", lambda event: _liaisons(event.unit_released), of_case=False)
"""The liaisons of the unit whose answer is waited for no longer."""

WORKERS = Recipient(
    "worker", lambda event: [Address(staff_id=staff_id, key=str(staff_id)) for staff_id in event.workers]
)
"""Who worked on the case; each with a message of their own."""
MENTIONED_STAFF = Recipient(
    "mentioned", lambda event: [Address(staff_id=staff_id, key=str(staff_id)) for staff_id in event.mentions]
)
REMINDED_STAFF = Recipient("mentioned", lambda event: [Address(staff_id=event.staff, key=str(event.staff))])

FOR_DEPUTIES = frozenset(
    recipient.audience for recipient in (CASE_HANDLER, COLLEAGUE, WORKERS, MENTIONED_STAFF, FILED_BY)
)
"""Audiences whose messages a deputy has as well: of the work of who is away; not what is about their account, nor about an
identity that they asked to see."""

CUSTODIANS = Recipient("custodian", _role(Role.CUSTODIAN))
ADMINISTRATORS = Recipient("administrator", _role(Role.ADMINISTRATOR))
IDENTITY_REQUESTER = Recipient("requester", lambda event: [Address(staff_id=event.asked_by)])
"""Who asked to see who filed a case."""
AWAY_AND_HEADS = Recipient(
    "account_owner",
    lambda event: [Address(staff_id=event.staff_id), Address(role=Role.HEAD, key="head")],
    of_case=False,
)
"""Whose deputy cannot stand in any more, and the heads."""
ACCOUNT_OWNER = Recipient("account_owner", lambda event: [Address(staff_id=event.staff_id)])
