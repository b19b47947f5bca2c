"""Searches that staff keep, and share with colleagues."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response

from contracts.searches import (
    ChangeSearch,
    Dropped,
    DropSearch,
    GetSearch,
    KeepSearch,
    ListSearches,
    Search,
    SearchPage,
)
from gateway.api.dependencies import (
    ContainerDep,
    Cursor,
    IdempotencyKey,
    IfMatch,
    PageSize,
    StaffDep,
    answer,
    version_of,
)
from gateway.api.openapi_responses import answers, problems
from gateway.api.searches.bodies import SearchBody, SearchChangeBody

router = APIRouter(prefix="/searches", tags=["searches"])

SearchId = Annotated[UUID, Path(description="The search's id.")]
_SEARCH = answers(200, "The search", ETag="Its version")


@router.get(
    "",
    operation_id="listSearches",
    summary="Kept searches",
    response_model=SearchPage,
    responses=problems(401, 403, 422),
)
async def list_searches(
    container: ContainerDep, signed_in: StaffDep, after: Cursor = None, limit: PageSize = 50
) -> Response:
    """My own and those shared with me, the newest first. `next` is the `after` of the following page."""
    request = ListSearches(actor=signed_in.actor, after=after, limit=limit)
    return answer(await container.rabbit.ask("tracking", "list_searches", request, SearchPage))


@router.post(
    "",
    operation_id="keepSearch",
    summary="Keep a search",
    status_code=201,
    response_model=Search,
    responses={
        **problems(401, 403, 409, body=True),
        **answers(201, "The search", ETag="Its version", Location="Where it is"),
    },
)
async def keep(
    body: SearchBody, container: ContainerDep, signed_in: StaffDep, idempotency_key: IdempotencyKey
) -> Response:
    """By who sees cases."""
    request = KeepSearch(
        actor=signed_in.actor,
        name=body.name,
        filters=body.filters.filter(),
        sort=body.sort,
        shared_with=body.shared_with,
        idempotency_key=idempotency_key,
    )
    kept = await container.rabbit.ask("tracking", "keep_search", request, Search)
    return answer(kept, 201, etag=f'"{kept.version}"', location=f"/v1/searches/{kept.search_id}")


@router.get(
    "/{search_id}",
    operation_id="getSearch",
    summary="A kept search",
    response_model=Search,
    responses={**problems(401, 403, 404, 422), **_SEARCH},
)
async def get_search(search_id: SearchId, container: ContainerDep, signed_in: StaffDep) -> Response:
    """Its filters; `GET /v1/cases?search=` runs it. 404 also when it is not shared with me."""
    request = GetSearch(actor=signed_in.actor, search_id=search_id)
    return _shown(await container.rabbit.ask("tracking", "get_search", request, Search))


@router.patch(
    "/{search_id}",
    operation_id="changeSearch",
    summary="Rename, change or share a search",
    response_model=Search,
    responses={**problems(401, 403, 404, 412, 428, body=True), **_SEARCH},
)
async def change(
    search_id: SearchId, body: SearchChangeBody, container: ContainerDep, signed_in: StaffDep, if_match: IfMatch = None
) -> Response:
    """By its owner alone."""
    request = ChangeSearch(
        actor=signed_in.actor,
        search_id=search_id,
        expected_version=version_of(if_match),
        name=body.name,
        filters=None if body.filters is None else body.filters.filter(),
        sort=body.sort,
        shared_with=body.shared_with,
    )
    return _shown(await container.rabbit.ask("tracking", "change_search", request, Search))


@router.delete(
    "/{search_id}",
    operation_id="dropSearch",
    summary="Drop a search",
    status_code=204,
    responses=problems(401, 403, 404, 412, 422, 428),
)
async def drop(search_id: SearchId, container: ContainerDep, signed_in: StaffDep, if_match: IfMatch = None) -> Response:
    """By its owner alone."""
    request = DropSearch(actor=signed_in.actor, search_id=search_id, expected_version=version_of(if_match))
    await container.rabbit.ask("tracking", "drop_search", request, Dropped)
    return Response(status_code=204)


def _shown(search: Search) -> Response:
    return answer(search, etag=f'"{search.version}"')
