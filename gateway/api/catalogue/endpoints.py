"""Units, grounds and calendar: what a form needs; and the lists staff choose from."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from contracts.base import ListCode
from contracts.errors import Unavailable
from gateway.api.dependencies import (
    JSON,
    ContainerDep,
    IfNoneMatch,
    PageSize,
    StaffDep,
    VisitorDep,
    answer,
    conditional_answer,
)
from gateway.api.fields import AnyDay
from gateway.api.openapi_responses import NOT_CHANGED, answers, problems
from gateway.cases.views import ArticlePage, Catalogue, StaffLists
from gateway.submissions import articles

router = APIRouter(tags=["catalogue"])


@router.get(
    "/catalogue",
    operation_id="getCatalogue",
    summary="Units, grounds with their extra questions, weekend and holidays",
    response_model=Catalogue,
    responses={
        **problems(calls_service=False),
        **answers(200, "The whole catalogue", ETag="Its version"),
        **NOT_CHANGED,
    },
)
async def get_catalogue(container: ContainerDep, _: VisitorDep, if_none_match: IfNoneMatch = None) -> Response:
    """Cached by the gateway, so it is there when the services are not. 503 until the first one has arrived."""
    catalogue = container.catalogue_cache.current
    if catalogue is None:
        raise Unavailable(retry_after=container.settings.retry_after)
    return conditional_answer(
        container.catalogue_cache.rendered,
        str(catalogue.version),
        if_none_match,
        JSON,
        {"cache-control": "public, no-cache"},
    )


@router.get(
    "/lists",
    operation_id="getStaffLists",
    summary="Refusal reasons, root causes, answer templates and outside bodies",
    response_model=StaffLists,
    responses=problems(401, 403, calls_service=False),
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
            outside_bodies=[body for body in catalogue.outside_bodies if body.active],
        )
    )


@router.get(
    "/articles",
    operation_id="listArticles",
    summary="The library of regulations, found by words",
    response_model=ArticlePage,
    responses=problems(401, 403, 422, calls_service=False),
)
async def list_articles(
    container: ContainerDep,
    _: StaffDep,
    text: Annotated[
        str | None, Query(max_length=200, description="Words of title, number or text, all of them.")
    ] = None,
    in_force_on: Annotated[AnyDay | None, Query(description="Only those that a decision of this day may cite.")] = None,
    after: Annotated[ListCode | None, Query(description="`next` of the page before.")] = None,
    limit: PageSize = 50,
) -> Response:
    """For any member of staff. Letters and digits are compared as in every search: ي and ی, ۱۰ and 10 are the same."""
    catalogue = container.catalogue_cache.current
    if catalogue is None:
        raise Unavailable(retry_after=container.settings.retry_after)
    matching_articles = articles.found(catalogue.articles, text or "", in_force_on, after)
    page = matching_articles[:limit]
    return answer(ArticlePage(items=page, next=page[-1].code if len(matching_articles) > limit else None))
