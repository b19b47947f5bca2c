"""The reply of a nameko service: its answer, or the error that it raised."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, create_model

from contracts.errors import PeygirError, from_wire
from gateway.edge.metrics import RPC_CALLS

AnswerModel = TypeVar("AnswerModel", bound=BaseModel)


class _RpcReply(BaseModel):
    """nameko's envelope around an answer."""

    error: dict[str, Any] | None = None


@lru_cache(maxsize=256)
def _adapter(answer: type[BaseModel]) -> TypeAdapter[Any]:
    fields: dict[str, Any] = {"result": (answer | None, None)}
    return TypeAdapter(create_model(f"RpcReply{answer.__name__}", __base__=_RpcReply, **fields))


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
