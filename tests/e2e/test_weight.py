"""What answers weigh: compressed as the client takes them, not sent twice, and small rows."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from typing import Any

import brotli
import httpx
import pytest
import zstandard

from deploy.demo import evidence
from tests.e2e.people import UNIT, Town, good
from tests.support.processes import eventually
from tests.support.row_sizes import MOST_OF_A_ROW, mean_row_size

pytestmark = pytest.mark.timeout(300)
DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": lambda content: zstandard.ZstdDecompressor().decompressobj().decompress(content),
}


def raw(town: Town, path: str, coding: str, **headers: str) -> tuple[httpx.Response, bytes]:
    """An answer, and its content as it travelled."""
    sent = {"Accept-Encoding": coding, **{name.replace("_", "-"): value for name, value in headers.items()}}
    with town.http.stream("GET", path, headers=sent) as answer:
        return answer, b"".join(answer.iter_raw())


@pytest.mark.parametrize("coding", DECODERS)
@pytest.mark.parametrize("path", ["/v1/catalogue", "/v1/openapi.json"])
def test_what_a_form_needs_comes_compressed_in_each_coding(town: Town, path: str, coding: str) -> None:
    plain, content = raw(town, path, "identity")
    assert "content-encoding" not in plain.headers
    answer, compressed = raw(town, path, f"{coding}, identity;q=0.5")
    assert answer.headers["content-encoding"] == coding
    assert DECODERS[coding](compressed) == content
    assert int(answer.headers["content-length"]) == len(compressed) < len(content) // 3
    for headers in (plain.headers, answer.headers):
        assert "accept-encoding" in headers["vary"].lower()
        again, nothing = raw(town, path, coding, If_None_Match=headers["etag"])
        assert (again.status_code, nothing) == (304, b"")
        assert again.headers["etag"] == headers["etag"]


def test_a_coding_that_is_refused_is_not_sent(town: Town) -> None:
    answer, _ = raw(town, "/v1/catalogue", "zstd;q=0, br;q=0.1, gzip;q=0.2")
    assert answer.headers["content-encoding"] == "gzip"
    answer, _ = raw(town, "/v1/catalogue", "gzip;q=0, *;q=0")
    assert "content-encoding" not in answer.headers


def test_lists_of_staff_are_compressed_and_their_rows_small(town: Town) -> None:
    for _ in range(3):
        town.assigned(town.report(text="آسفالت خیابان نو دوباره کنده شده است و کسی پاسخ نمی‌دهد. " * 5))
    head = town.officer("head").caller
    answer = head.get("/v1/cases", limit=100)
    assert answer.headers["content-encoding"] in DECODERS
    items = good(answer)["items"]
    assert len(items) >= 3
    assert mean_row_size(items) <= MOST_OF_A_ROW


def test_a_case_that_did_not_change_is_not_sent_again(town: Town) -> None:
    case, _, citizen = town.complaint()
    inspector = town.assigned(case)
    case_id = case.view_at("investigating")["case_id"]
    for caller, path in ((inspector.caller, f"/v1/cases/{case_id}"), (citizen, f"/v1/me/cases/{case_id}")):
        first = caller.request("GET", path)
        etag = first.headers["etag"]
        assert caller.request("GET", path, headers={"If-None-Match": etag}).status_code == 304
        # It is also the version for a command.
        assert re.match(r'(W/)?"\d+-', etag)
        assert etag.removeprefix("W/").startswith(f'"{first.json()["version"]}-')
    etag = inspector.caller.get(f"/v1/cases/{case_id}").headers["etag"]
    noted = inspector.caller.request(
        "POST",
        f"/v1/cases/{case_id}/notes",
        json={"text": "با واحد تماس گرفتم."},
        headers={"If-Match": etag, "Idempotency-Key": "note-by-etag-1"},
    )
    assert noted.status_code == 200, noted.text
    changed = inspector.caller.request("GET", f"/v1/cases/{case_id}", headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != etag


def test_what_gives_a_code_or_a_token_is_not_compressed(town: Town) -> None:
    long_text = "پرونده من در این اداره مانده است. " * 100
    body = {"kind": "criticism", "unit": UNIT, "ground": "delay", "text": long_text, "consent": True}
    filed = town.caller().post("/v1/submissions", body)
    town.codes.add(good(filed, 201)["tracking_code"].replace(" ", ""))
    assert "content-encoding" not in filed.headers
    _, _, citizen = town.complaint()
    for answer in (citizen.get("/v1/me"), town.caller().get("/follow"), town.caller().get("/file/kind")):
        assert answer.status_code == 200
        assert "content-encoding" not in answer.headers


def test_a_picture_is_kept_by_its_readers_browser_alone(town: Town) -> None:
    citizen = town.caller()
    case, _, _ = town.complaint(uploads=[citizen.upload(evidence.photo())])

    def checked() -> Any:
        [file] = case.view()["attachments"]
        return file if file["state"] == "accepted" else None

    file = eventually(checked, timeout=90)
    case_id = case.view()["case_id"]
    inspector = town.assigned(case).caller
    for variant, seconds in (("thumbnail", 3600), ("evidence", 600)):
        path = f"/v1/cases/{case_id}/attachments/{file['media_id']}?variant={variant}"
        answer = inspector.request("GET", path)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == f"private, max-age={seconds}, immutable"
        assert {"authorization", "cookie", "tracking-code"} <= {
            name.strip() for name in answer.headers["vary"].lower().split(",")
        }
        again = inspector.request("GET", path, headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        part = inspector.request("GET", path, headers={"Range": "bytes=0-9"})
        assert (part.status_code, len(part.content)) == (206, 10)
        # Whoever may not see it gets no 304 either, with the ETag of one who may.
        liaison = town.officer("liaison").caller
        assert liaison.request("GET", path, headers={"If-None-Match": answer.headers["etag"]}).status_code in (403, 404)
