"""Reads a push into fields: query, form or JSON, one item or several; providers differ and change (sms-providers)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from contracts.gateway import SmsPush
from services.notify.providers.protocol import MalformedPush

MAX_FIELDS = 50
MAX_ITEMS = 100


def items(push: SmsPush) -> list[dict[str, str]]:
    """The fields of each item, names in lower case; those of the query belong to every item. Raises MalformedPush."""
    try:
        query = dict(_flat(parse_qsl(push.query, keep_blank_values=True, max_num_fields=MAX_FIELDS)))
        return [{**query, **body} for body in _bodies(push.body, push.content_type)]
    except (ValueError, RecursionError):
        raise MalformedPush(cause="neither query, form nor JSON") from None


def first(fields: Mapping[str, str], names: Iterable[str]) -> str | None:
    """The first of these fields that is there and not empty."""
    return next((fields[name] for name in names if fields.get(name)), None)


def _bodies(body: bytes, content_type: str) -> list[dict[str, str]]:
    if not body.strip():
        return [{}]
    # Some send JSON under another content type; what begins like JSON is JSON.
    if "json" in content_type.lower() or body.lstrip()[:1] in (b"{", b"["):
        parsed = json.loads(body)
        entries = parsed if isinstance(parsed, list) else [parsed]
        if not entries or len(entries) > MAX_ITEMS or not all(isinstance(entry, dict) for entry in entries):
            raise ValueError("no object")
        return [dict(_flat(entry.items())) for entry in entries]
    return [dict(_flat(parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_FIELDS)))]


def _flat(pairs: Iterable[tuple[Any, Any]]) -> Iterator[tuple[str, str]]:
    for name, value in pairs:
        if isinstance(value, bool) or value is None or isinstance(value, dict | list):
            continue
        text = str(value).replace("\x00", "").encode("utf-8", "replace").decode()
        yield str(name).strip().lower(), text
