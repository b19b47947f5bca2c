"""The citizen's visit: by the code alone, or signed in."""

from __future__ import annotations

from fastapi import APIRouter

from contracts.visits import ListOfferedSlots, OfferedSlots
from gateway.api.case_commands import register_citizen_commands
from gateway.api.dependencies import CaseId
from gateway.api.own_visits.commands import CITIZEN_COMMANDS
from gateway.api.request_endpoints import BEARER, CITIZEN, Field, RequestEndpoint, Rpc, View, register_requests
from gateway.cases.views import OfferedSlotsView, offered_slots_view

router = APIRouter()
register_citizen_commands(router, CITIZEN_COMMANDS)


_LIST_OFFERED = Rpc("tracking.list_offered_slots", ListOfferedSlots, OfferedSlots)
_OFFERED = View(OfferedSlotsView, offered_slots_view)

register_requests(
    router,
    RequestEndpoint(
        "GET /tracking/visit-slots",
        "listOfferedSlotsByCode",
        "The times I may choose for my visit",
        "None until a visit is asked for; the next first.",
        BEARER,
        _LIST_OFFERED,
        view=_OFFERED,
        errors=(422,),
        tags=("tracking",),
    ),
    RequestEndpoint(
        "GET /me/cases/{case_id}/visit-slots",
        "listOfferedSlots",
        "The times I may choose for my visit",
        "None until a visit is asked for; the next first.",
        CITIZEN,
        _LIST_OFFERED,
        parameters={"case_id": Field(CaseId)},
        view=_OFFERED,
        tags=("me",),
    ),
)
