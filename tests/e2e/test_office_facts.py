"""What a form, and a page about the office, needs, in one answer; and what is published."""

from __future__ import annotations

from datetime import date

import httpx
import pytest

from backbone.persian import jalali
from contracts.base import now
from tests.e2e.people import UNIT, Town, good

pytestmark = pytest.mark.timeout(300)


def test_a_form_can_be_drawn_and_checked_by_the_office_alone(town: Town) -> None:
    answer = town.caller().get("/v1/office")
    office = good(answer)
    assert office["name"]["fa"]
    assert office["name"]["en"]
    assert office["languages"] == ["fa", "en"]
    rules = office["rules"]
    body = {"kind": "criticism", "unit": UNIT, "ground": "delay", "consent": True}
    longest = "آ" * rules["text"]["max_length"]
    town.codes.add(
        good(town.caller().post("/v1/submissions", body | {"text": longest}), 201)["tracking_code"].replace(" ", "")
    )
    refused = town.caller().post("/v1/submissions", body | {"text": longest + "آ"})
    assert [error["field"] for error in refused.json()["errors"]] == ["text"]
    assert {"image/jpeg", "application/pdf", "video/mp4"} <= {file["media_type"] for file in rules["evidence"]["types"]}
    too_large = town.http.post(
        "/v1/uploads",
        headers={"Tus-Resumable": "1.0.0", "Upload-Length": str(rules["evidence"]["max_bytes"] + 1)},
    )
    assert too_large.status_code == 413
    assert (rules["one_time_code_digits"], rules["tracking_code_digits"]) == (6, 16)


def test_what_is_promised_is_what_a_case_gets(town: Town) -> None:
    office = good(town.caller().get("/v1/office"))
    assert office["today"]["day"] == jalali.today(now()).isoformat()
    promised = {kind["kind"]: kind for kind in office["kinds"]}
    assert date.fromisoformat(promised["information"]["decision_on"]) == town.working_day(
        promised["information"]["decision_days"]
    )
    case = town.report().view()
    assert case["expected_on"] == promised["information"]["decision_on"]
    assert case["expected_text"] == promised["information"]["decision_on_text"]["fa"]


def test_it_is_small_and_kept_by_whoever_wants(town: Town) -> None:
    answer = town.http.get("/v1/office", headers={"Accept-Encoding": "br"})
    assert answer.headers["content-encoding"] == "br"
    assert int(answer.headers["content-length"]) < 2_500
    assert answer.headers["cache-control"].startswith("public, max-age=")
    again = town.http.get("/v1/office", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_its_emblem_is_a_drawing(town: Town) -> None:
    answer: httpx.Response = town.http.get(good(town.caller().get("/v1/office"))["emblem"])
    assert answer.headers["content-type"] == "image/svg+xml"
    assert "<svg" in answer.text
