"""Exports: exactly what the asker may see, made once whoever is killed meanwhile, for the asker alone."""

from __future__ import annotations

import base64
import csv
import io
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from openpyxl import load_workbook

from contracts.base import now
from contracts.errors import ExportNotDone, Gone, InvalidField, KeyReused, NotAllowed, NotFound, TooManyExports
from contracts.exports import DropExport, ExportFormat, GetExport, ListExports, ReadExport, StartExport
from contracts.gateway import Actor
from contracts.searches import Filter, KeepSearch
from contracts.vocabulary import Language, Role
from deploy.local.parts import RabbitMQ
from tests.support.processes import ServiceProcess, eventually, open_broker_client
from tests.support.tracking import UNIT, Office, actor, staff, submission

LEASE = 3


@pytest.fixture(scope="module")
def tracking_settings() -> dict[str, str]:
    return {"EXPORTS_PAGE": "7", "EXPORTS_LEASE": str(LEASE), "EXPORTS_OPEN": "2", "EXPORTS_MOST_ROWS": "400"}


def ground() -> str:
    return f"g{uuid.uuid4().hex[:12]}"


def file(office: Office, count: int, **changes: Any) -> None:
    """So many cases, a second apart."""
    filed = [submission(filed_at=now() + timedelta(seconds=place), **changes) for place in range(count)]
    for submitted in filed:
        office.broker_client.publish_event(submitted)
    ids = [submitted.case_id for submitted in filed]
    eventually(lambda: office.value("SELECT count(*) FROM cases WHERE case_id = ANY(%s)", ids) == count)


def start(office: Office, who: Actor, format_: str = "csv", key: str | None = None, **filters: Any) -> Any:
    request = StartExport(
        actor=who,
        filters=Filter(**filters),
        format=ExportFormat(format_),
        language=Language.EN,
        idempotency_key=key or uuid.uuid4().hex,
    )
    return office.ask("start_export", request)


def state(office: Office, who: Actor, export_id: str) -> Any:
    return office.ask("get_export", GetExport(actor=who, export_id=export_id))


def ended(office: Office, who: Actor, export_id: str) -> Any:
    """The export when it is over."""

    def over() -> Any:
        export = state(office, who, export_id)
        return export if export["state"] in ("done", "failed") else None

    return eventually(over, timeout=90)


def content(office: Office, who: Actor, export_id: str) -> bytes:
    """The file, chunk by chunk."""
    whole, chunk = b"", 0
    while True:
        part = office.ask("read_export", ReadExport(actor=who, export_id=export_id, chunk=chunk))
        whole += base64.b64decode(part["content"])
        chunk += 1
        if chunk == part["chunks"]:
            assert len(whole) == part["size"]
            return whole


def rows(office: Office, who: Actor, export_id: str) -> list[dict[str, str]]:
    file_content = content(office, who, export_id)
    assert file_content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(file_content.decode("utf-8-sig"), newline="")))


def made(office: Office, who: Actor, **filters: Any) -> list[dict[str, str]]:
    """The rows of an export from beginning to end."""
    export = start(office, who, **filters)
    over = ended(office, who, export["export_id"])
    assert over["state"] == "done", over
    lines = rows(office, who, export["export_id"])
    assert over["rows_done"] == over["rows_total"] == len(lines)
    office.ask("drop_export", DropExport(actor=who, export_id=export["export_id"]))
    return lines


def test_it_contains_the_list_in_its_order(office: Office) -> None:
    own = ground()
    file(office, 15, ground=own)  # three pages
    lines = made(office, office.head, ground=[own])
    assert [row["Number"] for row in lines] == office.numbers(office.head, ground=own)
    assert {row["Stage"] for row in lines} == {"Registered"}
    assert all(row["Filed (Jalali)"].startswith("14") and row["Filed"].startswith("20") for row in lines)
    assert made(office, office.head, ground=[own], unit=["dep.civ"]) == []


def test_a_workbook_contains_the_same_and_no_formula(office: Office) -> None:
    own = ground()
    file(office, 8, ground=own, text='=HYPERLINK("پیوند","پرونده")')
    export = start(office, office.head, "xlsx", ground=[own])
    assert ended(office, office.head, export["export_id"])["state"] == "done"
    worksheet = load_workbook(io.BytesIO(content(office, office.head, export["export_id"]))).worksheets[0]
    table = list(worksheet.iter_rows())
    assert [row[0].value for row in table[1:]] == office.numbers(office.head, ground=own)
    assert {(row[-1].value, row[-1].data_type) for row in table[1:]} == {('=HYPERLINK("پیوند","پرونده")', "s")}
    [line] = {row["Text"] for row in made(office, office.head, ground=[own])}
    assert line == '\'=HYPERLINK("پیوند","پرونده")'


