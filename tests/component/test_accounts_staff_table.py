"""A table of the staff: what it does not say is kept, what is to be empty is said, and an exported one changes nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backbone.storage.database import Database
from backbone.tables.reading import Refused
from backbone.tables.writing import BOM, csv_line
from deploy.local.parts import PostgreSQL, RabbitMQ
from services.accounts import importing
from services.accounts.staff.staff_accounts import StaffAccounts
from tests.support.accounts import run
from tests.support.processes import prepared

pytestmark = pytest.mark.timeout(180)
UNITS = ("mq", "dep.urb", "dep.civ")


class StaffTables:
    """The accounts of an office, and its tables."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self._accounts = StaffAccounts(bytes.fromhex(environment["STAFF_SECRET_KEY"]))
        self._database = Database(environment["DATABASE_URL"], pool_size=1)
        self._path = folder / "staff.csv"

    def take(self, content: str | bytes) -> importing.Imported:
        self._path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with self._database.transaction() as connection:
            return importing.import_table(connection, self._accounts, self._path, UNITS)

    def refused(self, content: str) -> list[tuple[int | None, str | None, str]]:
        before = self.exported()
        with pytest.raises(Refused) as refused:
            self.take(content)
        assert self.exported() == before
        return [(mistake.row, mistake.column, mistake.field["reason"]) for mistake in refused.value.mistakes]

    def exported(self) -> list[list[str]]:
        with self._database.read() as connection:
            return list(importing.export_table(connection))

    def account(self, username: str) -> dict[str, Any]:
        heading, *rows = self.exported()
        return next(dict(zip(heading, row, strict=True)) for row in rows if row[0] == username)

    def close(self) -> None:
        self._database.close()


@pytest.fixture(scope="module")
def environment(broker: RabbitMQ, postgres: PostgreSQL) -> dict[str, str]:
    made = prepared("accounts", broker.url, postgres.url, "staff_table")
    done = run("staff_cli", made, "add", "admin-1", "--name", "راهبر", "--role", "administrator")
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture
def tables(environment: dict[str, str], tmp_path: Path) -> Iterator[StaffTables]:
    made = StaffTables(environment, tmp_path)
    made.take(
        "username,display_name,roles,unit,active\n"
        "closed,بایگان,screener|operator,dep.urb,0\n"
        "liaison,رابط,liaison,dep.civ,1\n"
        "open,بازرس,inspector,dep.urb,1\n"
    )
    yield made
    made.close()


def test_an_absent_column_keeps_what_is_there(tables: StaffTables) -> None:
    tables.take("username,display_name,roles\nclosed,بایگان تازه,screener\nopen,بازرس,inspector\n")
    assert tables.account("closed") == {
        "username": "closed",
        "display_name": "بایگان تازه",
        "roles": "screener",
        "unit": "dep.urb",
        "active": "0",
    }
    assert tables.account("open")["unit"] == "dep.urb"


def test_a_table_may_say_one_thing_alone(tables: StaffTables) -> None:
    before = tables.account("open")
    tables.take("username;unit\nopen;dep.civ\nclosed;\n")
    assert tables.account("open") == {**before, "unit": "dep.civ"}
    assert tables.account("closed")["unit"] == "dep.urb"


def test_an_empty_cell_keeps_and_a_dash_empties(tables: StaffTables) -> None:
    before = tables.account("closed")
    assert tables.take("username,display_name,roles,unit,active\nclosed,,,,\n").unchanged == 1
    assert tables.account("closed") == before
    for word in ("-", "خالی"):
        tables.take(f"username,unit\nclosed,{word}\n")
        assert tables.account("closed") == {**before, "unit": "خالی"}
        tables.take("username,unit\nclosed,dep.urb\n")


def test_a_row_with_a_mistake_is_named_and_nothing_changes(tables: StaffTables) -> None:
    assert tables.refused("Username,UNIT\nopen,dep.civ\nliaison,-\nopen,nowhere\nnewcomer,mq\n") == [
        (3, "UNIT", "missing"),
        (4, "UNIT", "unknown_unit"),
        (4, "Username", "twice"),
        (5, "display_name", "missing"),
        (5, "roles", "missing"),
    ]
    assert tables.refused("username,display_name,roles\nopen,-,-\n") == [
        (2, "display_name", "missing"),
        (2, "roles", "missing"),
    ]
    assert tables.refused("username,active\nopen,خالی\n") == [(2, "active", "bool_parsing")]


def test_what_is_exported_is_imported_unchanged(tables: StaffTables) -> None:
    tables.take('username,display_name,roles\nopen,"=1+1; -2",inspector\n')
    assert tables.account("open")["display_name"] == "=1+1; -2"
    rows = tables.exported()
    content = BOM + b"".join(map(csv_line, rows))
    done = tables.take(content)
    assert (done.new, done.changed, done.unchanged) == ({}, 0, len(rows) - 1)
    assert tables.exported() == rows
    shown = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert ["open", "'=1+1; '-2", "inspector", "dep.urb", "1"] in shown
