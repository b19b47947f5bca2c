"""What everybody may know of the office: all that a form needs, and the published figures."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import Response

from contracts.errors import Unavailable
from gateway.api.dependencies import JSON, ContainerDep, IfNoneMatch, VisitorDep, conditional_answer
from gateway.api.openapi_responses import NOT_CHANGED, answers, problems
from gateway.office import published
from gateway.office.published import PublishedFiguresView
from gateway.office.views import Office
from gateway.papers import __file__ as papers
from texts.office import office

router = APIRouter(tags=["office"])
_FRESH, _FRESH_FIGURES, _FRESH_EMBLEM = 300, 3600, 86_400  # seconds
_SVG = "image/svg+xml"
_SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


@router.get(
    "/office",
    operation_id="getOffice",
    summary="The office, and all rules that a form needs",
    response_model=Office,
    responses={**problems(calls_service=False), **answers(200, "The office", ETag="Of this answer")},
)
async def get_office(container: ContainerDep, _: VisitorDep) -> Response:
    """In one call and in both languages, so that it can be kept: how the office is reached and what day it is there, the kinds of
    submissions with what is promised and how long it took, lengths of texts, kinds and sizes of files, forms of numbers. They are
    the rules that submissions are checked by. Units and grounds with their questions are in the catalogue. What a service
    knows that does not answer is null."""
    return _public((await container.office_facts.read()).model_dump_json().encode(), _FRESH)


@router.get(
    "/office/emblem",
    operation_id="getEmblem",
    summary="The emblem of the office",
    response_class=Response,
    responses={
        **problems(calls_service=False),
        200: {
            "description": "SVG",
            "content": {_SVG: {"schema": {"type": "string"}}},
            "headers": {"ETag": {"description": "Of the drawing", "schema": {"type": "string"}}},
        },
        **NOT_CHANGED,
    },
)
async def get_emblem(_: VisitorDep, if_none_match: IfNoneMatch = None) -> Response:
    """As on its papers; Peygir's own where the office has none."""
    content, digest = _emblem()
    headers = {"cache-control": f"public, max-age={_FRESH_EMBLEM}", "content-security-policy": _SVG_POLICY}
    return conditional_answer(content, digest, if_none_match, _SVG, headers)


@router.get(
    "/figures/published",
    operation_id="getPublishedFigures",
    tags=["figures"],
    summary="What is published: months, outcomes, ratings, and how long decisions take",
    response_model=PublishedFiguresView,
    responses={**problems(), **answers(200, "The figures", ETag="Of this answer")},
)
async def get_published_figures(container: ContainerDep, _: VisitorDep) -> Response:
    """Of the newest weekly release, blurred, in fives; what is too small to be published is null or left out. Cases, outcomes and
    ratings by Jalali month, for months that are over; durations by kind and season, for seasons that are over."""
    figures = await container.office_facts.figures()
    if figures is None:
        raise Unavailable(retry_after=container.settings.retry_after)
    return _public(published.view_of(figures).model_dump_json().encode(), _FRESH_FIGURES)


def _public(content: bytes, seconds: int) -> Response:
    return Response(content, 200, {"cache-control": f"public, max-age={seconds}"}, JSON)


@cache
def _emblem() -> tuple[bytes, str]:
    content = office().emblem.encode() or (Path(papers).parent / "emblem.svg").read_bytes()
    return content, hashlib.sha256(content).hexdigest()[:16]
