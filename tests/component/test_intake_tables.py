"""Tables of the office in intake: what a row does not say is kept, and what is exported is imported unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from backbone.storage.database import Database
from backbone.tables.writing import BOM, csv_line
from contracts.intake import Catalogue
from deploy.local.parts import PostgreSQL, RabbitMQ
from services.intake.catalogue import importing, store
from tests.support.intake import Office

pytestmark = pytest.mark.timeout(240)


class Tables:
    """The catalogue of an office, and tables for it."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database, self.folder = database, folder

    def take(self, what: str, content: str | bytes | Path) -> importing.Counts:
        path = content if isinstance(content, Path) else self.folder / "table.csv"
        if not isinstance(content, Path):
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with self._database.transaction() as connection:
            return importing.import_table(connection, what, path)

    def catalogue(self) -> Catalogue:
        with self._database.read() as connection:
            return store.catalogue(connection)

    def exported(self, what: str) -> bytes:
        with self._database.read() as connection:
            return BOM + b"".join(map(csv_line, importing.export_table(connection, what)))

    def item(self, part: str, code: str) -> dict[str, Any]:
        items = getattr(self.catalogue(), part)
        item: dict[str, Any] = next(item for item in items if item.code == code).model_dump(mode="json")
        return item

    def deadlines(self) -> set[tuple[Any, ...]]:
        return {(rule.kind, rule.ground, rule.urgent, rule.step, rule.days) for rule in self.catalogue().deadlines}


@pytest.fixture(scope="module")
def office(broker: RabbitMQ, postgres: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with Office.running(broker, postgres, tmp_path_factory.mktemp("intake"), "intake_tables") as office:
        yield office


@pytest.fixture
def tables(office: Office, tmp_path: Path) -> Iterator[Tables]:
    database = Database(office.environment["DATABASE_URL"], pool_size=1)
    yield Tables(database, tmp_path)
    database.close()


def test_an_absent_column_and_an_empty_cell_keep_what_is_there_and_a_dash_empties(tables: Tables) -> None:
    tables.take(
        "refusal-reasons",
        "code,name_fa,name_en,address_fa,address_en,active\nno_stamp,بی‌مهر,No stamp,سامانه ۱۱۱,Line 111,0\n",
    )
    before = tables.item("refusal_reasons", "no_stamp")
    tables.take("refusal-reasons", "code,name_fa\nno_stamp,بدون مهر\n")
    assert tables.item("refusal_reasons", "no_stamp") == {**before, "name_fa": "بدون مهر"}
    tables.take("refusal-reasons", "code,name_fa,name_en,address_fa,address_en,active\nno_stamp,,,,خالی,\n")
    assert tables.item("refusal_reasons", "no_stamp") == {**before, "name_fa": "بدون مهر", "address_en": ""}


def test_a_table_of_names_leaves_units_where_they_are_closed_as_they_are(tables: Tables) -> None:
    tables.take("units", "code,parent_code,level,name_fa,name_en,active\nt.closed,dep.urb,unit,الف,A,0\n")
    tables.take("units", "code\tname_fa\tparent_code\r\nt.closed\tب\t\r\n".encode("utf-16"))
    unit = tables.item("units", "t.closed")
    assert (unit["name_fa"], unit["parent"], unit["active"]) == ("ب", "dep.urb", False)


def test_a_ground_keeps_its_questions_when_the_table_has_none(tables: Tables) -> None:
    before = tables.item("grounds", "conduct")
    assert before["questions"]
    tables.take("grounds", "code,name_en\nconduct,Conduct of staff\n")
    assert tables.item("grounds", "conduct") == {**before, "name_en": "Conduct of staff"}
    tables.take("grounds", "code,questions\nconduct,-\n")
    assert tables.item("grounds", "conduct")["questions"] == []


def test_a_merged_kind_is_that_of_all_its_rows(tables: Tables) -> None:
    book = Workbook()
    for cells in (
        ["kind", "step", "days"],
        ["complaint", "decision", 15],
        [None, "first_reading", 2],
        [None, "unit", 5],
        ["-", "objection", 10],
    ):
        book.active.append(cells)
    book.active.merge_cells("A2:A4")
    book.save(tables.folder / "deadlines.xlsx")
    tables.take("deadlines", tables.folder / "deadlines.xlsx")
    assert tables.deadlines() == {
        ("complaint", None, None, "decision", 15),
        ("complaint", None, None, "first_reading", 2),
        ("complaint", None, None, "unit", 5),
        (None, None, None, "objection", 10),
    }


def test_rules_that_the_columns_cannot_name_are_not_replaced(tables: Tables) -> None:
    tables.take(
        "deadlines",
        "kind,ground,urgent,step,days\ncomplaint,-,-,decision,15\ncomplaint,conduct,-,decision,7\n"
        "-,-,1,decision,1\n-,-,-,unit,5\n",
    )
    tables.take("deadlines", "kind,days\ncomplaint,20\ninformation,30\n")
    assert tables.deadlines() == {
        ("complaint", None, None, "decision", 20),
        ("information", None, None, "decision", 30),
        ("complaint", "conduct", None, "decision", 7),
        (None, None, True, "decision", 1),
        (None, None, None, "unit", 5),
    }
    tables.take("deadlines", "kind,ground,urgent,step,days\ncomplaint,-,-,decision,15\n")
    assert tables.deadlines() == {("complaint", None, None, "decision", 15)}


def test_a_rule_of_retention_keeps_the_months_that_the_table_does_not_say(tables: Tables) -> None:
    tables.take("retention", "kind,identity_months,evidence_months,text_months\ncomplaint,24,24,60\ncriticism,1,1,-\n")
    tables.take("retention", "kind,identity_months,evidence_months\ncomplaint,12,12\n")
    (rule,) = tables.catalogue().retention
    assert (rule.identity_months, rule.text_months) == (12, 60)
    tables.take("retention", "kind,identity_months,evidence_months,text_months\ncomplaint,12,12,-\n")
    (rule,) = tables.catalogue().retention
    assert rule.text_months is None


@pytest.mark.parametrize("what", importing.TABLES)
def test_what_is_exported_is_imported_unchanged(tables: Tables, what: str) -> None:
    tables.take("deadlines", "kind,ground,urgent,step,days\ncomplaint,conduct,-,decision,15\n-,-,1,decision,1\n")
    tables.take("retention", "kind,outcome,identity_months,evidence_months\ncomplaint,upheld,24,24\n")
    tables.take("answer-templates", 'code,text_fa,text_en\nsigns,"الف; =1+1\n- ب","=A; -1"\n')
    article = "access,قانون نمونه,Sample act,۲,متن ماده,-,2020-01-01,-\n"
    tables.take("articles", "code,title_fa,title_en,number,text_fa,text_en,valid_from,valid_until\n" + article)
    tables.take("outside-bodies", "code,name_fa,name_en,age_key\ncourt,مرجع نمونه,Sample body,-\n")
    before, content = tables.catalogue(), tables.exported(what)
    rows = content.count(b"\r\n") - 1
    done = tables.take(what, content)
    assert (done.new, done.changed, done.same, done.version) == (0, 0, rows, None)
    assert tables.catalogue() == before
