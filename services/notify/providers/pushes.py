"""Reads a push into fields: query, form or JSON, one item or several; providers differ and change (sms-providers).

Each item of a batch is read on its own: what one of them lacks keeps none of the others from being read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from contracts.gateway import SmsPush
from services.notify.providers.protocol import MalformedPush, PushItem, UnreadableItem

MAX_FIELDS = 50
MAX_ITEMS = 2_000
"""More than fit into the body that the gateway takes."""


def read_items(push: SmsPush, read: Callable[[Mapping[str, str]], PushItem]) -> Sequence[PushItem]:
    """What each item of a push says; `read` raises MalformedPush for one that it cannot read, which becomes an UnreadableItem.
    Raises MalformedPush when there is no item that can be read."""
    entries = [_read(fields, read) for fields in items(push)]
    if all(isinstance(entry, UnreadableItem) for entry in entries):
        raise MalformedPush(
            cause=next((entry.cause for entry in entries if isinstance(entry, UnreadableItem)), "empty")
        )
    return entries


def _read(fields: Mapping[str, str] | None, read: Callable[[Mapping[str, str]], PushItem]) -> PushItem:
    if fields is None:
        return UnreadableItem("an item that is no object")
    try:
        return read(fields)
    except MalformedPush as error:
        return UnreadableItem(str(error.params["cause"]))


def items(push: SmsPush) -> list[dict[str, str] | None]:
    """The fields of each item, names in lower case; those of the query belong to every item. None for one without fields.
    Raises MalformedPush."""
    try:
        query = dict(_flat(parse_qsl(push.query, keep_blank_values=True, max_num_fields=MAX_FIELDS)))
        bodies = _bodies(push.body, push.content_type)
        return [None if body is None else {**query, **body} for body in bodies]
    except (ValueError, RecursionError):
        raise MalformedPush(cause="neither query, form nor JSON") from None


def first(fields: Mapping[str, str], names: Iterable[str]) -> str | None:
    """The first of these fields that is there and not empty."""
    return next((fields[name] for name in names if fields.get(name)), None)


def first_given(fields: Mapping[str, str], names: Sequence[str]) -> str | None:
    """The first of these fields that is not empty; "" when there are only empty ones, None when there are none."""
    return first(fields, names) or ("" if any(name in fields for name in names) else None)


def _bodies(body: bytes, content_type: str) -> list[dict[str, str] | None]:
    if not body.strip():
        return [{}]
    # Some send JSON under another content type; what begins like JSON is JSON.
    if "json" in content_type.lower() or body.lstrip()[:1] in (b"{", b"["):
        parsed = json.loads(body)
        entries = parsed if isinstance(parsed, list) else [parsed]
        if not entries or len(entries) > MAX_ITEMS:
            raise ValueError("no items, or too many")
        return [dict(_flat(entry.items())) if isinstance(entry, dict) else None for entry in entries]
    return [dict(_flat(parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_FIELDS)))]


def _flat(pairs: Iterable[tuple[Any, Any]]) -> Iterator[tuple[str, str]]:
    for name, value in pairs:
        if isinstance(value, bool) or value is None or isinstance(value, dict | list):
            continue
        text = str(value).replace("\x00", "").encode("utf-8", "replace").decode()
        yield str(name).strip().lower(), text