def test_codes_mobiles_and_national_ids_are_masked(office: Office) -> None:
    own = ground()
    file(office, 1, ground=own, text="کد ۴۸۲۱ ۰۹۳۷ ۵۵۱۸ ۲۶۰۴ و شماره ۰۹۱۲۱۲۳۴۵۶۷ و کد ملی 0012345679، پلاک ۱۲۳")
    [row] = made(office, office.head, ground=[own])
    assert row["Text"] == "کد [masked] و شماره [masked] و کد ملی [masked]، پلاک ۱۲۳"


@pytest.mark.parametrize("unit", [UNIT, "dep.urb.permits.desk"])
def test_it_contains_nothing_about_the_readers_own_unit(office: Office, unit: str) -> None:
    own = ground()
    file(office, 2, ground=own)
    file(office, 3, ground=own, unit="dep.civ")
    assert len(made(office, office.head, ground=[own])) == 5
    assert {row["Unit code"] for row in made(office, actor(Role.HEAD, unit), ground=[own])} == {"dep.civ"}


def test_an_inspector_exports_the_cases_assigned_to_them(office: Office) -> None:
    own = ground()
    file(office, 2, ground=own)
    mine = office.investigated(ground=own)
    lines = made(office, office.inspector, ground=[own])
    assert [row["Number"] for row in lines] == [office.get(mine.case_id)["number"]]
    assert lines[0]["Inspector's id"] == office.inspector.id


@pytest.mark.parametrize("role", [Role.LIAISON, Role.ADMINISTRATOR, Role.CUSTODIAN, Role.OPERATOR], ids=str)
def test_roles_without_a_case_list_get_no_export(office: Office, role: Role) -> None:
    with pytest.raises(NotAllowed):
        start(office, actor(role))
    with pytest.raises(NotAllowed):
        office.ask("list_exports", ListExports(actor=actor(role)))


def test_an_analyst_gets_it_without_texts_and_handlers(office: Office) -> None:
    own = ground()
    office.investigated(ground=own, text="یوزپلنگستان در پروانه ما نیست")
    analyst = actor(Role.ANALYST)
    [row] = made(office, analyst, ground=[own])
    [whole] = made(office, office.head, ground=[own])
    assert whole["Text"].startswith("یوزپلنگستان")
    assert whole["Inspector's id"] == office.inspector.id
    assert row == {**whole, "Text": "", "Inspector's id": "", "Inspector": ""}
    for hidden in ({"text": "یوزپلنگستان"}, {"handler": [office.inspector.id]}):
        with pytest.raises(NotAllowed):
            start(office, analyst, ground=[own], **hidden)


def test_a_reader_who_becomes_an_analyst_cannot_read_earlier_files(office: Office) -> None:
    own, me = ground(), actor(Role.HEAD)
    office.investigated(ground=own)
    export = start(office, me, ground=[own])
    ended(office, me, export["export_id"])
    analyst = me.model_copy(update={"roles": frozenset({Role.ANALYST})})
    with pytest.raises(Gone):
        office.ask("read_export", ReadExport(actor=analyst, export_id=export["export_id"]))
    [masked] = made(office, analyst, ground=[own])
    assert masked["Text"] == ""


def test_only_its_owner_reads_it(office: Office) -> None:
    export_id = start(office, office.head, ground=[ground()])["export_id"]
    ended(office, office.head, export_id)
    other = actor(Role.HEAD)
    for request, method in (
        (GetExport(actor=other, export_id=export_id), "get_export"),
        (ReadExport(actor=other, export_id=export_id), "read_export"),
        (DropExport(actor=other, export_id=export_id), "drop_export"),
    ):
        with pytest.raises(NotFound):
            office.ask(method, request)
    assert office.ask("list_exports", ListExports(actor=other))["items"] == []
    assert export_id in [
        item["export_id"] for item in office.ask("list_exports", ListExports(actor=office.head))["items"]
    ]
    office.ask("drop_export", DropExport(actor=office.head, export_id=export_id))
    assert office.value("SELECT count(*) FROM export_chunks WHERE export_id = %s", export_id) == 0


