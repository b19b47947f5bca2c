"""The contract a mobile developer works from: /v1/openapi.json."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.api import examples
from gateway.api.accounts import examples as accounts
from gateway.api.audit import examples as audit
from gateway.api.calendars import examples as calendars
from gateway.api.call_backs import examples as call_backs
from gateway.api.cases import examples as cases
from gateway.api.catalogue import examples as catalogue
from gateway.api.configuration import examples as configuration
from gateway.api.decisions import examples as decisions
from gateway.api.desk import examples as desk
from gateway.api.exports import examples as exports
from gateway.api.figures import examples as figures
from gateway.api.identities import examples as identities
from gateway.api.inquiry import examples as inquiry
from gateway.api.me import examples as me
from gateway.api.messages import examples as messages
from gateway.api.notification_texts import examples as notification_texts
from gateway.api.own_cases import examples as own_cases
from gateway.api.referrals import examples as referrals
from gateway.api.screening import examples as screening
from gateway.api.searches import examples as searches
from gateway.api.staff import examples as staff
from gateway.api.submissions import examples as submissions
from gateway.api.tracking import examples as tracking
from gateway.api.unit_questions import examples as unit_questions
from gateway.api.visits import examples as visits
from gateway.api.webhook_subscriptions import examples as webhook_subscriptions
from gateway.edge.problems import MEDIA_TYPE, Problem

DESCRIPTION = """The complaints and reports system of a city's inspection office.

JSON in UTF-8. Errors are `application/problem+json` (RFC 9457) in the language of `Accept-Language` (fa, en; fa when left
out) with a stable `code`. Times are UTC with their offset; `…_text` is for people (Jalali in Persian). The tracking code is a
secret: it travels in the header `Tracking-Code` or in a body, never in an address. `Idempotency-Key` makes a repetition safe.
The `ETag` of a case, or of what the administrator sets, is its version; commands of staff carry it back in `If-Match`.

429 `too_many` says in `params.retry_after` (and `Retry-After`) how many seconds to wait. Where `params.challenge` comes with it,
the same request may be sent at once with `Challenge-Answer: <token>:<nonce>`: a nonce of your choice (visible ASCII) with which
SHA-256 of the header's value begins with `bits` zero bits. It is good once and for five minutes."""


_AREAS = (
    examples,
    accounts,
    calendars,
    audit,
    cases,
    catalogue,
    configuration,
    decisions,
    desk,
    call_backs,
    exports,
    figures,
    identities,
    inquiry,
    me,
    messages,
    notification_texts,
    own_cases,
    referrals,
    screening,
    searches,
    staff,
    submissions,
    tracking,
    unit_questions,
    visits,
    webhook_subscriptions,
)
"""Modules with examples of schemas that are not bodies: the answers of services, and what stands in them."""


def document(app: FastAPI) -> dict[str, Any]:
    """The document, built once."""
    if app.openapi_schema is None:
        openapi = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, tags=_TAGS
        )
        schemas = openapi.setdefault("components", {}).setdefault("schemas", {})
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(problem.pop("$defs", {}))
        schemas["Problem"] = problem
        for area in _AREAS:
            for name, example in area.EXAMPLES.items():
                if name in schemas:
                    schemas[name]["examples"] = [example]
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        for path, item in openapi["paths"].items():
            for method, operation in item.items():
                _complete(path, method, operation)
        _link(openapi["paths"])
        openapi["servers"] = [{"url": "/"}]
        app.openapi_schema = openapi
    return app.openapi_schema


async def answer(request: Request) -> Response:
    """GET /v1/openapi.json"""
    return JSONResponse(request.app.openapi(), headers={"cache-control": "no-cache"})


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    """Every error is a problem, every operation of the tus protocol has a name that a client can be generated with, and what
    the framework cannot know of parameters and of signing in is set right."""
    operation["operationId"] = _UPLOADS.get((method, path), operation["operationId"])
    for status, response in operation["responses"].items():
        if status >= "400":
            response["content"] = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for parameter in operation.get("parameters", ()):
        _without_null(parameter)
        if parameter["name"] == "If-Match":
            parameter["required"] = True  # left out, the answer is 428 and not 422
    if operation["operationId"] in _SIGNED_IN_OR_NOT:
        operation["security"] = [{}, *operation["security"]]


