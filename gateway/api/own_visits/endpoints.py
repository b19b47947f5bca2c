"""The citizen's visit: by the code alone, or signed in."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from contracts.gateway import Actor
from contracts.visits import (
    AskVisit,
    BookVisit,
    CancelVisit,
    ListOfferedSlots,
    MoveVisit,
    OfferedSlots,
    VisitCommand,
)
from contracts.vocabulary import Language
from gateway.api.dependencies import (
    Bearer,
    BearerDep,
    CaseId,
    CitizenDep,
    ContainerDep,
    OptionalKey,
    SignedIn,
    answer,
    key_or_new,
)
from gateway.api.fields import NothingBody
from gateway.api.openapi_responses import problems
from gateway.api.visits.bodies import ChosenSlotBody
from gateway.cases.views import CaseView, OfferedSlotsView, offered_slots_view
from gateway.container import AppContainer

router = APIRouter()

_BY_CODE = problems(404, 409, body=True)
_OWN = problems(401, 403, 404, 409, body=True)


async def _offered(
    container: AppContainer, actor: Actor, lang: Language, hashes: list[str], case_id: UUID | None
) -> Response:
    request = ListOfferedSlots(actor=actor, code_hashes=hashes, case_id=case_id)
    found = await container.rabbit.ask("tracking", "list_offered_slots", request, OfferedSlots)
    return answer(offered_slots_view(found, lang))


async def _by_code(container: AppContainer, bearer: Bearer, command: VisitCommand, key: str | None) -> Response:
    return answer(
        await container.tracking.execute(bearer.actor, command, key_or_new(key), code_hashes=bearer.code_hashes)
    )


async def _own(
    container: AppContainer, signed_in: SignedIn, case_id: UUID, command: VisitCommand, key: str | None
) -> Response:
    case = await container.tracking.execute(signed_in.actor, command, key_or_new(key), case_id=case_id)
    return answer(case, etag=f'"{case.version}"')


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


@router.post(
    "/tracking/visit-request",
    tags=["tracking"],
    operation_id="askVisitByCode",
    summary="Ask for a visit",
    response_model=CaseView,
    responses=_BY_CODE,
)
async def ask(
    container: ContainerDep, bearer: BearerDep, idempotency_key: OptionalKey = None, body: NothingBody | None = None
) -> Response:
    """While the case is open; one visit at a time."""
    return await _by_code(container, bearer, AskVisit(), idempotency_key)


@router.post(
    "/tracking/visit-booking",
    tags=["tracking"],
    operation_id="bookVisitByCode",
    summary="Take a time for my visit",
    response_model=CaseView,
    responses=_BY_CODE,
)
async def book(
    body: ChosenSlotBody, container: ContainerDep, bearer: BearerDep, idempotency_key: OptionalKey = None
) -> Response:
    """409 `slot_taken` when its last place has just gone, `slot_past` when it has begun."""
    return await _by_code(container, bearer, BookVisit(slot_id=body.slot_id), idempotency_key)


@router.post(
    "/tracking/visit-move",
    tags=["tracking"],
    operation_id="moveVisitByCode",
    summary="Take another time for my visit",
    response_model=CaseView,
    responses=_BY_CODE,
)
async def move(
    body: ChosenSlotBody, container: ContainerDep, bearer: BearerDep, idempotency_key: OptionalKey = None
) -> Response:
    """Until the visit begins."""
    return await _by_code(container, bearer, MoveVisit(slot_id=body.slot_id), idempotency_key)


@router.post(
    "/tracking/visit-cancellation",
    tags=["tracking"],
    operation_id="cancelVisitByCode",
    summary="Cancel my visit",
    response_model=CaseView,
    responses=_BY_CODE,
)
async def cancel(
    container: ContainerDep, bearer: BearerDep, idempotency_key: OptionalKey = None, body: NothingBody | None = None
) -> Response:
    """Until it begins; or the wish, before a time was taken."""
    return await _by_code(container, bearer, CancelVisit(), idempotency_key)


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


@router.post(
    "/me/cases/{case_id}/visit-request",
    tags=["me"],
    operation_id="askVisit",
    summary="Ask for a visit",
    response_model=CaseView,
    responses=_OWN,
)
async def own_ask(
    case_id: CaseId,
    container: ContainerDep,
    signed_in: CitizenDep,
    idempotency_key: OptionalKey = None,
    body: NothingBody | None = None,
) -> Response:
    """While the case is open; one visit at a time."""
    return await _own(container, signed_in, case_id, AskVisit(), idempotency_key)


@router.post(
    "/me/cases/{case_id}/visit-booking",
    tags=["me"],
    operation_id="bookVisit",
    summary="Take a time for my visit",
    response_model=CaseView,
    responses=_OWN,
)
async def own_book(
    case_id: CaseId,
    body: ChosenSlotBody,
    container: ContainerDep,
    signed_in: CitizenDep,
    idempotency_key: OptionalKey = None,
) -> Response:
    """409 `slot_taken` when its last place has just gone, `slot_past` when it has begun."""
    return await _own(container, signed_in, case_id, BookVisit(slot_id=body.slot_id), idempotency_key)


@router.post(
    "/me/cases/{case_id}/visit-move",
    tags=["me"],
    operation_id="moveVisit",
    summary="Take another time for my visit",
    response_model=CaseView,
    responses=_OWN,
)
async def own_move(
    case_id: CaseId,
    body: ChosenSlotBody,
    container: ContainerDep,
    signed_in: CitizenDep,
    idempotency_key: OptionalKey = None,
) -> Response:
    """Until the visit begins."""
    return await _own(container, signed_in, case_id, MoveVisit(slot_id=body.slot_id), idempotency_key)


@router.post(
    "/me/cases/{case_id}/visit-cancellation",
    tags=["me"],
    operation_id="cancelVisit",
    summary="Cancel my visit",
    response_model=CaseView,
    responses=_OWN,
)
async def own_cancel(
    case_id: CaseId,
    container: ContainerDep,
    signed_in: CitizenDep,
    idempotency_key: OptionalKey = None,
    body: NothingBody | None = None,
) -> Response:
    """Until it begins; or the wish, before a time was taken."""
    return await _own(container, signed_in, case_id, CancelVisit(), idempotency_key)
