"""A day of the auditor: who read, changed and opened what; no text, no case, and their own readings among the rest."""

from __future__ import annotations

import csv
import io

import pytest

from services.accounts.seed import DEMO_STAFF
from tests.e2e.day_parts import refused
from tests.e2e.people import JSON, Officer, Town, good
from tests.support.processes import eventually

pytestmark = pytest.mark.timeout(240)


def entries(auditor: Officer, **filters: str) -> list[JSON]:
    items: list[JSON] = good(auditor.caller.get("/v1/audit", **filters))["items"]
    return items


def test_an_auditor_sees_who_read_changed_and_opened_a_case_and_nothing_of_it(town: Town) -> None:
    auditor, head = town.officer("auditor"), town.officer("head")
    case, phone, _ = town.complaint()
    case_id = str(case.view()["case_id"])
    inspector = town.assigned(case)
    number = inspector.read(case_id)["number"]
    good(town.opens(case_id, "برای دعوت به جلسه"))

    def seen() -> set[tuple[str, str, str]]:
        commands = {(item["service"], item["command"], item["actor_id"]) for item in entries(auditor, number=number)}
        assert {
            ("tracking", "assign", town.officer("screener").staff_id),
            ("tracking", "get_case", inspector.staff_id),
            ("intake", "open_identity", head.staff_id),
        } <= commands
        return commands

    eventually(seen)
    everything = str(entries(auditor, case_id=case_id))
    for secret in ("پرونده من", "شاکی نمونه", phone.mobile[3:], case.code):
        assert secret not in everything
    read = entries(auditor, case_id=case_id, command="get_case", person=inspector.staff_id)
    name = DEMO_STAFF[inspector.username].display_name
    assert {(item["command"], item["actor_name"]) for item in read} == {("get_case", name)}
    typed = name.replace("ی", "ي")  # as an Arabic keyboard writes it
    assert entries(auditor, case_id=case_id, command="get_case", name=typed) == read
    assert entries(auditor, case_id=case_id, name="کسی که نیست") == []

    # By pages, without a gap. That the auditor reads is written too, soon after each page: it is left aside here.
    def of_others(items: list[JSON]) -> list[tuple[str, int]]:
        return [(item["service"], item["position"]) for item in items if item["actor_id"] != auditor.staff_id]

    def by_pages() -> list[tuple[str, int]]:
        page = good(auditor.caller.get("/v1/audit", case_id=case_id, limit="2"))
        paged = of_others(page["items"])
        while page["next"]:
            page = good(auditor.caller.get("/v1/audit", case_id=case_id, limit="2", after=page["next"]))
            paged += of_others(page["items"])
        assert paged == of_others(entries(auditor, case_id=case_id, limit="100"))
        assert len(paged) > 4
        return paged

    whole = eventually(by_pages)

    # As a file.
    file = auditor.caller.get("/v1/audit/file", case_id=case_id)
    rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))
    assert {(row["service"], int(row["position"])) for row in rows} >= set(whole)
    names = {row["actor_id"]: row["actor_name"] for row in rows}
    assert (names[head.staff_id], names[inspector.staff_id]) == ("مدیر بازرسی", name)

    # It is theirs alone, opens nothing, and that they read it is in it.
    refused(auditor.caller.get(f"/v1/cases/{case_id}"), 403, "not_allowed")
    refused(head.caller.get("/v1/audit"), 403, "not_allowed")
    refused(town.officer("administrator").caller.get("/v1/audit"), 403, "not_allowed")
    refused(auditor.caller.get("/v1/audit", number="1399-000001"), 404, "unknown_case")
    eventually(lambda: entries(auditor, person=auditor.staff_id, command="read_audit"))