def _without_null(parameter: dict[str, Any]) -> None:
    """A header or a query has no null: it is there or it is not."""
    schema = parameter["schema"]
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        del schema["anyOf"]
        schema.update(choices[0])


def _link(paths: dict[str, Any]) -> None:
    """Where the code that filing gives is good for."""
    filed = paths["/v1/submissions"]["post"]["responses"]["201"]
    filed["links"] = {
        operation_id: {
            "operationId": operation_id,
            "parameters": {"Tracking-Code": "$response.body#/tracking_code"},
            "description": "By the code that was given",
        }
        for operation_id in _BY_CODE
    }
    filed["links"]["checkReceipt"]["requestBody"] = {"submission_id": "$response.body#/submission_id"}


_SIGNED_IN_OR_NOT = frozenset({"fileSubmission", "countCases", "countVisits", "streamChanges"})
"""A citizen or nobody; staff or the public; a session or the holder of a code."""
_BY_CODE = ("getCaseByCode", "withdrawByCode", "listMessagesByCode", "checkReceipt")

_UPLOADS = {
    ("options", "/v1/uploads"): "getUploadOptions",
    ("post", "/v1/uploads"): "createUpload",
    ("head", "/v1/uploads/{upload_id}"): "getUploadOffset",
    ("get", "/v1/uploads/{upload_id}"): "getUpload",
    ("patch", "/v1/uploads/{upload_id}"): "sendUploadBytes",
    ("delete", "/v1/uploads/{upload_id}"): "terminateUpload",
}
_TAGS = [
    {"name": "submissions", "description": "Filing, and receipts"},
    {"name": "tracking", "description": "A case by its code"},
    {"name": "catalogue", "description": "Units, grounds, holidays"},
    {"name": "accounts", "description": "Signing in and out"},
    {"name": "me", "description": "A signed-in citizen's own cases and messages"},
    {"name": "desk", "description": "The counter and the phone: what operators filed for citizens"},
    {"name": "cases", "description": "The work of staff"},
    {"name": "searches", "description": "Searches that staff keep and share"},
    {"name": "exports", "description": "Files of cases, made in the background"},
    {"name": "screening", "description": "What is suggested, who is free, many cases at once"},
    {"name": "decisions", "description": "Decisions with four eyes, and what comes of recommendations"},
    {"name": "inquiry", "description": "Reminders, checklists, colleagues, linked cases"},
    {"name": "visits", "description": "Rooms, slots, and the visit of a case"},
    {"name": "calendar", "description": "Visits and deadlines of a member of staff, for a calendar program"},
    {"name": "unit questions", "description": "The work of a unit's liaison"},
    {"name": "identities", "description": "Who filed, on the record"},
    {"name": "referrals", "description": "To competent bodies outside: sealed packages, and the register of them"},
    {"name": "figures", "description": "Counts"},
    {"name": "configuration", "description": "What the administrator sets, and who changed what"},
    {"name": "staff", "description": "Accounts of staff, for the administrator"},
    {"name": "notification texts", "description": "The words of messages, for the administrator"},
    {"name": "webhook subscriptions", "description": "Partner systems that are told of events, for the administrator"},
    {"name": "audit", "description": "Who read, changed and opened what, for the auditor"},
    {"name": "papers", "description": "Letters and receipts as PDF, and whether one is genuine"},
    {"name": "uploads", "description": "Evidence, by the tus 1.0 protocol"},
    {"name": "stream", "description": "What changes, live"},
    {"name": "webhooks", "description": "What SMS providers push"},
]
