"""Which changes of staff accounts take two administrators (DOMAIN: The people)."""

from __future__ import annotations

from contracts.vocabulary import TWO_ADMINISTRATOR_ROLES, Role
from services.accounts.staff.rules import Member


def sensitive_roles(member: Member | None) -> frozenset[Role]:
    """Those of the account's roles, in force or not, that take two administrators."""
    return TWO_ADMINISTRATOR_ROLES & frozenset(member.roles) if member is not None else frozenset()


def sensitive_roles_in_force(member: Member | None) -> frozenset[Role]:
    """The same, none for a closed account."""
    return sensitive_roles(member) if member is not None and member.active else frozenset()


def needs_two_administrators(before: Member | None, after: Member) -> bool:
    """Whether a new account (`before` None) or a change grants a sensitive role, reopening a closed account included, or extends
    what an account with one may do: by another role, or by another unit, which decides whose cases it sees."""
    had = sensitive_roles_in_force(before) if after.active else sensitive_roles(before)
    if sensitive_roles(after) - had:
        return True
    if before is None or not sensitive_roles_in_force(after):
        return False
    return bool(set(after.roles) - set(before.roles)) or after.unit != before.unit


def renews_credentials(before: Member | None, after: Member) -> bool:
    """Whether an account without a sensitive role comes to have one. Whoever made the account, or reset it, alone, may know how
    to sign in with it."""
    return bool(sensitive_roles_in_force(after)) and not sensitive_roles_in_force(before)


def may_be_done_on_the_server(before: Member | None, after: Member, other_administrators: int) -> bool:
    """Whether a command on the server may do, alone, what takes two administrators: only make or repair an administrator, and
    only while there are fewer than two others who could. `after` equal to `before`: new credentials."""
    return sensitive_roles(after) | sensitive_roles(before) <= {Role.ADMINISTRATOR} and other_administrators < 2
