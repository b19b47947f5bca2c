"""Commands of the office on the visit of a case."""

from __future__ import annotations

from contracts.visits import CallOffVisit, HoldVisit, MissVisit, OfferSlots
from gateway.api.case_commands import StaffCommandEndpoint
from gateway.api.visits.bodies import MinutesBody, OfferBody


def _held(body: MinutesBody) -> HoldVisit:
    return HoldVisit(minutes=body.text)


STAFF_COMMANDS = (
    StaffCommandEndpoint(
        path="visit-offers",
        operation_id="offerVisitSlots",
        summary="Offer times for the visit",
        description="The citizen chooses among these from now on; before, among all free slots of the case's inspector.",
        command=OfferSlots,
        body=OfferBody,
    ),
    StaffCommandEndpoint(
        path="visit-cancellation",
        operation_id="callOffVisit",
        summary="Call the visit off",
        description="Until it begins. The citizen is told, and chooses another time.",
        command=CallOffVisit,
    ),
    StaffCommandEndpoint(
        path="visit-minutes",
        operation_id="holdVisit",
        summary="The visit was held: its minutes",
        description="The citizen reads that it was held, not its minutes.",
        command=HoldVisit,
        body=MinutesBody,
        to_command=_held,
    ),
    StaffCommandEndpoint(
        path="visit-absence",
        operation_id="missVisit",
        summary="The citizen did not come",
        description="Once it has begun.",
        command=MissVisit,
    ),
)