def test_bad_filters_and_repetitions(office: Office) -> None:
    with pytest.raises(InvalidField) as raised:
        start(office, office.head, number=["12-x"])
    assert raised.value.params["fields"] == [{"field": "filters.number", "reason": "not_a_case_number"}]
    own, key = ground(), uuid.uuid4().hex
    first = start(office, office.head, key=key, ground=[own])
    assert start(office, office.head, key=key, ground=[own])["export_id"] == first["export_id"]
    with pytest.raises(KeyReused):
        start(office, office.head, key=key, ground=[ground()])
    ended(office, office.head, first["export_id"])
    office.ask("drop_export", DropExport(actor=office.head, export_id=first["export_id"]))


def test_too_many_rows_are_refused(office: Office) -> None:
    who = actor(Role.HEAD)
    own = ground()
    file(office, 401, ground=own)
    over = ended(office, who, start(office, who, ground=[own])["export_id"])
    assert (over["state"], over["error"], over["rows_total"]) == ("failed", "too_many_rows", 401)


class Holding:
    """All exports at a standstill: whoever would take one waits for this transaction, and passes the row over."""

    def __init__(self, office: Office, tracking_environment: dict[str, str]) -> None:
        self._office, self._url = office, tracking_environment["DATABASE_URL"].replace("+psycopg", "")

    def __enter__(self) -> None:
        self._connection = psycopg.connect(self._url)
        # Readers go on; whoever would write waits.
        self._connection.execute("LOCK TABLE export_chunks IN SHARE ROW EXCLUSIVE MODE")

    def __exit__(self, *_: Any) -> None:
        self._connection.rollback()
        self._connection.close()


def test_open_exports_are_limited_and_none_is_readable_before_it_is_done(
    office: Office, tracking_environment: dict[str, str]
) -> None:
    who, own = actor(Role.HEAD), ground()
    file(office, 1, ground=own)
    with Holding(office, tracking_environment):
        opened = [start(office, who, ground=[own])["export_id"] for _ in range(2)]
        with pytest.raises(TooManyExports) as raised:
            start(office, who, ground=[own])
        assert raised.value.params == {"limit": 2}
        with pytest.raises(ExportNotDone):
            office.ask("read_export", ReadExport(actor=who, export_id=opened[0]))
    for export_id in opened:
        assert ended(office, who, export_id)["state"] == "done"
    assert start(office, who, ground=[own])


def test_a_reader_who_loses_permission_meanwhile_gets_nothing(
    office: Office, tracking_environment: dict[str, str]
) -> None:
    leaver, mover, own = actor(Role.HEAD), actor(Role.SCREENER), ground()
    file(office, 2, ground=own)
    file(office, 1, ground=own, unit="dep.civ")
    for who in (leaver, mover):
        office.broker_client.publish_event(staff(who))
    eventually(lambda: office.value("SELECT count(*) FROM staff WHERE staff_id IN (%s, %s)", leaver.id, mover.id) == 2)
    with Holding(office, tracking_environment):
        left, moved = (start(office, who, ground=[own])["export_id"] for who in (leaver, mover))
        office.broker_client.publish_event(staff(leaver, version=2, active=False))
        office.broker_client.publish_event(staff(mover, version=2, unit=UNIT))
        both = "SELECT count(*) FROM staff WHERE version = 2 AND staff_id IN (%s, %s)"
        eventually(lambda: office.value(both, leaver.id, mover.id) == 2)
    over = ended(office, mover, moved)
    assert {row["Unit code"] for row in rows(office, mover, moved)} == {"dep.civ"}
    assert over["rows_total"] == 1
    eventually(lambda: office.value("SELECT state FROM exports WHERE export_id = %s", left) == "failed", timeout=60)
    assert office.value("SELECT error FROM exports WHERE export_id = %s", left) == "not_allowed"


def test_a_file_made_with_wider_permissions_is_no_longer_served(office: Office) -> None:
    who, own = actor(Role.HEAD), ground()
    file(office, 1, ground=own)
    export_id = start(office, who, ground=[own])["export_id"]
    assert ended(office, who, export_id)["state"] == "done"
    assert content(office, who, export_id)
    office.broker_client.publish_event(staff(who, unit=UNIT))
    eventually(lambda: office.rows("SELECT 1 FROM staff WHERE staff_id = %s", who.id))
    with pytest.raises(Gone):
        content(office, who, export_id)


