"""A table of the staff into the accounts: `python -m services.accounts.importing FILE [--dry-run]`.

Columns: username, display_name, roles (separated by |), unit, active. A row adds the account of its user name or changes it;
accounts that are not in the file stay. All rows are taken or none. A row that takes two administrators (a role that opens
identities or grants those, or more for an account that has one) is refused: it is asked for in the system itself; only the
first two administrators may come from a table. Needs DATABASE_URL_ACCOUNTS and STAFF_SECRET_KEY. The
credentials of new accounts are printed once, for whoever hands them over; they cannot be read again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection

from backbone.storage.database import Database
from backbone.storage.migrate import url_of
from backbone.tables import reading as tables
from backbone.tables.reading import Mistake, Refused, Row, yes_or_no
from contracts.vocabulary import Role
from services.accounts.changes import server_commands
from services.accounts.changes.rules import renews_credentials
from services.accounts.settings import staff_key
from services.accounts.staff import store
from services.accounts.staff.credentials import Credentials, fresh_credentials, totp_address
from services.accounts.staff.rules import Member, username_form, wrong_with_member, wrong_with_username
from services.accounts.staff.staff_accounts import StaffAccounts, member_of

COMMAND = "import staff"


@dataclass(frozen=True)
class Imported:
    """What a table has changed. `new`, `renewed`: credentials by user name; renewed are accounts that were made administrators,
    with new credentials."""

    new: dict[str, Credentials]
    changed: int
    unchanged: int
    renewed: dict[str, Credentials]


def import_table(
    connection: Connection, accounts: StaffAccounts, path: Path, units: Collection[str] | None
) -> Imported:
    """The whole table, in the caller's transaction. Refused, row by row, when anything is wrong.

    `units`: the codes there are; None: not known here, any is taken.
    """
    rows = tables.read(path, ("username", "display_name", "roles"), ("unit", "active"))
    members: dict[str, Member] = {}
    numbers: dict[str, int] = {}
    wrong = []
    for table_row in rows:
        username, member, mistakes = _read(table_row, units)
        if username in members:
            mistakes.append(Mistake(table_row.number, "username", {"reason": "twice"}))
        wrong += mistakes
        members[username], numbers[username] = member, table_row.number
    if wrong:
        raise Refused(wrong)
    new: dict[str, Credentials] = {}
    renewed: dict[str, Credentials] = {}
    changed = 0
    for username, member in sorted(members.items()):
        row = store.lock_by_username(connection, username)
        before = member_of(row) if row is not None else None
        if member == before:
            continue
        if not server_commands.is_allowed(connection, row, member):
            wrong.append(Mistake(numbers[username], "roles", {"reason": "two_administrators"}))
            continue
        credentials = fresh_credentials()
        staff_id = row.staff_id if row is not None else uuid4()
        if row is None:
            accounts.add(connection, staff_id, username, member, credentials.hashed(), by=COMMAND)
            new[username] = credentials
        else:
            accounts.change(connection, username, member, by=COMMAND)
            changed += 1
            if renews_credentials(before, member):
                accounts.reset_credentials(connection, username, credentials.hashed(), by=COMMAND)
                renewed[username] = credentials
        server_commands.record(connection, "import_staff", staff_id, username, before, member)
    if wrong:
        raise Refused(wrong)
    if not any(row.active for row in store.with_role(connection, Role.ADMINISTRATOR)):
        raise Refused([Mistake(None, None, {"reason": "no_administrator"})])
    return Imported(new, changed, len(rows) - len(new) - changed, renewed)


def _read(row: Row, units: Collection[str] | None) -> tuple[str, Member, list[Mistake]]:
    username = username_form(row.values["username"])
    fields: list[dict[str, str]] = []
    if (reason := wrong_with_username(username)) is not None:
        fields.append({"field": "username", "reason": reason})
    named = [part.strip() for part in row.values["roles"].split("|") if part.strip()]
    roles = tuple(Role(name) for name in named if name in set(Role))
    if len(roles) != len(named):
        fields.append({"field": "roles", "reason": "enum"})
    unit = row.values.get("unit") or None
    if unit is not None and units is not None and unit not in units:
        fields.append({"field": "unit", "reason": "unknown_unit"})
    active = yes_or_no(row.values.get("active") or "1")
    if not isinstance(active, bool):
        fields.append({"field": "active", "reason": "bool_parsing"})
    fields += wrong_with_member(row.values["display_name"], roles, unit) if len(roles) == len(named) else []
    mistakes = [Mistake(row.number, field.pop("field"), field) for field in fields]
    return username, Member(row.values["display_name"], roles, unit, active is True), mistakes


class _DryRun(Exception):
    """Ends the transaction without its effect."""


def main(arguments: Sequence[str], units: Collection[str] | None = None) -> int:
    """0; 1 when the table was refused."""
    parser = argparse.ArgumentParser(prog="peygir import staff", description="A table of the staff into the accounts.")
    parser.add_argument("file", type=Path, help="CSV (UTF-8) or XLSX; the first row names the columns")
    parser.add_argument("--dry-run", action="store_true", help="only report what is wrong, and what would change")
    options = parser.parse_args(arguments)
    accounts, database = StaffAccounts(staff_key()), Database(url_of("accounts"), pool_size=1)
    try:
        with database.transaction() as connection:
            imported = import_table(connection, accounts, options.file, units)
            if options.dry_run:
                raise _DryRun
    except Refused as refused:
        refused.print_mistakes()
        return 1
    except _DryRun:
        print("dry run: nothing was changed")
    new, changed, unchanged = len(imported.new), imported.changed, imported.unchanged
    print(f"accounts: staff: {new} new, {changed} changed, {unchanged} as before")
    for username, credentials in ({} if options.dry_run else imported.new | imported.renewed).items():
        address = totp_address(username, credentials.totp_secret)
        print(f"{username}\n  password       {credentials.password}\n  authenticator  {address}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
