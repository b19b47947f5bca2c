"""Units, grounds and calendar: what a form needs; and the lists staff choose from."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header
from starlette.responses import Response

from contracts.errors import Unavailable
from gateway.api.dependencies import JSON, ContainerDep, StaffDep, VisitorDep, answer
from gateway.api.openapi_responses import answers, problems
from gateway.cases.views import Catalogue, StaffLists

router = APIRouter(tags=["catalogue"])


@router.get(
    "/catalogue",
    operation_id="getCatalogue",
    summary="Units, grounds with their extra questions, weekend and holidays",
    response_model=Catalogue,
    responses={
        **problems(asks=False),
        **answers(200, "The whole catalogue", ETag="Its version"),
        304: {"description": "Not changed since the ETag that was given"},
    },
)
async def get_catalogue(
    container: ContainerDep,
    _: VisitorDep,
    if_none_match: Annotated[str | None, Header(alias="If-None-Match", examples=['"3"'])] = None,
) -> Response:
    """Cached by the gateway, so it is there when the services are not. 503 until the first one has arrived."""
    catalogue = container.catalogue_cache.current
    if catalogue is None:
        raise Unavailable(retry_after=container.settings.retry_after)
    etag = f'"{catalogue.version}"'
    headers = {"etag": etag, "cache-control": "no-cache"}
    given = [part.strip().removeprefix("W/") for part in (if_none_match or "").split(",")]
    if etag in given or "*" in given:
        return Response(status_code=304, headers=headers)
    return Response(container.catalogue_cache.rendered, 200, headers, JSON)


@router.get(
    "/lists",
    operation_id="getStaffLists",
    summary="Refusal reasons, root causes and answer templates",
    response_model=StaffLists,
    responses=problems(401, 403, asks=False),
)
async def get_lists(container: ContainerDep, _: StaffDep) -> Response:
    """For any member of staff, as the administrator has set them."""
    catalogue = container.catalogue_cache.current
    if catalogue is None:
        raise Unavailable(retry_after=container.settings.retry_after)
    return answer(
        StaffLists(
            refusal_reasons=[reason for reason in catalogue.refusal_reasons if reason.active],
            root_causes=[cause for cause in catalogue.root_causes if cause.active],
            answer_templates=catalogue.answer_templates,
        )
    )
