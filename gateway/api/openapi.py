"""The contract a mobile developer works from: /v1/openapi.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.requests import Request
from starlette.responses import Response

from gateway.api import command_examples, examples
from gateway.api.accounts import examples as accounts
from gateway.api.audit import examples as audit
from gateway.api.bulk import examples as bulk
from gateway.api.calendars import examples as calendars
from gateway.api.call_backs import examples as call_backs
from gateway.api.cases import examples as cases
from gateway.api.catalogue import examples as catalogue
from gateway.api.colleagues import examples as colleagues
from gateway.api.configuration import examples as configuration
from gateway.api.decisions import examples as decisions
from gateway.api.desk import examples as desk
from gateway.api.example_completion import complete_examples
from gateway.api.exports import examples as exports
from gateway.api.figures import examples as figures
from gateway.api.identities import examples as identities
from gateway.api.inquiry import examples as inquiry
from gateway.api.macros import examples as macros
from gateway.api.me import examples as me
from gateway.api.messages import examples as messages
from gateway.api.notification_texts import examples as notification_texts
from gateway.api.notifications import examples as notifications
from gateway.api.office import examples as office
from gateway.api.oidc import examples as oidc
from gateway.api.openapi_responses import NOT_CHANGED
from gateway.api.operations import examples as operations
from gateway.api.own_account import examples as own_account
from gateway.api.own_cases import examples as own_cases
from gateway.api.preferences import examples as preferences
from gateway.api.push import examples as push
from gateway.api.referrals import examples as referrals
from gateway.api.screening import examples as screening
from gateway.api.searches import examples as searches
from gateway.api.session import examples as session
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
A browser has a session (`/v1/session`): its cookie takes the place of a bearer token and of the `Tracking-Code` header, also for
`<img>`, `<audio>` and EventSource. Every request with it that may change something carries `X-Peygir-CSRF` with any value, and
comes from a page of this very origin; else it is 403 `csrf_refused`. A header that says who sends the request goes before the
cookie.
The `ETag` of a case, or of what the administrator sets, begins with its version; commands of staff carry it back in `If-Match`.
Every JSON answer to a GET has an `ETag`: sent back in `If-None-Match`, it is 304 without content for as long as nothing has
changed. Answers are compressed (zstd, br, gzip) as `Accept-Encoding` says, but for those that hold a secret.

429 `too_many` says in `params.retry_after` (and `Retry-After`) how many seconds to wait. Where `params.challenge` comes with it,
the same request may be sent at once with `Challenge-Answer: <token>:<nonce>`: a nonce of your choice (visible ASCII) with which
SHA-256 of the header's value begins with `bits` zero bits. It is good once and for five minutes."""


