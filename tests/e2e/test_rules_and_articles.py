"""Rules that change for new or for open cases, and articles of regulations that decisions cite."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from tests.e2e.people import JSON, Caller, Case, Town, good
from tests.e2e.test_configuration import CONFIGURATION, Administrator, send, wrong
from tests.support.processes import eventually

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def administrator(town: Town) -> Administrator:
    return Administrator(town)


def test_changed_deadlines_are_previewed_and_applied_to_new_or_to_open_cases(
    town: Town, administrator: Administrator
) -> None:
    before = administrator.read()["deadlines"]
    rule = {"kind": "criticism", "ground": "conduct", "step": "decision", "days": 9}
    body = {"deadlines": [*before, rule]}
    case = town.file(
        town.caller(), kind="criticism", unit="dep.urb", ground="conduct", text="تند حرف زد.", anonymous=True
    )
    expected = case.view()["expected_on"]
    version = administrator.read()["version"]

    def preview(by: Caller, **more: Any) -> httpx.Response:
        return by.post(f"{CONFIGURATION}/deadlines/preview", {**body, **more})

    assert preview(town.officer("head").caller, applies_to="open").status_code == 403
    assert wrong(preview(administrator.caller, deadlines=[{"days": 0}])) == {"deadlines.0.days": "greater_than_equal"}
    assert good(preview(administrator.caller))["moved"] == 0
    shown = good(preview(administrator.caller, applies_to="open"))
    assert shown["open_cases"] >= shown["moved"] >= 1
    assert -6 in [moved["working_days"] for moved in shown["by"]]
    assert shown["items"] == []
    assert administrator.read()["version"] == version

    try:
        good(administrator.put("deadlines", body))
        assert case.view()["expected_on"] == expected
        assert administrator.put("deadlines", {**body, "applies_to": "open"}, version=version).status_code == 412
        good(administrator.put("deadlines", {**body, "applies_to": "open"}))
        eventually(lambda: case.view()["expected_on"] < expected, timeout=60)
        read = town.officer("screener").read(case.view()["case_id"])
        assert read["timeline"][-1]["details"]["days"] == 9
        choice, *_ = administrator.history(what="open_case_rules")
        assert choice["after"] == choice["before"] + 1
    finally:
        good(administrator.put("deadlines", {"deadlines": before, "applies_to": "open"}))
    eventually(lambda: case.view()["expected_on"] == expected, timeout=60)


def test_an_article_is_cited_in_a_decision_and_the_case_keeps_its_title_of_that_day(
    town: Town, administrator: Administrator
) -> None:
    code = f"act_{uuid.uuid4().hex[:6]}"
    first = {"title_fa": "قانون شهرداری", "title_en": "Municipality Act", "number": "۱۰۰", "text_fa": f"متن {code}"}
    in_force = {**first, "valid_from": "1955-07-03"}
    screener, inspector = town.officer("screener"), town.officer("inspector")
    assert send(screener.caller, "PUT", f"{CONFIGURATION}/articles/{code}", in_force).status_code == 403
    version = administrator.read()["version"]
    assert administrator.put(f"articles/{code}", in_force, version=version - 1).status_code == 412
    before_it = {**in_force, "valid_until": "1955-07-02"}
    assert wrong(administrator.put(f"articles/{code}", before_it)) == {"valid_until": "before_valid_from"}
    template = {"text_fa": "متن", "text_en": "Text", "articles": [code]}
    assert wrong(administrator.put(f"answer-templates/{code}", template)) == {"articles": "unknown_article"}
    good(administrator.put(f"articles/{code}", in_force))
    good(administrator.put(f"answer-templates/{code}", template))
    [found] = good(screener.caller.get("/v1/articles", text=f"شهرداري 100 {code}"))["items"]
    assert (found["code"], found["number"]) == (code, "۱۰۰")
    assert town.caller("fa").get("/v1/articles").status_code == 401

    body = {"outcome": "not_upheld", "reasons": "پروانه نداشت.", "articles": [code]}

    def decided() -> tuple[Case, JSON]:
        case = town.report()
        return case, town.assigned(case).do(str(case.view()["case_id"]), "decision", **body)

    case, seen = eventually(decided, timeout=60)
    cited = [{"code": code, "title_fa": "قانون شهرداری", "title_en": "Municipality Act", "number": "۱۰۰"}]
    assert seen["decision"]["articles"] == cited
    good(administrator.put(f"articles/{code}", {**in_force, "title_fa": "قانون تازه", "valid_until": "2020-03-19"}))
    assert inspector.read(seen["case_id"])["decision"]["articles"] == cited
    assert case.view()["decision"]["articles"] == cited
    letter = town.caller("fa", code=case.code).get("/v1/tracking/letter")
    assert letter.status_code == 200, letter.text

    other = town.report()
    other_id = other.view()["case_id"]
    town.assigned(other)
    seen_version = inspector.read(other_id)["version"]
    for wanted, why in (([code], "not_in_force"), (["never_listed"], "unknown_article")):
        answer = inspector.caller.post(
            f"/v1/cases/{other_id}/decision", {**body, "articles": wanted}, version=seen_version
        )
        assert wrong(answer) == {"articles.0": why}
    assert inspector.read(other_id)["version"] == seen_version
