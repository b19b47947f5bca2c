"""JSON from strangers: bounded in depth and in the number of names, lists and objects, in linear time."""

from __future__ import annotations

import json
from typing import Any

from gateway.edge.problems import BadRequest

_CONTAINERS = (dict, list)
_MAX_DEPTH = 24
_MAX_NAMES = 500
"""Names in one object; the largest of the API has some tens."""
_MAX_CONTAINERS = 20_000
"""Lists and objects in one body; the largest of the API has some hundreds."""


def parse_json(body: bytes) -> Any:
    """The value of a JSON text. BadRequest when it is not JSON, nests too deeply, has too many lists and objects, has a name
    twice in one object, or contains NaN.

    Linear in the size of the body: it is parsed first, by a parser that bounds its own recursion, and the depth is
    measured on the result. Lists and objects are bounded since each of them costs Python's collector some work.
    """
    brackets = body.count(b"[") + body.count(b"{")
    if brackets > _MAX_CONTAINERS:
        raise BadRequest(fields=[{"field": "body", "reason": "too_many_containers", "max_length": _MAX_CONTAINERS}])
    try:
        value = json.loads(body, object_pairs_hook=_unique_names, parse_constant=_reject_constant)
    except _Rejected as error:
        raise BadRequest(fields=[error.field]) from None
    except RecursionError:
        raise BadRequest(fields=[{"field": "body", "reason": "too_deep"}]) from None
    except ValueError:
        raise BadRequest(fields=[{"field": "body", "reason": "json_invalid"}]) from None
    if brackets > _MAX_DEPTH and _deeper_than(_MAX_DEPTH, value):
        raise BadRequest(fields=[{"field": "body", "reason": "too_deep"}])
    return value


def _deeper_than(depth: int, value: Any) -> bool:
    """Whether arrays and objects nest more than `depth` levels; one level at a time, so without recursion."""
    level = [value] if isinstance(value, _CONTAINERS) else []
    for _ in range(depth):
        level = [
            child
            for container in level
            for child in (container.values() if isinstance(container, dict) else container)
            if isinstance(child, _CONTAINERS)
        ]
        if not level:
            return False
    return bool(level)


class _Rejected(Exception):
    def __init__(self, reason: str, **limits: int) -> None:
        super().__init__(reason)
        self.field = {"field": "body", "reason": reason, **limits}


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names are all different. Bounded, since each name that a model does not know is an error to collect."""
    if len(pairs) > _MAX_NAMES:
        raise _Rejected("too_many_fields", max_length=_MAX_NAMES)
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _Rejected("duplicate_key")
    return value


def _reject_constant(constant: str) -> None:
    raise ValueError(constant)