_AREAS = (
    examples,
    command_examples,
    accounts,
    calendars,
    audit,
    bulk,
    cases,
    catalogue,
    colleagues,
    configuration,
    decisions,
    desk,
    call_backs,
    exports,
    figures,
    identities,
    inquiry,
    macros,
    me,
    messages,
    notification_texts,
    notifications,
    operations,
    oidc,
    own_account,
    office,
    own_cases,
    preferences,
    push,
    referrals,
    screening,
    searches,
    session,
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
        schemas.update(_problem_schemas() | schemas)
        schemas["StaleCase"] = _STALE_CASE
        case = {"anyOf": [{"$ref": "#/components/schemas/StaffCase"}, {"type": "null"}]}
        schemas["ProblemParams"]["properties"]["case"] = (
            case  # as gateway/cases answers it, which the edge does not know
        )
        for area in _AREAS:
            for name, example in area.EXAMPLES.items():
                if name in schemas:
                    schemas[name]["examples"] = [example]
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        for path, item in openapi["paths"].items():
            for method, operation in item.items():
                _complete(path, method, operation)
        _state_defaults_in_words(openapi)
        _require_texts(schemas)
        complete_examples(schemas)
        _link(openapi["paths"])
        openapi["servers"] = [{"url": "/"}]
        app.openapi_schema = openapi
    return app.openapi_schema


def _problem_schemas() -> dict[str, Any]:
    """The schemas of every error, by name."""
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
    for sometimes in ("errors", "params"):
        del problem["properties"][sometimes]["default"]  # left out, they are not there
    own = ("FieldProblem", "ProblemParams", "WorkChallenge")  # others are answers, too
    parts = problem.pop("$defs")
    return {"Problem": problem, **{name: parts[name] for name in own}}


async def answer(request: Request) -> Response:
    """GET /v1/openapi.json"""
    app = request.app
    content = getattr(app.state, "openapi_json", None)
    if content is None:
        content = json.dumps(app.openapi(), ensure_ascii=False, separators=(",", ":")).encode()
        app.state.openapi_json = content
    return Response(content, headers={"cache-control": "public, no-cache"}, media_type="application/json")


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    """Every error is a problem, every operation of the tus protocol has a name that a client can be generated with, and what
    the framework cannot know of parameters and of signing in is set right."""
    operation["operationId"] = _UPLOADS.get((method, path), operation["operationId"])
    for status, response in operation["responses"].items():
        if status >= "400":
            stale = status == "412" and path.startswith("/v1/cases/{case_id}/")
            schema = "StaleCase" if stale else "Problem"
            response["content"] = {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
            if stale:
                response["headers"] = {"ETag": {"description": "Its version", "schema": {"type": "string"}}}
    for parameter in operation.get("parameters", ()):
        _without_null(parameter)
        if parameter["name"] == "If-Match":
            parameter["required"] = True  # left out, the answer is 428 and not 422
    if method == "get" and "ETag" in operation["responses"].get("200", {}).get("headers", {}):
        _takes_if_none_match(operation)
    if operation.get("security") == [{"cookie": []}]:
        # By the code in the header, or a session of it, as the header says. Generators of clients take an operation with a
        # security of any kind as one for who is signed in.
        del operation["security"]
    if operation["operationId"] in _SIGNED_IN_OR_NOT:
        operation["security"] = [{}, *operation["security"]]


def _takes_if_none_match(operation: dict[str, Any]) -> None:
    """Answered by RepresentationMiddleware, of which the framework does not know."""
    for status, response in NOT_CHANGED.items():
        operation["responses"].setdefault(str(status), response)
    operation["responses"] = dict(sorted(operation["responses"].items()))
    parameters = operation.setdefault("parameters", [])
    if not any(parameter["name"] == "If-None-Match" for parameter in parameters):
        parameters.append(
            {
                "name": "If-None-Match",
                "in": "header",
                "required": False,
                "description": "The ETag of what was read: 304 as long as it has not changed.",
                "schema": {"type": "string", "title": "If-None-Match"},
                "example": '"3-8a1f02c47be9d650"',
            }
        )


def _without_null(parameter: dict[str, Any]) -> None:
    """A header or a query has no null: it is there or it is not."""
    schema = parameter["schema"]
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        del schema["anyOf"]
        schema.update(choices[0])


def _state_defaults_in_words(openapi: dict[str, Any]) -> None:
    """What is left out of a body is not required. Generators of clients take a field with a `default` as one that is always
    there, which is true of what is answered alone."""
    schemas = openapi["components"]["schemas"]
    bodies = [operation.get("requestBody") for item in openapi["paths"].values() for operation in item.values()]
    for name in _referenced(bodies, schemas):
        for field in schemas[name].get("properties", {}).values():
            default = field.pop("default", None)
            if default not in (None, "", [], {}):
                said = json.dumps(default, ensure_ascii=False)
                field["description"] = f"{field.get('description', '')} Left out: {said}.".strip()


def _require_texts(schemas: Mapping[str, Any]) -> None:
    """A text for people comes with what it is a text of: always, where that always comes."""
    for schema in schemas.values():
        fields, required = schema.get("properties", {}), schema.get("required", [])
        for name in sorted(set(fields) - set(required)):
            base = name.removesuffix("_text")
            source = next((one for one in (f"{base}_at", f"{base}_on", f"{base}_kind", base) if one in fields), name)
            if source != name and source in required and {"type": "null"} not in fields[source].get("anyOf", ()):
                fields[name] = {"title": fields[name]["title"], "type": "string"}
                required.append(name)


def _referenced(value: Any, schemas: Mapping[str, Any], found: frozenset[str] = frozenset()) -> frozenset[str]:
    """The names of the schemas that `value` refers to, and what these refer to."""
    if isinstance(value, list):
        for item in value:
            found = _referenced(item, schemas, found)
    elif isinstance(value, dict):
        name = str(value.get("$ref", "")).removeprefix("#/components/schemas/")
        if name in schemas and name not in found:
            found = _referenced(schemas[name], schemas, found | {name})
        for item in value.values():
            found = _referenced(item, schemas, found)
    return found


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


_STALE_CASE: dict[str, Any] = {
    "description": "A problem of a command on a case that has changed since it was read. `params.current`: the version it has "
    "now; `params.changes`: what came after the version that was given; `params.case`: the case as it is now.",
    "allOf": [{"$ref": "#/components/schemas/Problem"}],
    "type": "object",
    "required": ["params"],
    "properties": {
        "params": {
            "type": "object",
            "required": ["current", "changes", "case"],
            "properties": {
                "current": {"type": "integer"},
                "changes": {"type": "array", "items": {"$ref": "#/components/schemas/StaffEntry"}},
                "case": {"$ref": "#/components/schemas/StaffCase"},
            },
        }
    },
    "examples": [
        {
            "type": "urn:peygir:problem:stale_version",
            "title": "It has changed since you read it.",
            "status": 412,
            "detail": "It has changed since you read it.",
            "code": "stale_version",
            "instance": "urn:trace:4bf92f3577b34da6a3ce929d0e0e4736",
            "params": {"current": 6, "changes": [cases.STAFF_ENTRY], "case": cases.STAFF_CASE},
        }
    ],
}
_BY_CODE_TOO = ("subscribePush", "listPushSubscriptions", "unsubscribePush")
_SIGNED_IN_OR_NOT = frozenset(
    {"fileSubmission", "checkSubmission", "countCases", "countVisits", "streamChanges", "getSession", *_BY_CODE_TOO}
)
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
    {"name": "office", "description": "The office, and the rules of its forms"},
    {"name": "catalogue", "description": "Units, grounds, holidays"},
    {"name": "accounts", "description": "Signing in and out"},
    {"name": "session", "description": "The session of a browser"},
    {"name": "me", "description": "A signed-in citizen's own cases and messages"},
    {"name": "own account", "description": "One's password, second factors and sessions"},
    {"name": "push", "description": "Devices on which a person is told that there is news"},
    {"name": "desk", "description": "The counter and the phone: what operators filed for citizens"},
    {"name": "cases", "description": "The work of staff"},
    {"name": "bulk", "description": "One command, or one macro, for many cases, carried out in the background"},
    {"name": "macros", "description": "Named sequences of commands, kept by a person or for a role"},
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
    {"name": "notifications", "description": "The log of messages, for heads and administrators"},
    {"name": "webhook subscriptions", "description": "Partner systems that are told of events, for the administrator"},
    {"name": "audit", "description": "Who read, changed and opened what, for the auditor"},
    {"name": "operations", "description": "Services, queues and dead letters, for administrators"},
    {"name": "papers", "description": "Letters and receipts as PDF, and whether one is genuine"},
    {"name": "uploads", "description": "Evidence, by the tus 1.0 protocol"},
    {"name": "stream", "description": "What changes, live"},
    {"name": "webhooks", "description": "What SMS providers push"},
]
