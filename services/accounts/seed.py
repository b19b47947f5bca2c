"""Demo staff, one for each role: `python -m services.accounts.seed [--credentials FILE]`. For the local run and the demo.

Needs DATABASE_URL (or DATABASE_URL_ACCOUNTS) and STAFF_SECRET_KEY. DEMO_STAFF_PASSWORD and DEMO_STAFF_TOTP_SECRET
(base32) give all of them one password and one TOTP secret; what is not given is derived for each from STAFF_SECRET_KEY,
so that every run gives the same without keeping it anywhere. With FILE the credentials go there, for its owner's eyes
only: JSON, user name → role, unit, password, totp_secret; otherwise they are printed.

The demo accounts with roles that open identities are made by this command alone, which the audit shows; none is where the
office has administrators of its own. Run again it changes nothing. An account whose password was changed since keeps it; its
credentials are then null.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import os
import sys
from pathlib import Path
from uuid import UUID, uuid5

from backbone import sealing
from backbone.storage import audit
from backbone.storage.database import Database
from backbone.storage.migrate import url_of
from contracts.vocabulary import Role
from services.accounts.changes.rules import sensitive_roles
from services.accounts.changes.use_cases import SYSTEM
from services.accounts.settings import staff_key
from services.accounts.staff import store
from services.accounts.staff.credentials import Credentials, password_fits
from services.accounts.staff.rules import Member
from services.accounts.staff.staff_accounts import StaffAccounts

NAMESPACE = UUID("6f1b1f6e-3c0a-5d0c-9a53-0b7e5d1c2f10")
"""A demo account's id is uuid5(NAMESPACE, user name): the same everywhere."""

OFFICE = "mayor.insp"
DEMO_STAFF: dict[str, Member] = {
    "operator": Member("کاربر پیشخوان", (Role.OPERATOR,), OFFICE),
    "screener": Member("کارشناس غربالگری", (Role.SCREENER,), OFFICE),
    "inspector": Member("بازرس یک", (Role.INSPECTOR,), OFFICE),
    "inspector2": Member("بازرس دو", (Role.INSPECTOR,), OFFICE),
    "head": Member("مدیر بازرسی", (Role.HEAD,), OFFICE),
    "liaison": Member("رابط اداره صدور پروانه", (Role.LIAISON,), "dep.urb.permits"),
    "custodian": Member("امین هویت", (Role.CUSTODIAN,), OFFICE),
    "analyst": Member("تحلیلگر", (Role.ANALYST,), OFFICE),
    "administrator": Member("راهبر سامانه", (Role.ADMINISTRATOR,), OFFICE),
    "auditor": Member("حسابرس", (Role.AUDITOR,), OFFICE),
    "administrator2": Member("راهبر دوم سامانه", (Role.ADMINISTRATOR,), OFFICE),
    "substitute": Member("جانشین بازرسی", (Role.SUBSTITUTE,), None),
    # Belongs to a unit that can be complained about, so must never see its cases (DOMAIN: The people).
    "screener.permits": Member("کارشناس غربالگری، اداره صدور پروانه", (Role.SCREENER,), "dep.urb.permits"),
}


SeededAccounts = dict[str, dict[str, str | None]]
"""User name → role, unit, password, totp_secret; the last two null where they were changed since."""


def staff_id(username: str) -> UUID:
    """The id of a demo account."""
    return uuid5(NAMESPACE, username)


def credentials_of(username: str, staff_key: bytes, password: str | None, totp_secret: str | None) -> Credentials:
    """What is given, else what is derived from the key: 100 bits of a password, 160 of a TOTP secret."""
    return Credentials(
        password or _derived(staff_key, f"demo password:{username}")[:20].lower(),
        totp_secret or _derived(staff_key, f"demo totp:{username}"),
    )


def seed(
    database: Database, staff_key: bytes, password: str | None = None, totp_secret: str | None = None
) -> SeededAccounts:
    """Adds the demo accounts that are not there."""
    accounts = StaffAccounts(staff_key)
    seeded: SeededAccounts = {}
    with database.read() as connection:
        administrators = [
            row for row in store.with_role(connection, Role.ADMINISTRATOR) if row.username not in DEMO_STAFF
        ]
    has_administrators = any(row.active for row in administrators)
    for username, member in DEMO_STAFF.items():
        credentials = credentials_of(username, staff_key, password, totp_secret)
        with database.transaction() as connection:
            row = store.by_username(connection, username)
            if row is None and has_administrators and sensitive_roles(member):
                continue  # they alone grant such roles
            is_current = row is None or (
                password_fits(row.password_hash, credentials.password)
                and _opened(row.locked_totp_secret, staff_key) == credentials.totp_secret
            )
            if row is None:
                accounts.add(connection, staff_id(username), username, member, credentials.hashed())
                audit.note(connection, SYSTEM, "seed_staff", [str(staff_id(username))])
        seeded[username] = {
            "role": member.roles[0].value,
            "unit": member.unit,
            "password": credentials.password if is_current else None,
            "totp_secret": credentials.totp_secret if is_current else None,
        }
    return seeded


def _opened(locked: str, staff_key: bytes) -> str | None:
    """None where it was encrypted under another key, and so cannot be compared."""
    try:
        return sealing.decrypt(locked, staff_key)
    except sealing.CannotOpen:
        return None


def write(seeded: SeededAccounts, file: Path) -> None:
    """Puts the credentials into `file`, mode 0600 from its first byte on, whole or not at all."""
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
        json.dump(seeded, stream, indent=2, ensure_ascii=False)
        stream.write("\n")
    fresh.replace(file)


def _derived(key: bytes, label: str) -> str:
    return base64.b32encode(hmac.new(key, label.encode(), hashlib.sha256).digest()[:20]).decode()


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m services.accounts.seed", description="Adds the demo staff.")
    parser.add_argument("--credentials", type=Path, metavar="FILE", help="write the credentials here, mode 0600")
    options = parser.parse_args(arguments)
    key = staff_key()
    totp_secret = os.environ.get("DEMO_STAFF_TOTP_SECRET") or None
    if totp_secret is not None:
        try:
            base64.b32decode(totp_secret, casefold=False)
        except ValueError:
            sys.exit("DEMO_STAFF_TOTP_SECRET is not base32 (A–Z and 2–7, padded with =)")
    database = Database(url_of("accounts"), pool_size=1)
    seeded = seed(database, key, os.environ.get("DEMO_STAFF_PASSWORD") or None, totp_secret)
    if left_out := DEMO_STAFF.keys() - seeded.keys():
        names = ", ".join(sorted(left_out))
        print(f"accounts: not made, since this office has administrators of its own, who grant such roles: {names}")
    if options.credentials is not None:
        write(seeded, options.credentials)
        print(f"accounts: {len(seeded)} demo staff; their passwords and TOTP secrets are in {options.credentials}")
        return
    print(f"accounts: {len(seeded)} demo staff")
    for username, account in seeded.items():
        secrets = f"{account['password']}  {account['totp_secret']}" if account["password"] else "changed since"
        print(f"  {username:<18} {account['role']:<14} {account['unit'] or '-':<16} {secrets}")


if __name__ == "__main__":
    main(sys.argv[1:])
