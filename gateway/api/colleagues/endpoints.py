"""Members of staff as their colleagues find them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from contracts.colleagues import Colleagues, ListColleagues
from contracts.vocabulary import Role
from gateway.api.fields import LINE_PATTERN
from gateway.api.request_endpoints import PAGE, STAFF, Field, RequestEndpoint, Rpc, register_requests

router = APIRouter(tags=["inquiry"])

Words = Annotated[
    str | None,
    Query(max_length=100, pattern=LINE_PATTERN, description="How parts of the name begin, in any spelling."),
]

register_requests(
    router,
    RequestEndpoint(
        "GET /colleagues",
        "listColleagues",
        "Colleagues, to mention, to ask, or to give a case",
        "Active accounts by name: id, name, roles and unit, and nothing else. With `case_id` those who may see that case; with "
        "the role `inspector` beside it, those whom it can be given to. Not for liaisons and analysts, who are told of nobody in "
        "the office.",
        STAFF,
        Rpc("tracking.list_colleagues", ListColleagues, Colleagues),
        parameters={
            "q": Field(Words, None),
            "role": Field(Role | None, None),
            "case_id": Field(UUID | None, None),
            **PAGE,
        },
        errors=(404,),
    ),
)
