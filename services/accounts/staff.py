"""Staff accounts from the command line, such as the first administrator: `python -m services.accounts.staff --help`.

Needs DATABASE_URL (or DATABASE_URL_ACCOUNTS) and STAFF_SECRET_KEY. A new password and the address for an authenticator
app are printed once, for whoever hands them over; they cannot be read again.
"""

from __future__ import annotations

import argparse
import sys
from uuid import uuid4

import pyotp

from backbone.database import Database
from backbone.migrate import url_of
from contracts.vocabulary import Role
from services.accounts import roster, store
from services.accounts.credentials import fresh_password, fresh_totp_secret
from services.accounts.domain import username_form
from services.accounts.roster import Member
from services.accounts.settings import staff_key


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


def main(arguments: list[str]) -> None:
    options = _parser().parse_args(arguments)
    key, database = staff_key(), Database(url_of("accounts"), pool_size=1)
    password, secret = fresh_password(), fresh_totp_secret()
    with database.transaction() as connection:
        row = store.lock_staff(connection, username_form(options.username))
        if (row is None) != (options.verb == "add"):
            sys.exit(f"accounts: {'there is no' if row is None else 'there is already a'} {options.username}")
        if row is None:
            member = Member(options.name, tuple(options.role), options.unit)
            roster.add(connection, key, uuid4(), options.username, member, password, secret)
        elif options.verb == "reset":
            roster.reset_credentials(connection, key, options.username, password, secret)
        else:
            given = options.verb == "change"
            member = Member(
                (given and options.name) or row.display_name,
                tuple((given and options.role) or (Role(role) for role in row.roles)),
                (given and options.unit) or row.unit,
                active={"close": False, "reopen": True}.get(options.verb, row.active),
            )
            roster.change(connection, options.username, member)
    print(f"accounts: {options.verb} {options.username}: done")
    if options.verb in {"add", "reset"}:
        address = pyotp.TOTP(secret).provisioning_uri(name=username_form(options.username), issuer_name="Peygir")
        print(f"  password       {password}\n  authenticator  {address}")


if __name__ == "__main__":
    main(sys.argv[1:])
