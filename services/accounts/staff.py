"""Staff accounts from the command line, such as the first administrator: `python -m services.accounts.staff --help`.

Needs DATABASE_URL (or DATABASE_URL_ACCOUNTS) and STAFF_SECRET_KEY. A new password and the address for an authenticator
app are printed once, for whoever hands them over; they cannot be read again.
"""

from __future__ import annotations

import argparse
import sys
from uuid import uuid4

import pyotp

from backbone.storage.database import Database
from backbone.storage.migrate import url_of
from contracts.vocabulary import Role
from services.accounts import roster, server_side, store
from services.accounts.credentials import fresh_password, fresh_totp_secret
from services.accounts.domain import Member, renews_credentials, username_form
from services.accounts.settings import staff_key

TWO_NEEDED = (
    "this takes two administrators, one asking and one confirming, in the system itself (docs/runbook.md). Only an "
    "administrator can be made or mended here, and only while there are fewer than two others."
)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m services.accounts.staff", description="Staff accounts.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, tells in (
        ("add", "a new account"),
        ("change", "its name, roles or unit; what is not given stays"),
        ("close", "it may sign in no more"),
        ("reopen", "it may sign in again"),
        ("reset", "a new password and TOTP secret"),
    ):
        one = verbs.add_parser(verb, help=tells)
        one.add_argument("username")
        if verb in {"add", "change"}:
            one.add_argument("--name", required=verb == "add", help="the name others see: a role or a desk")
            one.add_argument(
                "--role",
                type=Role,
                action="append",
                required=verb == "add",
                help=f"may be given more than once: {', '.join(Role)}",
            )
            one.add_argument("--unit", help="code of the unit they belong to")
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
    key, database = staff_key(), Database(url_of("accounts"), pool_size=1)
    password, secret = fresh_password(), fresh_totp_secret()
    username = username_form(options.username)
    with database.transaction() as connection:
        row = store.lock_staff(connection, username)
        if (row is None) != (options.verb == "add"):
            sys.exit(f"accounts: {'there is no' if row is None else 'there is already a'} {options.username}")
        before = roster.member_of(row) if row is not None else None
        member, reset = _wanted(options, before), options.verb == "reset"
        if not server_side.is_allowed(connection, row, member, reset):
            sys.exit(f"accounts: {options.verb} {options.username}: {TWO_NEEDED}")
        staff_id = row.staff_id if row is not None else uuid4()
        if row is None:
            roster.add(connection, key, staff_id, username, member, password, secret)
        elif reset:
            roster.reset_credentials(connection, key, username, password, secret)
        else:
            roster.change(connection, username, member)
        renewed = not reset and row is not None and renews_credentials(before, member)
        if renewed:
            roster.reset_credentials(connection, key, username, password, secret)
        server_side.note(connection, f"{options.verb}_staff_on_server", staff_id, username, before, member, reset)
    print(f"accounts: {options.verb} {options.username}: done")
    if renewed or options.verb in {"add", "reset"}:
        address = pyotp.TOTP(secret).provisioning_uri(name=username_form(options.username), issuer_name="Peygir")
        print(f"  password       {password}\n  authenticator  {address}")


if __name__ == "__main__":
    main(sys.argv[1:])
