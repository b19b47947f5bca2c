"""The W3C trace context: one `traceparent` goes from the HTTP request through AMQP headers and outbox rows.

Format: https://www.w3.org/TR/trace-context/#traceparent-header (version 00).
"""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar

HEADER = "traceparent"
_FORM = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


def current() -> str:
    """The traceparent to send on; a new trace when none is under way."""
    return _current.get() or _new()


def trace_id() -> str | None:
    """The trace's 32 hex digits for logs, or None outside any trace."""
    parent = _current.get()
    return parent.split("-")[1] if parent else None


def adopt(parent: object) -> None:
    """From here to the end of this green thread's life, work under the trace that came in as `parent`."""
    _current.set(_continuing(parent))


def _continuing(parent: object) -> str:
    return _child(parent) if isinstance(parent, str) and _FORM.fullmatch(parent) else _new()


def _new() -> str:
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def _child(parent: str) -> str:
    version, trace, _, flags = parent.split("-")
    return f"{version}-{trace}-{secrets.token_hex(8)}-{flags}"
