"""A table of the staff into the accounts: `python -m services.accounts.importing FILE [--dry-run]`.

Columns: username, display_name, roles (separated by |), unit, active. A row adds the account of its user name or changes it;
accounts that are not in the file stay, and of an account what its row does not say (no such column, or an empty cell): a
closed one stays closed. A dash or «خالی» takes the unit away. All rows are taken or none. A row that takes two administrators
(a role that opens identities or grants those, or more for an account that has one) is refused: it is asked for in the system
itself; only the first two administrators may come from a table. Needs DATABASE_URL_ACCOUNTS and STAFF_SECRET_KEY. The
credentials of new accounts are printed once, for whoever hands them over; they cannot be read again."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection

from backbone.storage.database import Database
from backbone.storage.migrate import url_of
from backbone.tables import importing
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
COLUMNS = ("username", "display_name", "roles", "unit", "active")


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
    rows = tables.read(path, COLUMNS[:1], COLUMNS[1:])
    by_username = {username_form(row.values["username"]): row for row in rows}
    accounts_before = {username: store.lock_by_username(connection, username) for username in sorted(by_username)}
    members: dict[str, Member] = {}
    wrong = []
    for table_row in rows:
        username = username_form(table_row.values["username"])
        before_row = accounts_before[username]
        member, mistakes = _read(table_row, username, member_of(before_row) if before_row is not None else None, units)
        if username in members:
            mistakes.append(table_row.mistake("username", "twice"))
        wrong += mistakes
        members[username] = member
    if wrong:
        raise Refused(wrong)
    new: dict[str, Credentials] = {}
    renewed: dict[str, Credentials] = {}
    changed = 0
    for username, member in sorted(members.items()):
        row = accounts_before[username]
        before = member_of(row) if row is not None else None
        if member == before:
            continue
        if not server_commands.is_allowed(connection, row, member):
            wrong.append(by_username[username].mistake("roles", "two_administrators"))
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


def _read(
    row: Row, username: str, before: Member | None, units: Collection[str] | None
) -> tuple[Member, list[Mistake]]:
    """The account as the row would have it: what it does not say is as it was, and in a new account as nobody has set it."""
    mistakes = []
    if (reason := wrong_with_username(username)) is not None:
        mistakes.append(row.mistake("username", reason))
    member = before or Member("", (), None)
    if (display_name := row.said("display_name")) is not None:
        member = replace(member, display_name=display_name)
    if (typed_roles := row.said("roles")) is not None:
        named = [part.strip() for part in typed_roles.split("|") if part.strip()]
        roles = tuple(Role(name) for name in named if name in set(Role))
        member = replace(member, roles=roles)
        if len(roles) != len(named):
            mistakes.append(row.mistake("roles", "enum"))
    if (unit := row.said("unit")) is not None:
        member = replace(member, unit=unit or None)
        if unit and units is not None and unit not in units:
            mistakes.append(row.mistake("unit", "unknown_unit"))
    if (typed_active := row.said("active")) is not None:
        active = yes_or_no(typed_active)
        member = replace(member, active=active is True)
        if not isinstance(active, bool):
            mistakes.append(row.mistake("active", "bool_parsing"))
    named_already = {mistake.column for mistake in mistakes}
    mistakes += [row.mistake(**field) for field in _wrong_with(member) if field["column"] not in named_already]
    return member, mistakes


def _wrong_with(member: Member) -> Iterator[dict[str, str]]:
    for field in wrong_with_member(member.display_name, member.roles, member.unit):
        yield {"column": field["field"], "reason": field["reason"]}


def export_table(connection: Connection) -> Iterator[list[str]]:
    """All accounts as rows of such a table, its columns first. No secret is in it."""
    yield list(COLUMNS)
    for row in store.with_role(connection, None):
        roles = "|".join(row.roles)
        yield [row.username, row.display_name, roles, row.unit or tables.EMPTYING[0], "1" if row.active else "0"]


def main(arguments: Sequence[str], units: Collection[str] | None = None) -> int:
    """0; 1 when the table was refused."""
    parser = argparse.ArgumentParser(prog="peygir import staff", description="A table of the staff into the accounts.")
    importing.add_arguments(parser)
    options = parser.parse_args(arguments)
    accounts, database = StaffAccounts(staff_key()), Database(url_of("accounts"), pool_size=1)
    if options.write:
        return importing.write_table(database, options.file, export_table)
    imported = importing.import_whole(database, options.dry_run, import_table, accounts, options.file, units)
    if imported is None:
        return 1
    new, changed, unchanged = len(imported.new), imported.changed, imported.unchanged
    print(f"accounts: staff: {new} new, {changed} changed, {unchanged} as before")
    for username, credentials in ({} if options.dry_run else imported.new | imported.renewed).items():
        address = totp_address(username, credentials.totp_secret)
        print(f"{username}\n  password       {credentials.password}\n  authenticator  {address}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
