"""The administrator's day: what is set at the desk holds for the next citizen, and what was filed before stays as it was."""

from __future__ import annotations

import os
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest
from openpyxl import Workbook

from deploy.demo.phones import Phone
from tests.e2e.people import JSON, Caller, Case, Town, good
from tests.support.processes import eventually, run_module

pytestmark = pytest.mark.timeout(300)

CONFIGURATION = "/v1/configuration"


class Administrator:
    """The administrator. Each change carries the version that was just read."""

    def __init__(self, town: Town) -> None:
        self.caller = town.officer("administrator").caller

    def read(self) -> JSON:
        configuration: JSON = good(self.caller.get(CONFIGURATION))
        return configuration

    def put(self, path: str, body: JSON, version: int | None = None, key: str | None = None) -> httpx.Response:
        seen = self.read()["version"] if version is None else version
        return send(self.caller, "PUT", f"{CONFIGURATION}/{path}", body, version=seen, key=key)

    def history(self, **about: str) -> list[JSON]:
        items: list[JSON] = good(self.caller.get(f"{CONFIGURATION}/history", **about))["items"]
        return items


def send(
    caller: Caller, method: str, path: str, body: JSON | None, version: int = 0, key: str | None = None
) -> httpx.Response:
    headers = {"Idempotency-Key": key or uuid.uuid4().hex, "If-Match": f'"{version}"'}
    return caller.request(method, path, json=body, headers=headers)


def unit(name: str, parent: str = "dep.urb", **more: Any) -> JSON:
    return {"parent": parent, "level": "office", "name_fa": name, "name_en": "Desk of the test", **more}


