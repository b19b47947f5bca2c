"""Staff accounts from the command line, such as the first administrator: `python -m services.accounts.staff_cli --help`.

Needs DATABASE_URL (or DATABASE_URL_ACCOUNTS) and STAFF_SECRET_KEY. A new password and the address for an authenticator
app are printed once, for whoever hands them over; they cannot be read again.
"""

from __future__ import annotations

import argparse
import sys
from uuid import uuid4

from backbone.storage.database import Database
from backbone.storage.migrate import url_of
from contracts.vocabulary import Role
from services.accounts.changes import server_commands
from services.accounts.changes.rules import renews_credentials
from services.accounts.settings import staff_key
from services.accounts.staff import store
from services.accounts.staff.credentials import fresh_credentials, totp_address
from services.accounts.staff.rules import Member, username_form
from services.accounts.staff.staff_accounts import StaffAccounts, member_of

TWO_NEEDED = (
    "this takes two administrators, one asking and one confirming, in the system itself (docs/runbook.md). Only an "
    "administrator can be made or mended here, and only while there are fewer than two others."
)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m services.accounts.staff_cli", description="Staff accounts.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, description in (
        ("add", "a new account"),
        ("change", "its name, roles or unit; what is not given stays"),
        ("close", "it may sign in no more"),
        ("reopen", "it may sign in again"),
        ("reset", "a new password and TOTP secret"),
    ):
        command = verbs.add_parser(verb, help=description)
        command.add_argument("username")
        if verb in {"add", "change"}:
            command.add_argument("--name", required=verb == "add", help="the name others see: a role or a workplace")
            command.add_argument(
                "--role",
                type=Role,
                action="append",
                required=verb == "add",
                help=f"may be given more than once: {', '.join(Role)}",
            )
            command.add_argument("--unit", help="code of the unit they belong to")
    return parser


def _wanted(options: argparse.Namespace, before: Member | None) -> Member:
    """The account as it is to be; what is not given stays."""
    if before is None:
        return Member(options.name, tuple(options.role), options.unit)
    given = options if options.verb == "change" else argparse.Namespace(name=None, role=None, unit=None)
    return Member(
        given.name or before.display_name,
        tuple(given.role or before.roles),
        given.unit or before.unit,
        active={"close": False, "reopen": True}.get(options.verb, before.active),
    )


def main(arguments: list[str]) -> None:
    options = _parser().parse_args(arguments)
    accounts, database = StaffAccounts(staff_key()), Database(url_of("accounts"), pool_size=1)
    credentials = fresh_credentials()
    username = username_form(options.username)
    with database.transaction() as connection:
        row = store.lock_by_username(connection, username)
        if (row is None) != (options.verb == "add"):
            sys.exit(f"accounts: {'there is no' if row is None else 'there is already a'} {options.username}")
        before = member_of(row) if row is not None else None
        member, reset = _wanted(options, before), options.verb == "reset"
        if not server_commands.is_allowed(connection, row, member, reset):
            sys.exit(f"accounts: {options.verb} {options.username}: {TWO_NEEDED}")
        staff_id = row.staff_id if row is not None else uuid4()
        renewed = reset or (row is not None and renews_credentials(before, member))
        if row is None:
            accounts.add(connection, staff_id, username, member, credentials.hashed())
        elif not reset:
            accounts.change(connection, username, member)
        if renewed:
            accounts.reset_credentials(connection, username, credentials.hashed())
        server_commands.record(connection, f"{options.verb}_staff_on_server", staff_id, username, before, member, reset)
    print(f"accounts: {options.verb} {options.username}: done")
    if renewed or options.verb == "add":
        address = totp_address(username, credentials.totp_secret)
        print(f"  password       {credentials.password}\n  authenticator  {address}")


if __name__ == "__main__":
    main(sys.argv[1:])
