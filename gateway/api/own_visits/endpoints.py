"""The citizen's visit: by the code alone, or signed in."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from contracts.gateway import Actor
from contracts.visits import ListOfferedSlots, OfferedSlots
from contracts.vocabulary import Language
from gateway.api.case_commands import register_citizen_commands
from gateway.api.dependencies import BearerDep, CaseId, CitizenDep, ContainerDep, answer
from gateway.api.openapi_responses import problems
from gateway.api.own_visits.commands import CITIZEN_COMMANDS
from gateway.cases.views import OfferedSlotsView, offered_slots_view
from gateway.container import AppContainer

router = APIRouter()
register_citizen_commands(router, CITIZEN_COMMANDS)


async def _offered(
    container: AppContainer, actor: Actor, lang: Language, hashes: list[str], case_id: UUID | None
) -> Response:
    request = ListOfferedSlots(actor=actor, code_hashes=hashes, case_id=case_id)
    slots = await container.rabbit.ask("tracking", "list_offered_slots", request, OfferedSlots)
    return answer(offered_slots_view(slots, lang))


# --- by code ---


@router.get(
    "/tracking/visit-slots",
    tags=["tracking"],
    operation_id="listOfferedSlotsByCode",
    summary="The times I may choose for my visit",
    response_model=OfferedSlotsView,
    responses=problems(404, 422),
)
async def offered(container: ContainerDep, bearer: BearerDep) -> Response:
    """None until a visit is asked for; the next first."""
    return await _offered(container, bearer.actor, bearer.visitor.language, bearer.code_hashes, None)


# --- signed in ---


@router.get(
    "/me/cases/{case_id}/visit-slots",
    tags=["me"],
    operation_id="listOfferedSlots",
    summary="The times I may choose for my visit",
    response_model=OfferedSlotsView,
    responses=problems(401, 403, 404, 422),
)
async def own_offered(case_id: CaseId, container: ContainerDep, signed_in: CitizenDep) -> Response:
    """None until a visit is asked for; the next first."""
    return await _offered(container, signed_in.actor, signed_in.visitor.language, [], case_id)