def wrong(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return {error["field"]: error["reason"] for error in answer.json()["errors"]}


@pytest.fixture
def administrator(town: Town) -> Administrator:
    return Administrator(town)


@pytest.fixture
def calendar(administrator: Administrator) -> Iterator[JSON]:
    """Weekend and holidays as they were, put back at the end."""
    before = administrator.read()
    yield before
    good(administrator.put("calendar", {"weekend": before["weekend"], "holidays": before["holidays"]}))


def bring(town: Town, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`./peygir import …`, as its module."""
    return run_module("deploy.importing", *arguments, environment={**os.environ, **town.system.values})


def test_a_unit_is_created_renamed_moved_and_closed_and_old_cases_keep_its_former_name(
    town: Town, administrator: Administrator
) -> None:
    code = f"test.{uuid.uuid4().hex[:8]}"
    good(administrator.put(f"units/{code}", unit("میز نخست")))
    about = {"kind": "information", "unit": code, "ground": "waste", "text": "مصالح در کنار خیابان رها شده است."}
    first = town.file(town.caller(), **about)
    assert first.view()["unit_name"] == "میز نخست"

    good(administrator.put(f"units/{code}", unit("میز تازه", parent="dep.civ")))
    second = town.file(town.caller(), **about)
    assert second.view()["unit_name"] == "میز تازه"
    assert first.view()["unit_name"] == "میز نخست"

    good(administrator.put(f"units/{code}", unit("میز تازه", parent="dep.civ", active=False)))
    refused = town.caller().post("/v1/submissions", {"consent": True, **about})
    assert (refused.status_code, refused.json()["code"]) == (422, "closed_unit")
    assert second.view()["unit_name"] == "میز تازه"

    renamed = unit("میز تازه‌تر", parent="dep.civ")
    renamed.pop("active", None)
    good(administrator.put(f"units/{code}", renamed))
    assert not next(each for each in administrator.read()["units"] if each["code"] == code)["active"]

    _, closed, moved, made = administrator.history(what="units", item=code)
    assert made["before"] is None
    assert (moved["before"]["name_fa"], moved["after"]["name_fa"]) == ("میز نخست", "میز تازه")
    assert (moved["before"]["parent"], moved["after"]["parent"]) == ("dep.urb", "dep.civ")
    assert closed["after"]["active"] is False
    assert {change["by"] for change in (closed, moved, made)} == {town.officer("administrator").staff_id}


def test_an_invalid_tree_is_refused_and_nothing_changes(administrator: Administrator) -> None:
    before = administrator.read()
    assert wrong(administrator.put("units/dep.urb", unit("معاونت", parent="dep.urb.permits"))) == {
        "parent": "circle",
        "units.dep.urb.permits.parent": "circle",
    }
    assert wrong(administrator.put("units/dep.urb", unit("معاونت", parent="mq", active=False))) == {
        "active": "open_children"
    }
    assert administrator.read() == before


def test_a_conditional_question_is_asked_when_its_condition_is_met(town: Town, administrator: Administrator) -> None:
    code = f"t{uuid.uuid4().hex[:8]}"
    options = [{"value": value, "name_fa": value, "name_en": value} for value in ("desk", "phone")]
    where = {"code": "where", "type": "choice", "name_fa": "کجا؟", "name_en": "Where?", "options": options}
    counter = {
        "code": "counter",
        "type": "text",
        "name_fa": "باجه",
        "name_en": "Counter",
        "required": True,
        "when": {"question": "where", "values": ["desk"]},
    }
    body = {"kinds": ["information"], "name_fa": "محور آزمون", "name_en": "Ground of the test"}
    good(administrator.put(f"grounds/{code}", {**body, "questions": [where, counter]}))

    def file(**answers: str) -> httpx.Response:
        about = {"kind": "information", "unit": "dep.civ.roads", "ground": code, "text": "در باجه رشوه خواستند."}
        return town.caller().post("/v1/submissions", {"consent": True, **about, "answers": answers})

    assert wrong(file(where="desk")) == {"answers.counter": "missing"}
    assert wrong(file(where="phone", counter="۳")) == {"answers.counter": "not_asked"}
    assert file(where="desk", counter="۳").status_code == 201
    assert file(where="phone").status_code == 201
    good(administrator.put(f"grounds/{code}", {**body, "kinds": []}))  # offered no more
    assert file(where="phone").json()["code"] == "ground_not_for_kind"


def test_calendar_deadlines_and_retention_are_stored_and_published(
    town: Town, administrator: Administrator, calendar: JSON
) -> None:
    good(administrator.put("calendar", {"weekend": [4]}))
    good(administrator.put("decisions", {"four_eyes": [], "auto_close_days": 10}))
    assert good(town.caller().get("/v1/catalogue"))["weekend"] == [4]
    assert wrong(administrator.put("calendar", {"weekend": [0, 1, 2, 3, 4, 5, 6]})) == {"weekend": "no_working_day"}
    assert wrong(administrator.put("deadlines", {"deadlines": [{"days": 251}]})) == {
        "deadlines.0.days": "less_than_equal"
    }
    months = {"identity_months": 12, "evidence_months": 24, "text_months": None}
    retention = [{"kind": "information", "outcome": None, **months}]
    assert good(administrator.put("retention", {"retention": retention}))["retention"] == retention
    newest = administrator.history(what="retention")[0]
    assert newest["after"] == retention


def test_a_stale_change_reports_later_changes_and_a_repeated_one_has_its_effect_once(
    administrator: Administrator,
) -> None:
    seen = administrator.read()["version"]
    key, code = uuid.uuid4().hex, f"t{uuid.uuid4().hex[:8]}"
    body = {"text_fa": "شکایت شما وارد است.", "text_en": "Your complaint is upheld."}
    good(administrator.put(f"answer-templates/{code}", body, version=seen, key=key))
    again = good(administrator.put(f"answer-templates/{code}", body, version=seen, key=key))
    assert len(administrator.history(what="answer_templates", item=code)) == 1
    other = administrator.put(
        f"answer-templates/{code}", {**body, "text_en": "Other"}, version=again["version"], key=key
    )
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")

    stale = administrator.put(f"answer-templates/{code}", {**body, "text_en": "Stale"}, version=seen)
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_version")
    assert [change["code"] for change in stale.json()["params"]["changes"]] == [code]
    good(
        send(
            administrator.caller,
            "DELETE",
            f"{CONFIGURATION}/answer-templates/{code}",
            None,
            version=administrator.read()["version"],
        )
    )
    assert code not in [template["code"] for template in administrator.read()["answer_templates"]]


@pytest.mark.parametrize("username", ["screener", "head", "inspector"])
def test_nobody_else_sets_anything(town: Town, username: str) -> None:
    caller = town.officer(username).caller
    for method, path in (
        ("GET", CONFIGURATION),
        ("GET", f"{CONFIGURATION}/history"),
        ("PUT", f"{CONFIGURATION}/units/mq"),
        ("GET", "/v1/staff/history"),
        ("GET", "/v1/notification-texts"),
    ):
        answer = send(caller, method, path, unit("شهرداری") if method == "PUT" else None, version=1)
        assert answer.status_code == 403, (method, path)


def test_a_workbook_is_imported_completely_or_not_at_all(
    town: Town, administrator: Administrator, tmp_path: Path
) -> None:
    first_code, second_code = (f"test.{uuid.uuid4().hex[:8]}" for _ in range(2))
    columns = ["code", "parent_code", "level", "name_fa", "name_en", "active"]

    def workbook(name: str, *rows: list[Any]) -> str:
        book = Workbook()
        for cells in (columns, *rows):
            book.active.append(cells)
        book.save(tmp_path / name)
        return str(tmp_path / name)

    good_row = [first_code, "dep.urb", "office", "میز یک", "Desk one", 1]
    before = administrator.read()
    broken = workbook(
        "broken.xlsx",
        good_row,
        [second_code, "nowhere", "office", "میز دو", "Desk two", 1],
        ["X!", "mq", "office", "", "x", 2],
    )
    done = bring(town, "units", broken)
    assert done.returncode == 1
    assert "row 4, column active: It must be true or false." in done.stderr
    assert "سطر ۴، ستون code: " in done.stderr
    done = bring(
        town, "units", workbook("lost.xlsx", good_row, [second_code, "nowhere", "office", "میز دو", "Desk two", 1])
    )
    assert done.returncode == 1
    assert "row 3, column parent_code: There is no unit with this code." in done.stderr
    right = workbook("right.xlsx", [second_code, first_code, "unit", "میز دو", "Desk two", None], good_row)
    tried = bring(town, "units", right, "--dry-run")
    assert (tried.returncode, "2 new, 0 changed" in tried.stdout) == (0, True), tried.stderr
    assert administrator.read() == before

    assert bring(town, "units", right).returncode == 0
    units = {each["code"]: each for each in administrator.read()["units"]}
    assert (units[second_code]["parent"], units[second_code]["name_fa"]) == (first_code, "میز دو")
    assert administrator.history(what="units", item=second_code)[0]["by"] == "import units"
    # The gateway receives it like any other change.
    eventually(lambda: second_code in [each["code"] for each in good(town.caller().get("/v1/catalogue"))["units"]])
    assert "0 new, 0 changed, 2 as before" in bring(town, "units", right).stdout


def refused_for(town: Town, reason: str) -> tuple[Case, Phone]:
    """A complaint refused for this reason."""
    case, phone, _ = town.complaint()
    screener, case_id = town.officer("screener"), case.view()["case_id"]
    screener.do(case_id, "screening")
    screener.do(case_id, "refusal", reason=reason, explanation="نخست آن را به دبیرخانه ببرید.")
    return case, phone


def test_a_refusal_reason_is_added_used_renamed_and_closed_and_old_cases_keep_its_name(
    town: Town, administrator: Administrator
) -> None:
    code = f"no_stamp_{uuid.uuid4().hex[:6]}"
    first = {"name_fa": "مهر دبیرخانه ندارد", "name_en": "It bears no stamp", "address_fa": "دبیرخانه، طبقه یک"}
    screener = town.officer("screener")
    assert send(screener.caller, "PUT", f"{CONFIGURATION}/refusal-reasons/{code}", first).status_code == 403
    before = administrator.read()
    assert administrator.put(f"refusal-reasons/{code}", first, version=before["version"] - 1).status_code == 412
    assert wrong(administrator.put(f"refusal-reasons/{code}", {**first, "name_en": " "})) == {"name_en": "missing"}
    assert wrong(administrator.put("refusal-reasons/Bad-Code", first)) == {"reason": "string_pattern_mismatch"}
    assert administrator.read() == before
    good(administrator.put(f"refusal-reasons/{code}", first))
    assert code in [entry["code"] for entry in good(screener.caller.get("/v1/lists"))["refusal_reasons"]]

    case, phone = eventually(lambda: refused_for(town, code), timeout=60)
    assert "مهر دبیرخانه ندارد" in phone.next()
    assert any("مهر دبیرخانه ندارد" in text for text in case.inbox())
    view = case.view()
    assert (view["refusal_reason"], view["refusal_text"]) == (code, "مهر دبیرخانه ندارد")
    assert view["refusal_address"] == "دبیرخانه، طبقه یک"
    english = good(town.caller("en", code=case.code).get("/v1/tracking"))
    assert english["refusal_text"] == "It bears no stamp"

    good(administrator.put(f"refusal-reasons/{code}", {**first, "name_fa": "نامه بی‌مهر است"}))
    later, later_phone = eventually(lambda: refused_for(town, code), timeout=60)
    assert "نامه بی‌مهر است" in later_phone.next()
    assert later.view()["refusal_text"] == "نامه بی‌مهر است"
    assert case.view()["refusal_text"] == "مهر دبیرخانه ندارد"
    assert any("مهر دبیرخانه ندارد" in text for text in case.inbox())
    seen = screener.read(view["case_id"])
    assert seen["refusal"] == {"code": code, "name_fa": "مهر دبیرخانه ندارد", "name_en": "It bears no stamp"}

    good(administrator.put(f"refusal-reasons/{code}", {**first, "active": False}))
    assert code not in [entry["code"] for entry in good(screener.caller.get("/v1/lists"))["refusal_reasons"]]
    open_case, _, _ = town.complaint()
    case_id = open_case.view()["case_id"]
    version = screener.do(case_id, "screening")["version"]
    for language in ("fa", "en"):
        caller = town.caller(language, token=screener.caller.token)
        for reason, why in ((code, "not_offered"), ("never_listed", "unknown_code")):
            body = {"reason": reason, "explanation": "نمی‌شود."}
            assert wrong(caller.post(f"/v1/cases/{case_id}/refusal", body, version=version)) == {"reason": why}
    assert (screener.read(case_id)["stage"], screener.read(case_id)["version"]) == ("screening", version)
    assert case.view()["refusal_text"] == "مهر دبیرخانه ندارد"
    closed, renamed, made = administrator.history(what="refusal_reasons", item=code)
    assert (made["before"], renamed["after"]["name_fa"], closed["after"]["active"]) == (None, "نامه بی‌مهر است", False)


def test_a_root_cause_is_added_and_a_closed_one_is_kept_in_old_decisions(
    town: Town, administrator: Administrator
) -> None:
    code = f"weather_{uuid.uuid4().hex[:6]}"
    good(administrator.put(f"root-causes/{code}", {"name_fa": "آب و هوا", "name_en": "Weather"}))
    body = {"outcome": "upheld", "reasons": "برف راه را بسته بود.", "root_causes": [code]}

    def decided() -> tuple[str, JSON]:
        case = town.report()
        case_id = str(case.view()["case_id"])
        inspector = town.assigned(case)
        return case_id, inspector.do(case_id, "decision", **body)

    case_id, seen = eventually(decided, timeout=60)
    assert seen["root_cause_names"] == [{"code": code, "name_fa": "آب و هوا", "name_en": "Weather"}]
    good(administrator.put(f"root-causes/{code}", {"name_fa": "بارش", "name_en": "Snow", "active": False}))
    inspector = town.officer("inspector")
    assert inspector.read(case_id)["root_cause_names"] == seen["root_cause_names"]
    other = town.report()
    other_id = other.view()["case_id"]
    town.assigned(other)
    version = inspector.read(other_id)["version"]
    assert wrong(inspector.caller.post(f"/v1/cases/{other_id}/decision", body, version=version)) == {
        "root_causes": "not_offered"
    }
    assert inspector.read(other_id)["version"] == version


def test_reasons_and_causes_can_be_imported(town: Town, administrator: Administrator, tmp_path: Path) -> None:
    code = f"by_table_{uuid.uuid4().hex[:6]}"
    path = tmp_path / "reasons.csv"
    head = "code,name_fa,name_en,active\n"
    path.write_text(f"{head}{code},نام,Name,1\nBad Code,ن,N,1\n", encoding="utf-8")
    before = administrator.read()
    refused = bring(town, "refusal-reasons", str(path))
    assert (refused.returncode, "row 3, column code" in refused.stderr) == (1, True), refused.stderr
    assert administrator.read() == before
    path.write_text(f"{head}{code},نام,Name,1\n", encoding="utf-8")
    for what, listed in (("refusal-reasons", "refusal_reasons"), ("root-causes", "root_causes")):
        assert "1 new" in bring(town, what, str(path)).stdout
        [made] = [entry for entry in administrator.read()[listed] if entry["code"] == code]
        assert (made["name_fa"], made["active"]) == ("نام", True)
        assert administrator.history(what=listed, item=code)[0]["by"] == f"import {what}"


def test_an_account_is_created_used_changed_reset_and_closed(town: Town, administrator: Administrator) -> None:
    username = f"desk-{uuid.uuid4().hex[:8]}"
    body = {"username": username, "display_name": "پیشخوان آزمون", "roles": ["operator"], "unit": "mayor.insp"}
    key = uuid.uuid4().hex
    made = good(administrator.caller.post("/v1/staff", body, key=key), 201)
    assert good(administrator.caller.post("/v1/staff", body, key=key), 201)["password"] is None  # told once
    assert wrong(administrator.caller.post("/v1/staff", body)) == {"username": "already_used"}

    def sign_in(credentials: JSON, code: str) -> httpx.Response:
        body = {"username": username, "password": credentials["password"], "totp": code}
        return town.caller().post("/v1/auth/staff/tokens", body)

    tokens = good(sign_in(made, pyotp.TOTP(made["totp_secret"]).now()))
    assert good(town.caller(token=tokens["access_token"]).get("/v1/me"))["roles"] == ["operator"]

    path = f"/v1/staff/{made['member']['staff_id']}"
    changed = {"display_name": "غربالگر آزمون", "roles": ["screener"], "unit": None, "active": True}
    assert send(administrator.caller, "PUT", path, changed, version=9).status_code == 412
    member = good(send(administrator.caller, "PUT", path, changed, version=1))
    assert (member["roles"], member["unit"], member["version"]) == (["screener"], None, 2)
    refreshed = good(town.caller().post("/v1/auth/refresh", {"refresh_token": tokens["refresh_token"]}))
    assert good(town.caller(token=refreshed["access_token"]).get("/v1/me"))["roles"] == ["screener"]

    credentials = good(administrator.caller.post(f"{path}/credentials", {}))
    assert town.caller().post("/v1/auth/refresh", {"refresh_token": refreshed["refresh_token"]}).status_code == 401
    assert sign_in(made, pyotp.TOTP(made["totp_secret"]).now()).status_code == 401
    eventually(lambda: town.caller(token=refreshed["access_token"]).get("/v1/me").status_code == 401)
    assert credentials["member"]["version"] == 3
    good(send(administrator.caller, "PUT", path, {**changed, "active": False}, version=3))
    assert sign_in(credentials, pyotp.TOTP(credentials["totp_secret"]).now()).status_code == 401
    history = good(administrator.caller.get("/v1/staff/history", staff_id=made["member"]["staff_id"]))["items"]
    assert [change["action"] for change in history] == ["changed", "credentials_reset", "changed", "added"]
    assert credentials["password"] not in str(history)
    assert credentials["totp_secret"] not in str(history)


def test_the_administrator_is_not_locked_out(town: Town, administrator: Administrator) -> None:
    me = town.officer("administrator").staff_id
    (own,) = [item for item in good(administrator.caller.get("/v1/staff"))["items"] if item["staff_id"] == me]
    body = {"display_name": own["display_name"], "roles": ["head"], "unit": own["unit"], "active": False}
    answer = send(administrator.caller, "PUT", f"/v1/staff/{me}", body, version=own["version"])
    assert wrong(answer) == {"active": "own_account", "roles": "own_account"}


def test_changed_texts_reach_the_phone_and_invalid_ones_are_refused(town: Town, administrator: Administrator) -> None:
    path = "/v1/notification-texts/sms/withdrawn"
    texts = good(administrator.caller.get("/v1/notification-texts"))["items"]
    (before,) = [text for text in texts if (text["channel"], text["name"]) == ("sms", "withdrawn")]
    words = {"text_fa": "رسیدگی به {kind} شما تمام شد.\n{code}", "text_en": "Your {kind} is over.\n{code}"}
    link = {**words, "text_fa": words["text_fa"] + "\nqazvin.ir"}
    assert wrong(send(administrator.caller, "PUT", path, link, version=before["version"])) == {"text_fa": "link_in_sms"}
    other = {name: f"{{outcome}} {text}" for name, text in words.items()}
    refused = wrong(send(administrator.caller, "PUT", path, other, version=before["version"]))
    assert refused == {"text_fa": "value_not_offered", "text_en": "value_not_offered"}
    changed = good(send(administrator.caller, "PUT", path, words, version=before["version"]))
    try:
        case, phone, citizen = town.complaint()
        good(citizen.post(f"/v1/me/cases/{case.view()['case_id']}/withdrawal", {}))
        assert phone.next() == f"رسیدگی به شکایت شما تمام شد.\n{case.dashed}"
    finally:
        restored = good(send(administrator.caller, "DELETE", path, None, version=changed["version"]))
    assert (restored["text_fa"], restored["changed"]) == (before["shipped_fa"], False)
    newest = good(administrator.caller.get("/v1/notification-texts/history"))["items"]
    assert [change["after_fa"] for change in newest[:2]] == [None, words["text_fa"]]


def test_staff_can_be_imported(town: Town, administrator: Administrator, tmp_path: Path) -> None:
    username = f"desk-{time.time_ns()}"
    path = tmp_path / "staff.csv"
    rows = f"{username},پیشخوان جدول,operator|screener,mayor.insp\n{username}-2,رابط,liaison,\nx-{username},ن,boss,nowhere\n"
    path.write_text("\ufeffusername,display_name,roles,unit\n" + rows, encoding="utf-8")
    done = bring(town, "staff", str(path))
    assert done.returncode == 1
    for message in (
        "row 3, column unit: This is needed.",
        "row 4, column roles:",
        "row 4, column unit: There is no unit",
    ):
        assert message in done.stderr
    path.write_text("username,display_name,roles,unit\n" + rows.splitlines()[0] + "\n", encoding="utf-8")
    done = bring(town, "staff", str(path))
    assert (done.returncode, "1 new" in done.stdout) == (0, True), done.stderr
    accounts = [item for item in good(administrator.caller.get("/v1/staff"))["items"] if item["username"] == username]
    assert [(account["roles"], account["unit"]) for account in accounts] == [(["operator", "screener"], "mayor.insp")]
