"""What citizens do with the visit of their case."""

from __future__ import annotations

from contracts.visits import AskVisit, BookVisit, CancelVisit, MoveVisit
from gateway.api.case_commands import CitizenCommandEndpoint
from gateway.api.visits.bodies import ChosenSlotBody

CITIZEN_COMMANDS = (
    CitizenCommandEndpoint(
        path="visit-request",
        operation_id="askVisit",
        summary="Ask for a visit",
        description="While the case is open; one visit at a time.",
        command=AskVisit,
    ),
    CitizenCommandEndpoint(
        path="visit-booking",
        operation_id="bookVisit",
        summary="Take a time for my visit",
        description="409 `slot_taken` when its last place has just gone, `slot_past` when it has begun.",
        command=BookVisit,
        body=ChosenSlotBody,
    ),
    CitizenCommandEndpoint(
        path="visit-move",
        operation_id="moveVisit",
        summary="Take another time for my visit",
        description="Until the visit begins.",
        command=MoveVisit,
        body=ChosenSlotBody,
    ),
    CitizenCommandEndpoint(
        path="visit-cancellation",
        operation_id="cancelVisit",
        summary="Cancel my visit",
        description="Until it begins; or the wish, before a time was taken.",
        command=CancelVisit,
    ),
)
