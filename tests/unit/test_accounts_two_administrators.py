"""Which changes of an account take two administrators, whichever way they are put."""

from __future__ import annotations

from itertools import combinations, product

import pytest

from contracts.vocabulary import Role
from services.accounts.changes.rules import (
    may_be_done_on_the_server,
    needs_two_administrators,
    renews_credentials,
    sensitive_roles_in_force,
)
from services.accounts.staff.rules import Member

SENSITIVE = (Role.HEAD, Role.CUSTODIAN, Role.ADMINISTRATOR)


def member(*roles: Role, unit: str | None = "mayor.insp", active: bool = True) -> Member:
    return Member("میز", roles, unit, active)


@pytest.mark.parametrize("role", SENSITIVE)
@pytest.mark.parametrize(
    ("before", "after", "two"),
    [
        (None, {}, True),
        ({"roles": [Role.ANALYST]}, {}, True),
        ({"roles": [Role.ANALYST]}, {"also": Role.ANALYST}, True),
        ({"active": False}, {}, True),  # opened again
        ({"active": False}, {"active": False}, False),
        ({"roles": [Role.ANALYST], "active": False}, {"active": False}, True),  # granted while closed
        ({}, {"unit": "dep.urb"}, True),
        ({}, {"unit": None}, True),
        ({"unit": None}, {}, True),
        ({}, {"also": Role.INSPECTOR}, True),
        ({"also": Role.INSPECTOR}, {}, False),
        ({}, {}, False),
        ({}, {"active": False}, False),
        ({}, {"roles": [Role.ANALYST]}, False),
        ({}, {"roles": [Role.ANALYST], "unit": "dep.urb"}, False),
    ],
)
def test_granting_opening_and_extending_need_two_and_removing_needs_one(
    role: Role, before: dict[str, object] | None, after: dict[str, object], two: bool
) -> None:
    def made(about: dict[str, object]) -> Member:
        about = dict(about)
        roles = list(about.pop("roles", [role]))  # type: ignore[call-overload]
        also = about.pop("also", None)
        return member(*roles, *([also] if also else []), **about)  # type: ignore[arg-type]

    assert needs_two_administrators(None if before is None else made(before), made(after)) is two


def every_account() -> list[Member]:
    roles = [Role.ANALYST, Role.INSPECTOR, *SENSITIVE]
    some = [chosen for size in (1, 2) for chosen in combinations(roles, size)]
    return [
        member(*chosen, unit=unit, active=active)
        for chosen, unit, active in product(some, ("mayor.insp", "dep.urb"), (True, False))
    ]


def test_no_sequence_of_single_administrator_changes_leads_to_a_sensitive_role() -> None:
    """Whatever one administrator does alone, in any order, no account has a sensitive role that had none before."""
    accounts = every_account()
    reached = {account for account in accounts if not sensitive_roles_in_force(account)}
    steps = {
        before: [after for after in accounts if not needs_two_administrators(before, after)] for before in accounts
    }
    waiting = list(reached)
    while waiting:
        for after in steps[waiting.pop()]:
            if after not in reached:
                reached.add(after)
                waiting.append(after)
    assert not [account for account in reached if sensitive_roles_in_force(account)]


def test_anyone_who_gains_a_sensitive_role_gets_new_credentials() -> None:
    for before, after in product(every_account(), every_account()):
        if sensitive_roles_in_force(after) and not sensitive_roles_in_force(before):
            assert renews_credentials(before, after)
            assert needs_two_administrators(before, after)
        else:
            assert not renews_credentials(before, after)


@pytest.mark.parametrize("others", [0, 1, 2, 5])
def test_the_server_creates_and_repairs_only_administrators_and_the_first_two(others: int) -> None:
    for before, after in [(None, member(Role.ADMINISTRATOR)), (member(Role.ANALYST), member(Role.ADMINISTRATOR))]:
        assert may_be_done_on_the_server(before, after, others) is (others < 2)
    for roles in ([Role.HEAD], [Role.CUSTODIAN], [Role.ADMINISTRATOR, Role.HEAD]):
        assert not may_be_done_on_the_server(None, member(*roles), others)
        assert not may_be_done_on_the_server(member(*roles), member(*roles), others)