def test_a_saved_search_narrows_it(office: Office) -> None:
    own = ground()
    file(office, 2, ground=own)
    file(office, 1, ground=own, unit="dep.civ")
    kept = office.ask(
        "keep_search",
        KeepSearch(actor=office.head, name="عمران", filters=Filter(unit=["dep.civ"]), idempotency_key=uuid.uuid4().hex),
    )
    request = StartExport(
        actor=office.head,
        filters=Filter(ground=[own]),
        search=kept["search_id"],
        format=ExportFormat.CSV,
        idempotency_key=uuid.uuid4().hex,
    )
    export_id = office.ask("start_export", request)["export_id"]
    assert ended(office, office.head, export_id)["rows_total"] == 1
    with pytest.raises(NotFound):
        office.ask(
            "start_export", request.model_copy(update={"search": uuid.uuid4(), "idempotency_key": "another-key"})
        )


def test_old_ones_are_purged(office: Office) -> None:
    who = actor(Role.HEAD)
    export_id = start(office, who, ground=[ground()])["export_id"]
    over = ended(office, who, export_id)
    assert over["expires_at"] > over["finished_at"]
    office.run(f"UPDATE exports SET expires_at = now() - interval '1 s' WHERE export_id = '{export_id}'")
    with pytest.raises(NotFound):
        eventually(lambda: state(office, who, export_id) is None, timeout=90)


@pytest.fixture
def slow_pages(office: Office) -> Iterator[None]:
    """A database that takes its time over each page, so that there is a midst to kill in."""
    office.run(
        """
        CREATE FUNCTION take_time() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(0.2); RETURN NEW; END $$;
        CREATE TRIGGER slow BEFORE INSERT ON export_chunks FOR EACH ROW EXECUTE FUNCTION take_time()
        """
    )
    yield
    office.run("DROP FUNCTION take_time() CASCADE")


@pytest.mark.usefixtures("slow_pages")
def test_two_replicas_make_each_file_once_and_complete_despite_kills(
    office: Office, tracking: ServiceProcess, broker: RabbitMQ, tracking_environment: dict[str, str], tmp_path: Path
) -> None:
    own = ground()
    file(office, 150, ground=own)
    expected = office.numbers(office.head, ground=own)
    people = [actor(Role.HEAD) for _ in range(2)]
    other = ServiceProcess("tracking", tracking_environment, tmp_path / "other.log").start()
    try:
        with open_broker_client(broker.url) as line:  # the test's own has been silent while a replica started
            before = Office(line, tracking_environment["DATABASE_URL"])
            requested = [
                (who, format_, start(before, who, format_, ground=[own])["export_id"])
                for who in people
                for format_ in ("csv", "xlsx")
            ]
        midst = "SELECT count(*) FROM exports WHERE state = 'running' AND rows_done BETWEEN 1 AND 149"
        eventually(lambda: office.value(midst), timeout=60)
        other.kill()
        tracking.kill()
        other.start()
        with open_broker_client(broker.url) as line:
            after = Office(line, tracking_environment["DATABASE_URL"])
            for who, format_, export_id in requested:
                over = ended(after, who, export_id)
                assert (over["state"], over["rows_done"], over["rows_total"]) == ("done", 150, 150), over
                if format_ == "csv":
                    assert [row["Number"] for row in rows(after, who, export_id)] == expected
                else:
                    book = load_workbook(io.BytesIO(content(after, who, export_id)), read_only=True)
                    lines = book.worksheets[0].iter_rows(min_row=2, values_only=True)
                    assert [line[0] for line in lines] == expected
        assert office.value("SELECT count(*) FROM export_chunks WHERE part = 'rows'") == 0
    finally:
        other.stop()
        tracking.start()


def test_a_cancelled_export_is_not_continued(office: Office, tracking_environment: dict[str, str]) -> None:
    who, own = actor(Role.HEAD), ground()
    file(office, 20, ground=own)
    with Holding(office, tracking_environment):
        export_id = start(office, who, ground=[own])["export_id"]
        eventually(lambda: office.value("SELECT state FROM exports WHERE export_id = %s", export_id) == "running")
    office.ask("drop_export", DropExport(actor=who, export_id=export_id))
    with pytest.raises(NotFound):
        state(office, who, export_id)
    assert len(made(office, who, ground=[own])) == 20  # whoever was at it is free for others
    assert office.value("SELECT count(*) FROM export_chunks WHERE export_id = %s", export_id) == 0
