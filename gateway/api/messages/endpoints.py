"""Messages in the inbox: of a case by its code, of a signed-in citizen, and of staff."""

from __future__ import annotations

from fastapi import APIRouter, Response

from contracts.notify import ListMessages, MarkRead, MessagePage
from gateway.api.dependencies import BearerDep, CitizenDep, ContainerDep, Cursor, PageSize, StaffDep, answer
from gateway.api.messages.bodies import ReadBody
from gateway.api.openapi_responses import problems

router = APIRouter()


@router.get(
    "/tracking/messages",
    tags=["tracking"],
    operation_id="listMessagesByCode",
    summary="What the office wrote about this case",
    response_model=MessagePage,
    responses=problems(404, 422),
)
async def list_by_code(
    container: ContainerDep, bearer: BearerDep, after: Cursor = None, limit: PageSize = 50
) -> Response:
    """Newest first. `next` is the `after` of the following page."""
    request = ListMessages(actor=bearer.actor, code_hashes=bearer.code_hashes, after=after, limit=limit)
    return answer(await container.rabbit.ask("notify", "list_messages", request, MessagePage))


@router.post(
    "/tracking/messages/read",
    tags=["tracking"],
    operation_id="markMessagesReadByCode",
    summary="These messages have been read",
    response_model=MessagePage,
    responses=problems(404, body=True),
)
async def mark_read_by_code(body: ReadBody, container: ContainerDep, bearer: BearerDep) -> Response:
    """Ids that are not of this case are passed over."""
    request = MarkRead(actor=bearer.actor, code_hashes=bearer.code_hashes, ids=body.ids)
    return answer(await container.rabbit.ask("notify", "mark_read", request, MessagePage))


@router.get(
    "/me/messages",
    tags=["me"],
    operation_id="listOwnMessages",
    summary="What the office wrote to me",
    response_model=MessagePage,
    responses=problems(401, 403, 422),
)
async def list_own(
    container: ContainerDep, signed_in: CitizenDep, after: Cursor = None, limit: PageSize = 50
) -> Response:
    """Newest first. `next` is the `after` of the following page."""
    request = ListMessages(actor=signed_in.actor, after=after, limit=limit)
    return answer(await container.rabbit.ask("notify", "list_messages", request, MessagePage))


@router.post(
    "/me/messages/read",
    tags=["me"],
    operation_id="markOwnMessagesRead",
    summary="These messages have been read",
    response_model=MessagePage,
    responses=problems(401, 403, body=True),
)
async def mark_own_read(body: ReadBody, container: ContainerDep, signed_in: CitizenDep) -> Response:
    """Ids that are not mine are passed over."""
    request = MarkRead(actor=signed_in.actor, ids=body.ids)
    return answer(await container.rabbit.ask("notify", "mark_read", request, MessagePage))


@router.get(
    "/messages",
    tags=["cases"],
    operation_id="listMessages",
    summary="My inbox as staff",
    response_model=MessagePage,
    responses=problems(401, 403, 422),
)
async def list_of_staff(
    container: ContainerDep, signed_in: StaffDep, after: Cursor = None, limit: PageSize = 50
) -> Response:
    """Newest first. `next` is the `after` of the following page."""
    request = ListMessages(actor=signed_in.actor, after=after, limit=limit)
    return answer(await container.rabbit.ask("notify", "list_messages", request, MessagePage))


@router.post(
    "/messages/read",
    tags=["cases"],
    operation_id="markMessagesRead",
    summary="These messages have been read",
    response_model=MessagePage,
    responses=problems(401, 403, body=True),
)
async def mark_staff_read(body: ReadBody, container: ContainerDep, signed_in: StaffDep) -> Response:
    """Ids that are not mine are passed over."""
    request = MarkRead(actor=signed_in.actor, ids=body.ids)
    return answer(await container.rabbit.ask("notify", "mark_read", request, MessagePage))
