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


def places(items: list[JSON]) -> list[tuple[str, int]]:
    return [(item["service"], item["position"]) for item in items]


def test_an_auditor_sees_who_read_changed_and_opened_a_case_and_nothing_of_it(town: Town) -> None:
    auditor, head = town.officer("auditor"), town.officer("head")
    case, phone, _ = town.complaint()
    case_id = str(case.view()["case_id"])
    inspector = town.assigned(case)
    number = inspector.read(case_id)["number"]
    head.read(case_id)
    good(town.opens(case_id, "برای دعوت به جلسه"))

    # That the auditor reads is an entry, too: while one waits, only those of other commands are asked for.
    for command, service, person in (
        ("assign", "tracking", town.officer("screener")),
        ("get_case", "tracking", inspector),
        ("open_identity", "intake", head),
    ):

        def written(command: str = command, service: str = service, person: Officer = person) -> bool:
            found = entries(auditor, number=number, command=command)
            return (service, person.staff_id) in {(item["service"], item["actor_id"]) for item in found}

        eventually(written)
    everything = str(entries(auditor, case_id=case_id))
    for secret in ("پرونده من", "شاکی نمونه", phone.mobile[3:], case.code):
        assert secret not in everything
    read = entries(auditor, case_id=case_id, command="get_case", person=inspector.staff_id)
    name = DEMO_STAFF[inspector.username].display_name
    assert {(item["command"], item["actor_name"]) for item in read} == {("get_case", name)}
    typed = name.replace("ی", "ي")  # as an Arabic keyboard writes it
    assert entries(auditor, case_id=case_id, command="get_case", name=typed) == read
    assert entries(auditor, case_id=case_id, name="کسی که نیست") == []

    # By pages, without a gap, of several services.
    of_head = {"case_id": case_id, "person": head.staff_id}

    def by_pages() -> list[tuple[str, int]]:
        page = good(auditor.caller.get("/v1/audit", limit="1", **of_head))
        paged = places(page["items"])
        while page["next"] is not None:
            page = good(auditor.caller.get("/v1/audit", limit="1", after=page["next"], **of_head))
            paged += places(page["items"])
        assert paged == places(entries(auditor, limit="100", **of_head))
        assert len(paged) > 2
        assert {"tracking", "intake"} <= {service for service, _ in paged}
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
