"""Every error as RFC 9457 problem+json, in the client's language and without internal details.

    {"type": "urn:peygir:problem:unknown_unit", "title": …, "status": 422, "detail": …, "code": "unknown_unit",
     "instance": "urn:trace:<trace id>", "errors": [{"field": "unit", "reason": "unknown_unit", "message": …}],
     "params": {…}}

`code` is stable and for programs; `title`, `detail` and `message` are for people.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response

from backbone.process import traces as trace
from contracts.base import LEFT_OUT
from contracts.errors import InvalidField, PeygirError, StaleVersion
from contracts.tracking import CitizenCommand, StaffCommand, StaffEntry
from contracts.vocabulary import Language
from texts.errors import error_text, error_title
from texts.fields import field_text

MEDIA_TYPE = "application/problem+json"
CLIENT_GONE = 499
"""The status in the metrics of a request whose client disconnected before the answer; nobody receives it."""
_STATUS_WITH_AUTHENTICATE = 401


class FieldProblem(BaseModel):
    """One invalid field. `field`: its path in the body, such as text or place.latitude, the name of a parameter or a header, or
    `body` for all of it; `reason`: stable, for programs."""

    field: str
    reason: str
    message: str


class WorkChallenge(BaseModel):
    """What may be solved instead of waiting. `bits`: how many zero bits the SHA-256 of `<token>:<nonce>` has to begin with."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"token": "w1.1764230400.9f86d081.q2x", "algorithm": "sha256", "bits": 18}]}
    )

    token: str
    algorithm: Literal["sha256"]
    bits: int


class ProblemParams(BaseModel):
    """What a program needs of an error; which of them come is said by its `code` (docs/reference/errors.md), and some have
    others, of a value or a list of values. `retry_after`: seconds; `current`: the version it has now; `changes`: the timeline's
    entries after the caller's version, `case`: the case as it is now; `limit`: how many, or how much, is allowed; `stage`,
    `state`: the present one; `command`: what was tried; `offset`: of an upload, in bytes."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [{"retry_after": 30}]})
    __pydantic_extra__: dict[str, str | int | float | bool | list[str] | None]

    retry_after: float | None = LEFT_OUT
    challenge: WorkChallenge | None = LEFT_OUT
    current: int | None = LEFT_OUT
    changes: list[StaffEntry] | None = LEFT_OUT
    case: dict[str, Any] | None = LEFT_OUT
    limit: int | None = LEFT_OUT
    stage: str | None = LEFT_OUT
    state: str | None = LEFT_OUT
    command: str | None = LEFT_OUT
    offset: int | None = LEFT_OUT


class Problem(BaseModel):
    """RFC 9457 problem details. `errors` and `params` come where there are any."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:peygir:problem:invalid_field",
                    "title": "Some fields are not filled in correctly.",
                    "status": 422,
                    "detail": "Some fields are not filled in correctly.",
                    "code": "invalid_field",
                    "instance": "urn:trace:4bf92f3577b34da6a3ce929d0e0e4736",
                    "errors": [
                        {"field": "text", "reason": "string_too_short", "message": "At least 10 characters are needed."}
                    ],
                }
            ]
        }
    )

    type: str = Field(pattern=r"^urn:peygir:problem:[a-z_]+$")
    title: str
    status: int
    detail: str
    code: str
    instance: str
    errors: list[FieldProblem] = []
    params: ProblemParams = ProblemParams()


class BadRequest(PeygirError):
    """The request cannot be parsed. `fields` may say where."""

    code = "bad_request"
    status = 400


class MethodNotAllowed(PeygirError):
    code = "method_not_allowed"
    status = 405


class TooSlow(PeygirError):
    code = "too_slow"
    status = 408


class HeadersTooLarge(PeygirError):
    code = "headers_too_large"
    status = 431


_HIDDEN_PARAMS = frozenset({"fields"})


def problem_details(error: PeygirError, lang: Language) -> dict[str, Any]:
    """The members of the problem that `error` is; `errors` and `params` only where there are any."""
    body: dict[str, Any] = {
        "type": f"urn:peygir:problem:{error.code}",
        "title": error_title(error, lang),
        "status": error.status,
        "detail": error_text(error, lang),
        "code": error.code,
        "instance": f"urn:trace:{trace.trace_id() or ''}",
    }
    fields = error.params.get("fields")
    if isinstance(fields, list):
        body["errors"] = [
            {
                "field": own_path(str(field.get("field", ""))),
                "reason": str(field.get("reason", "")),
                "message": field_text(field, lang),
            }
            for field in fields[:50]
            if isinstance(field, dict)
        ]
    params = {name: value for name, value in error.params.items() if name not in _HIDDEN_PARAMS}
    if params:
        body["params"] = params
    return body


