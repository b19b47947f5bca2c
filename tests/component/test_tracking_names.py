"""Members of staff are shown by name wherever an id of theirs is, and grounds in exports."""

from __future__ import annotations

import base64
import csv
import io
import uuid
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from backbone.persian import jalali
from contracts.base import now
from contracts.errors import StaleVersion
from contracts.exports import ExportFormat, GetExport, ReadExport, StartExport
from contracts.gateway import Actor
from contracts.identities import AskForIdentity, DecideIdentityRequest, ListIdentityRequests
from contracts.screening import ListSkills
from contracts.searches import Audience, Filter, KeepSearch, ListSearches
from contracts.tracking import AddCheck, AddNote, Assign, Remind, StartScreening, TickCheck
from contracts.vocabulary import Language, Role
from tests.support.processes import eventually
from tests.support.tracking import Office, actor, staff

NAMES = {"head": "مدیر بازرسی", "screener": "غربالگر ۱", "inspector": "بازرس ۱", "other_inspector": "بازرس ۲"}


@pytest.fixture
def named(office: Office) -> Office:
    """The office, whose people have names of their own."""
    people = {name: getattr(office, who) for who, name in NAMES.items()}
    for name, person in people.items():
        office.broker_client.publish_event(staff(person, version=2, display_name=name))
    ids = [person.id for person in people.values()]
    query = "SELECT count(*) FROM staff WHERE version = 2 AND staff_id = ANY(%s::uuid[])"
    eventually(lambda: office.value(query, ids) == len(NAMES))
    return office


def test_a_case_names_its_handler_and_who_did_what(named: Office) -> None:
    case_id = named.open().case_id
    assert named.get(case_id)["handler_name"] is None
    named.do(named.screener, case_id, StartScreening())
    # Both the answer of a command and what is read later.
    for view in (named.do(named.screener, case_id, Assign(inspector=UUID(named.inspector.id))), named.get(case_id)):
        assert (view["handler"], view["handler_name"]) == (named.inspector.id, "بازرس ۱")
        started, assigned = view["timeline"][-2:]
        assert (started["actor_name"], assigned["actor_name"]) == ("غربالگر ۱", "غربالگر ۱")
        assert assigned["names"] == {named.inspector.id: "بازرس ۱"}
    assert view["timeline"][0]["actor_name"] is None  # a citizen, whose name is sealed
    mention = AddNote(text="ببینید", mentions=[UUID(named.head.id)])
    for view in (named.do(named.inspector, case_id, mention), named.get(case_id)):
        note = view["timeline"][-1]
        assert (note["actor_name"], note["names"]) == ("بازرس ۱", {named.head.id: "مدیر بازرسی"})
    tomorrow = jalali.today(now()) + timedelta(days=1)
    named.do(named.inspector, case_id, Remind(on=tomorrow, text="پیگیری"))
    item = named.do(named.inspector, case_id, AddCheck(text="نامه"))["checklist"][0]
    view = named.do(named.inspector, case_id, TickCheck(item_id=item["item_id"], done=True))
    assert [reminder["staff_name"] for reminder in named.get(case_id)["reminders"]] == ["بازرس ۱"]
    assert [entry["done_by_name"] for entry in view["checklist"]] == ["بازرس ۱"]
    assert [line["handler_name"] for line in named.page(named.head, handler=named.inspector.id)["items"]] == ["بازرس ۱"]


def test_skills_and_searches_name_whose_they_are(named: Office) -> None:
    skills = named.ask("list_skills", ListSkills(actor=named.head))["items"]
    assert ("بازرس ۱", named.inspector.id) in [(line["inspector_name"], line["inspector"]) for line in skills]
    kept = KeepSearch(
        actor=named.head, name="همه", filters=Filter(), shared_with=Audience.ALL, idempotency_key=uuid.uuid4().hex
    )
    assert named.ask("keep_search", kept)["owner_name"] == "مدیر بازرسی"
    [search, *_] = named.ask("list_searches", ListSearches(actor=named.screener))["items"]
    assert search["owner_name"] == "مدیر بازرسی"


def test_who_has_a_stale_version_reads_who_changed_the_case(named: Office) -> None:
    case_id = named.open().case_id
    named.do(named.screener, case_id, StartScreening())
    with pytest.raises(StaleVersion) as stale:
        named.do(named.head, case_id, AddNote(text="x"), version=1)
    assert stale.value.params["changes"][-1]["actor_name"] == "غربالگر ۱"


def test_who_asks_to_open_an_identity_and_who_decides_is_named(named: Office) -> None:
    custodian = actor(Role.CUSTODIAN)
    named.broker_client.publish_event(staff(custodian, display_name="امین هویت"))
    eventually(lambda: named.value("SELECT count(*) FROM staff WHERE staff_id = %s", custodian.id) == 1)
    about = {"case_id": named.open().case_id, "reason": "برای احضار شاکی", "minutes": 30}
    identity_request = named.ask(
        "ask_for_identity", AskForIdentity(actor=named.head, idempotency_key=uuid.uuid4().hex, **about)
    )
    assert (identity_request["asked_by_name"], identity_request["decided_by_name"]) == ("مدیر بازرسی", None)
    decision = DecideIdentityRequest(actor=custodian, request_id=identity_request["request_id"], consent=True)
    assert named.ask("decide_identity_request", decision)["decided_by_name"] == "امین هویت"
    [first, *_] = named.ask("list_identity_requests", ListIdentityRequests(actor=custodian))["items"]
    assert (first["asked_by_name"], first["decided_by_name"]) == ("مدیر بازرسی", "امین هویت")


def exported(office: Office, who: Actor, language: Language, case_number: str) -> dict[str, str]:
    request = StartExport(
        actor=who,
        filters=Filter(number=[case_number]),
        format=ExportFormat.CSV,
        language=language,
        idempotency_key=uuid.uuid4().hex,
    )
    export_id = office.ask("start_export", request)["export_id"]
    state: dict[str, Any] = {}

    def done() -> bool:
        state.update(office.ask("get_export", GetExport(actor=who, export_id=export_id)))
        return bool(state["state"] == "done")

    eventually(done, timeout=90)
    content = base64.b64decode(office.ask("read_export", ReadExport(actor=who, export_id=export_id))["content"])
    [row] = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    return row


def test_an_export_names_grounds_and_inspectors_but_not_to_an_analyst(named: Office) -> None:
    case_id = named.investigated().case_id
    number = named.get(case_id)["number"]
    row = exported(named, named.head, Language.FA, number)
    assert (row["کد محور"], row["محور"], row["بازرس"]) == ("delay", "اطاله", "بازرس ۱")
    row = exported(named, named.head, Language.EN, number)
    assert (row["Ground code"], row["Ground"], row["Inspector"]) == ("delay", "Delay", "بازرس ۱")
    row = exported(named, actor(Role.ANALYST), Language.EN, number)
    assert (row["Inspector's id"], row["Inspector"]) == ("", "")
