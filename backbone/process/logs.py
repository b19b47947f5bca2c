"""Logs as JSON lines on standard output, each with the trace it belongs to.

Tracking codes, mobiles and texts are never logged; as a last net anything that looks like one is masked.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from backbone.process import traces as trace

# What may stand between digits: spaces, dashes, joiners and marks of direction, also as Python's repr writes them.
_GAP = r"(?:[ \-\u00a0\u200b-\u200f]|\\u200[b-f]|\\xa0)?"
_0, _8, _9 = "[0۰٠]", "[8۸٨]", "[9۹٩]"
_CODE = rf"(?<![\da-fA-F-])(?:\d{_GAP}){{15}}\d(?![\da-fA-F-])"
_MOBILE = (
    rf"(?:(?:\+|%2[Bb]|(?<!\w){_0}{_GAP}{_0}){_GAP}{_9}{_GAP}{_8}|(?<!\w){_9}{_GAP}{_8}|(?<!\w){_0})"
    rf"{_GAP}{_9}(?:{_GAP}\d){{9}}(?![\da-zA-Z_])"
)
_SECRET = re.compile(f"{_CODE}|{_MOBILE}")
_MASKED = "[masked]"


def configure(service: str, level: str = "info") -> None:
    """Once per process, before the first log line."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace,
        structlog.processors.format_exc_info,
        _mask,
    ]

    def add_service(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["service"] = service
        return event

    structlog.configure(
        processors=[add_service, *shared, structlog.processors.JSONRenderer(ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[add_service, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # These name every heartbeat, connection or URL (a provider's URL holds its key).
    for noisy in ("pika", "amqp", "kombu", "httpx", "httpcore", "urllib3", "uvicorn.access", "nameko"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # These print exceptions with their texts, which may quote a citizen; rpc and consumers log `frames` instead.
    for telling in ("pika", "nameko.containers"):
        logging.getLogger(telling).setLevel(logging.CRITICAL)


def masked(text: str) -> str:
    """The text without what looks like a tracking code or a mobile."""
    return _SECRET.sub(_MASKED, text)


def get(name: str) -> Any:
    """A logger whose lines name the part of the process that they come from."""
    return structlog.get_logger(component=name)


def frames(error: BaseException) -> list[str]:
    """Where an error came from, innermost last, without its text."""
    return [
        f"{frame.f_code.co_filename.rsplit('/', 2)[-1]}:{line} {frame.f_code.co_name}"
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]


def describe(error: BaseException) -> str:
    """The error's class and place; never its text, which may quote what a citizen wrote."""
    tail = error.__traceback__
    while tail is not None and tail.tb_next is not None:
        tail = tail.tb_next
    place = f" at {tail.tb_frame.f_code.co_filename.rsplit('/', 2)[-1]}:{tail.tb_lineno}" if tail else ""
    cause = getattr(error, "orig", None)
    return f"{type(error).__name__}{f' ({type(cause).__name__})' if cause is not None else ''}{place}"


def _add_trace(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    trace_id = trace.trace_id()
    if trace_id:
        event["trace_id"] = trace_id
    return event


def _mask(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if key not in {"_record", "_from_structlog"}:  # the formatter's own
            event[key] = _masked(value)
    return event


def _masked(value: Any) -> Any:
    """The same without what looks like a code or a mobile, however deep it lies; JSON's own types stay what they are."""
    if isinstance(value, str):
        return _SECRET.sub(_MASKED, value)
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return _MASKED if _SECRET.fullmatch(str(value)) else value
    if isinstance(value, Mapping):
        return {_masked(str(key)): _masked(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(inner) for inner in value]
    return _SECRET.sub(_MASKED, repr(value))