def problem(error: PeygirError, lang: Language, headers: Mapping[str, str] | None = None) -> Response:
    """`error` as problem+json."""
    body = problem_details(error, lang)
    response_headers = {
        "cache-control": "no-store",
        "content-language": lang.value,
        "vary": "Accept-Language",
        **(headers or {}),
    }
    retry_after = error.params.get("retry_after")
    if retry_after is not None:
        response_headers["retry-after"] = str(max(1, round(float(retry_after))))
    elif error.status in (503, 504):
        response_headers["retry-after"] = "5"
    if isinstance(error, StaleVersion) and "case" in error.params:
        response_headers["etag"] = f'"{error.params["current"]}"'
    if error.status == _STATUS_WITH_AUTHENTICATE:
        response_headers["www-authenticate"] = 'Bearer realm="peygir"'
    return Response(json.dumps(body, ensure_ascii=False), error.status, response_headers, MEDIA_TYPE)


_WHOLE_BODY = "body"
_ENVELOPES = frozenset({"request", "command", _WHOLE_BODY})
_COMMANDS = frozenset(
    literal
    for union in (StaffCommand, CitizenCommand)
    for command in get_args(get_args(union)[0])
    for literal in get_args(command.model_fields["type"].annotation)
)


_VARIANTS = frozenset({"one_time_code", "password", "oidc", "tracking_code"})
"""What pydantic puts before the fields of a body that is one of several by its `method` (gateway/api/session/bodies.py)."""
_STEPS = _COMMANDS | {"remind_in_days"}
_FACTORS = frozenset({"totp", "recovery_code", "passkey"})
_TAGGED: dict[str, tuple[int, frozenset[str]]] = {
    "step": (1, _STEPS),
    "steps": (2, _STEPS),
    "second_factor": (1, _FACTORS),
}
"""Fields that hold one of several bodies: where pydantic puts its type, and which types there are."""

_BRANCH = re.compile(r"str|int|float|bool|.*\[.*\]")
"""What pydantic adds to a path to say which type of several it tried, or that it means a key."""
_ANSWER_TYPES = frozenset({"str", "int", "float", "bool", "list[str]"})
"""Of `contracts.gateway.AnswerValue`."""


def own_path(path: str) -> str:
    """Where a field stands in the caller's body, of the path that a service has: its request holds the command, and the command
    the body. `body` for all of it."""
    parts = path.split(".")
    if parts[0] == "command" and (len(parts) == 1 or parts[1].isdigit()):
        return path  # the filter of the audit: no command of a service stands alone or is a list
    while parts and parts[0] in _ENVELOPES:
        envelope = parts.pop(0)
        if envelope == "command" and parts and parts[0] in _COMMANDS:
            del parts[0]
    return ".".join(_without_types(parts)) or _WHOLE_BODY


def _without_types(parts: list[str]) -> list[str]:
    """Without the type that pydantic puts behind a field that holds one of several bodies, such as `step` or `steps.2`."""
    place, types = _TAGGED.get(parts[0], (0, frozenset())) if parts else (0, frozenset())
    if not place or len(parts) <= place or parts[place] not in types:
        return parts
    return [*parts[:place], *parts[place + 1 :]]


def fields_of(
    rejections: Iterable[Any], drop: frozenset[str] = frozenset({"body", "query", "path", "header"})
) -> list[dict[str, Any]]:
    """Pydantic's errors as fields and reasons, without the rejected values. `drop`: first parts of a path that are left out."""
    fields: list[dict[str, Any]] = []
    branches: set[str] = set()
    for rejection in rejections:
        path = [str(part) for part in rejection["loc"]]
        if path and path[0] in drop:
            path = path[1:]
        if len(path) > 1 and path[0] in _VARIANTS:
            path = path[1:]
        if not path and str(rejection["type"]).startswith("union_tag"):
            path = ["method"]
        if (shortened := [part for part in path if _BRANCH.fullmatch(part) is None]) != path:
            is_answer = _ANSWER_TYPES.issuperset(set(path) - set(shortened))
            path = shortened
            if ".".join(path) in branches:
                continue  # one of several types that it might have
            branches.add(".".join(path))
            if is_answer:
                fields.append({"field": ".".join(path), "reason": "not_an_answer"})
                continue
        reason = str(rejection["type"])
        context = rejection.get("ctx") or {}
        if reason in ("value_error", "assertion_error"):
            reason = str(context.get("error", reason)) if reason == "value_error" else reason
        limits = {
            name: context[name]
            for name in (
                "min_length",
                "max_length",
                "ge",
                "le",
                "gt",
                "lt",
                "expected",
                "earliest",
                "latest",
                "meanings",
            )
            if isinstance(context.get(name), int | float | str)
        }
        fields.append({"field": ".".join(path), "reason": reason, **limits})
    return fields


def invalid(error: ValidationError) -> InvalidField:
    """The error to raise for a body that its model rejects."""
    return InvalidField(fields=fields_of(error.errors(include_url=False, include_input=False)))
