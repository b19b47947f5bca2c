"""What schemathesis is told of this office: who signs in where, a real code and case, units and grounds that exist.

Loaded by schemathesis itself (SCHEMATHESIS_HOOKS); PEYGIR_KNOWN_IDS names a JSON file with tokens and ids (`test_schema`).

Only data that the document calls good are touched. What stands between two fields (which ground is offered for which
kind) and in the catalogue no document can say; what is wrong on purpose stays as wrong as it was made.
"""

from __future__ import annotations

import json
import os
import zlib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis.core.parameters import ParameterLocation

KNOWN_IDS: dict[str, Any] = json.loads(Path(os.environ["PEYGIR_KNOWN_IDS"]).read_text())
_PATHS = (
    "case_id",
    "question_id",
    "media_id",
    "upload_id",
    "room_id",
    "slot_id",
    "search_id",
    "export_id",
    "bulk_id",
    "macro_id",
)


def who(path: str) -> str:
    """Who does this kind of work."""
    if path.startswith(("/v1/me", "/v1/submissions")):
        return "citizen"
    if path.startswith("/v1/unit-questions"):
        return "liaison"
    return "screener" if path.endswith("/screening") else "head"


@schemathesis.auth(cache_by_key=lambda _, context: who(context.operation.path))
class Sessions:
    def get(self, _: Any, context: Any) -> str:
        return str(KNOWN_IDS[who(context.operation.path)])

    def set(self, case: Any, token: str, _: Any) -> None:
        case.headers["Authorization"] = f"Bearer {token}"


@schemathesis.serializer("application/offset+octet-stream")
def as_bytes(_: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


@schemathesis.hook
def before_call(_: Any, case: Any, __: Any) -> None:
    meta = case.meta
    if meta is None:
        return

    def good(location: ParameterLocation) -> bool:
        part = meta.components.get(location)
        return bool(meta.generation.mode.is_positive or (part is not None and part.mode.is_positive))

    linked = meta.phase.name.value == "stateful"
    if good(ParameterLocation.PATH) and case.path_parameters and not linked:
        _real_ids(case.path_parameters)
    by_code = any(parameter.name == "Tracking-Code" for parameter in case.operation.headers)
    if by_code and good(ParameterLocation.HEADER) and "Tracking-Code" not in (case.headers or {}):
        case.headers["Tracking-Code"] = KNOWN_IDS["code"]  # or the cookie, which no document can say
    if good(ParameterLocation.HEADER) and case.headers:
        _real_headers(case.headers, linked)
    if good(ParameterLocation.QUERY) and case.query:
        case.query.pop("after", None)  # a cursor is what a page before gave
        _open_spans(case.query)
    if good(ParameterLocation.BODY) and isinstance(case.body, dict):
        _real_body(case.operation.path, case.body)
    if case.operation.path == "/v1/uploads" and good(ParameterLocation.HEADER) and isinstance(case.body, bytes):
        case.headers["Upload-Length"] = str(max(len(case.body), 1))


def _open_spans(filters: dict[str, Any]) -> None:
    """Two days made up are as often the wrong way round."""
    for name in ("filed", "changed", "decided", "due"):
        if f"{name}_from" in filters:
            filters.pop(f"{name}_until", None)
            filters.pop(f"{name}_since", None)


def _half(given: object) -> bool:
    """True for half of what may be given, and always for the same half."""
    return zlib.crc32(repr(given).encode()) % 2 == 0


def _real_ids(given: dict[str, Any]) -> None:
    for name in _PATHS:
        if name in given and _half(given[name]):
            given[name] = KNOWN_IDS[name]


def _real_headers(given: Any, linked: bool) -> None:
    if "Tracking-Code" in given and not linked and _half(given["Tracking-Code"]):
        given["Tracking-Code"] = KNOWN_IDS["code"]
    if "If-Match" in given and _half(given["If-Match"]):
        given["If-Match"] = f'"{KNOWN_IDS["version"]}"'
    for name, value in (("Upload-Metadata", "filename cGhvdG8uanBn"), ("Upload-Checksum", "sha1 " + "A" * 27 + "=")):
        if name in given:
            given[name] = value


def _real_body(path: str, body: dict[str, Any]) -> None:
    if "mobile" in body:
        body["mobile"] = f"0935{zlib.crc32(repr(body).encode()) % 10**7:07d}"
    if body.get("unit") is not None:
        body["unit"] = "dep.urb.permits"
    if body.get("ground") is not None:
        body["ground"] = "delay"
    if "agreed_at" in body:  # a moment of our times, which no document can say
        body["agreed_at"] = "2026-01-01T08:00:00Z"
    if path.endswith("/refusal") and "reason" in body:
        body["reason"] = "outside_remit"  # of the list, which no document can say
    if "root_causes" in body:
        body["root_causes"] = ["process"]
    if body.get("room_id") is not None and _half(body["room_id"]):
        body["room_id"] = KNOWN_IDS["room_id"]
    if "inspector" in body:
        body["inspector"] = KNOWN_IDS["inspector"]
    if path == "/v1/rooms":  # no link in any spelling, and no letter that cannot be seen, which no document can say
        words = f"اتاق {zlib.crc32(repr(body).encode())}"
        body.update({name: words for name, value in body.items() if isinstance(value, str)})
    if path == "/v1/visit-slots":
        day = zlib.crc32(repr(body).encode()) % 9000
        starts = datetime(2100, 1, 1, tzinfo=UTC) + timedelta(days=day)
        body.update(starts_at=starts.isoformat(), ends_at=(starts + timedelta(minutes=30)).isoformat())
    if path == "/v1/visit-slots/weeks":
        day = zlib.crc32(repr(body).encode()) % 9000
        first = date(2130, 1, 1) + timedelta(days=day)
        body.update(first_day=first.isoformat(), opens="08:00", closes="13:00", minutes=60)
    if path == "/v1/desk/lost-codes":  # named in one way, and a day as people type it: which no document can say
        body.pop("number", None)
        body["receipt_number"] = KNOWN_IDS["case_id"]
        if isinstance(body.get("answers"), dict):
            body["answers"].pop("filed_on", None)
    if path == "/v1/push/subscriptions":  # a push service and a point of the curve, which no document can say
        body.update(endpoint=f"https://127.0.0.3:9/{zlib.crc32(repr(body).encode())}", keys=KNOWN_IDS["device_keys"])
        body.pop("expirationTime", None)
    # One selection and one command, which no document can say; and others' cases stay as they are.
    if path == "/v1/cases/bulk":
        body.update(step={"type": "start_screening"}, cases=[{"case_id": KNOWN_IDS["case_id"]}], preview=True)
        for name in ("macro_id", "filters", "search"):
            body.pop(name, None)
    if path.startswith("/v1/macros") and "steps" in body:
        body["steps"] = [{"type": "start_screening"}]
    if isinstance(body.get("filters"), dict):
        _open_spans(body["filters"])
    for count in body.get("counts") or () if path == "/v1/cases/counts" else ():
        _open_spans(count.get("filters") or {})
    if path in ("/v1/submissions", "/v1/submissions/check"):
        for name in ("answers", "identity", "happened_on", "channel", "group", "desk_consent"):
            body.pop(name, None)
        body.update(kind="criticism", anonymous=True)
        if isinstance(body.get("upload_hashes"), dict) and isinstance(body.get("uploads", []), list):
            sent = body.get("uploads", [])  # hashes are of what is sent along, which no document can say
            body["upload_hashes"] = {
                upload_id: digest for upload_id, digest in body["upload_hashes"].items() if upload_id in sent
            }
