"""The reply of a nameko service: its answer, or the error that it raised."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, create_model

from backbone.messaging import amqp
from contracts.errors import PeygirError, from_wire
from gateway.edge.metrics import RPC_CALLS

AnswerModel = TypeVar("AnswerModel", bound=BaseModel)


_BEFORE, _AFTER = b'{"result":', b',"error":null}'


@dataclass(frozen=True, slots=True)
class Reply:
    """A message of a service to whoever called it."""

    body: bytes
    headers: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An answer as its service wrote it. `json`: UTF-8; `version`: of what was answered, where it has one."""

    json: bytes
    version: int | None


class _RpcReply(BaseModel):
    """nameko's envelope around an answer."""

    error: dict[str, Any] | None = None


@lru_cache(maxsize=256)
def _adapter(answer: type[BaseModel]) -> TypeAdapter[Any]:
    fields: dict[str, Any] = {"result": (answer | None, None)}
    return TypeAdapter(create_model(f"RpcReply{answer.__name__}", __base__=_RpcReply, **fields))


def raw_answer(service: str, method: str, reply: Reply) -> RawAnswer:
    """The answer as it came, unread. Raises the error that the service raised."""
    body = reply.body
    # Only an answer ends so: in an error, what follows "error": is an object.
    if not body.startswith(_BEFORE) or not body.endswith(_AFTER):
        parse_reply(service, method, body, BaseModel)
        raise PeygirError
    answer = body[len(_BEFORE) : -len(_AFTER)]
    if answer == b"null":
        raise PeygirError
    RPC_CALLS.labels(service, method, "ok").inc()
    return RawAnswer(answer, reply.headers.get(amqp.VERSION))


def parse_reply(service: str, method: str, body: bytes, answer: type[AnswerModel]) -> AnswerModel:
    """Raises the error that the service raised."""
    reply = _adapter(answer).validate_json(body)
    if reply.error is not None:
        error = from_wire(str(reply.error.get("exc_type")), list(reply.error.get("exc_args") or []))
        RPC_CALLS.labels(service, method, error.code).inc()
        raise error
    RPC_CALLS.labels(service, method, "ok").inc()
    result: AnswerModel | None = reply.result
    if result is None:
        raise PeygirError
    return result
