"""Searches that staff keep, and share with colleagues."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response

from contracts import searches
from gateway.api.dependencies import (
    answer,
)
from gateway.api.request_endpoints import PAGE, STAFF, Field, RequestEndpoint, Rpc, Success, register_requests
from gateway.api.searches.bodies import PinsBody, SearchBody, SearchChangeBody

router = APIRouter(prefix="/searches", tags=["searches"])

SearchId = Annotated[UUID, Path(description="The search's id.")]
_SEARCH = Success(description="The search", etag=True)


register_requests(
    router,
    RequestEndpoint(
        "GET",
        "listSearches",
        "Kept searches",
        "My own and those shared with me, the newest first. `next` is the `after` of the following page. `pinned`: those alone "
        "that I have pinned, in their order.",
        STAFF,
        Rpc("tracking.list_searches", searches.ListSearches, searches.SearchPage),
        parameters={**PAGE, "pinned": Field(bool, False)},
    ),
    RequestEndpoint(
        "PUT /pins",
        "pinSearches",
        "Pin searches",
        "From now on I have these pinned, in this order, and no others: mine, or shared with me. What one pins nobody else sees.",
        STAFF,
        Rpc("tracking.pin_searches", searches.PinSearches, searches.SearchPage),
        body=PinsBody,
        errors=(404,),
    ),
    RequestEndpoint(
        "POST",
        "keepSearch",
        "Keep a search",
        "By who sees cases.",
        STAFF,
        Rpc("tracking.keep_search", searches.KeepSearch, searches.Search),
        body=SearchBody,
        success=Success(
            status=201, description="The search", etag=True, location=("/v1/searches/{search_id}", "Where it is")
        ),
    ),
    RequestEndpoint(
        "GET /{search_id}",
        "getSearch",
        "A kept search",
        "Its filters; `GET /v1/cases?search=` runs it. 404 also when it is not shared with me.",
        STAFF,
        Rpc("tracking.get_search", searches.GetSearch, searches.Search),
        parameters={"search_id": Field(SearchId)},
        success=_SEARCH,
    ),
    RequestEndpoint(
        "PATCH /{search_id}",
        "changeSearch",
        "Rename, change or share a search",
        "By its owner alone.",
        STAFF,
        Rpc("tracking.change_search", searches.ChangeSearch, searches.Search),
        parameters={"search_id": Field(SearchId)},
        body=SearchChangeBody,
        success=_SEARCH,
    ),
    RequestEndpoint(
        "DELETE /{search_id}",
        "dropSearch",
        "Drop a search",
        "By its owner alone.",
        STAFF,
        Rpc("tracking.drop_search", searches.DropSearch, searches.Dropped),
        parameters={"search_id": Field(SearchId)},
        success=Success(status=204),
    ),
)


def _shown(search: searches.Search) -> Response:
    return answer(search, etag=f'"{search.version}"')
