"""The texts of notifications, for the administrator."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from contracts.notify import (
    ChangeNotificationText,
    ListNotificationTextHistory,
    ListNotificationTexts,
    MessageChannel,
    NotificationText,
    NotificationTextHistory,
    NotificationTexts,
    TextName,
)
from gateway.api.configuration.endpoints import AdministratorDep, HistoryAfter
from gateway.api.dependencies import ContainerDep, IdempotencyKey, IfMatch, PageSize, SignedIn, answer, version_of
from gateway.api.notification_texts.bodies import TextBody
from gateway.api.openapi_responses import answers, problems
from gateway.container import AppContainer

router = APIRouter(prefix="/notification-texts", tags=["notification texts"])

_Name = Annotated[TextName, Path(description="Its name; see the list.")]
_TEXT = answers(200, "The text", ETag="Its version")


@router.get(
    "",
    operation_id="listNotificationTexts",
    summary="All messages' words",
    response_model=NotificationTexts,
    responses=problems(401, 403),
)
async def list_texts(container: ContainerDep, signed_in: AdministratorDep) -> Response:
    """As they are sent, with what may stand in braces in each."""
    request = ListNotificationTexts(actor=signed_in.actor)
    return answer(await container.rabbit.ask("notify", "list_notification_texts", request, NotificationTexts))


@router.get(
    "/history",
    operation_id="listNotificationTextHistory",
    summary="Who changed which words",
    response_model=NotificationTextHistory,
    responses=problems(401, 403, 422),
)
async def history(
    container: ContainerDep, signed_in: AdministratorDep, after: HistoryAfter = None, limit: PageSize = 50
) -> Response:
    """Newest first, before and after."""
    request = ListNotificationTextHistory(actor=signed_in.actor, after=after, limit=limit)
    return answer(
        await container.rabbit.ask("notify", "list_notification_text_history", request, NotificationTextHistory)
    )


async def _change(
    container: AppContainer,
    signed_in: SignedIn,
    key: str,
    version: int,
    channel: MessageChannel,
    name: str,
    text_fa: str | None,
    text_en: str | None,
) -> Response:
    request = ChangeNotificationText(
        actor=signed_in.actor,
        idempotency_key=key,
        channel=channel,
        name=name,
        expected_version=version,
        text_fa=text_fa,
        text_en=text_en,
    )
    text = await container.rabbit.ask("notify", "change_notification_text", request, NotificationText)
    return answer(text, etag=f'"{text.version}"')


@router.put(
    "/{channel}/{name}",
    operation_id="changeNotificationText",
    summary="Other words for a message",
    response_model=NotificationText,
    responses={**problems(401, 403, 404, 409, 412, 428, body=True), **_TEXT},
)
async def change(
    channel: MessageChannel,
    name: _Name,
    body: TextBody,
    container: ContainerDep,
    signed_in: AdministratorDep,
    idempotency_key: IdempotencyKey,
    if_match: IfMatch = None,
) -> Response:
    """From the next message on. An SMS has no link, its code on a line of its own, and at most two parts."""
    version = version_of(if_match)
    return await _change(container, signed_in, idempotency_key, version, channel, name, body.text_fa, body.text_en)


@router.delete(
    "/{channel}/{name}",
    operation_id="restoreNotificationText",
    summary="The words that are shipped",
    response_model=NotificationText,
    responses={**problems(401, 403, 404, 409, 412, 422, 428), **_TEXT},
)
async def restore(
    channel: MessageChannel,
    name: _Name,
    container: ContainerDep,
    signed_in: AdministratorDep,
    idempotency_key: IdempotencyKey,
    if_match: IfMatch = None,
) -> Response:
    """From the next message on."""
    return await _change(container, signed_in, idempotency_key, version_of(if_match), channel, name, None, None)
