"""Leaves of absence: who may arrange one, what is refused, how it ends, and what the other services learn of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.accounts import ChangeStaff, ListChangedStaff
from contracts.base import now
from contracts.errors import InvalidField, NotAllowed, NotFound
from contracts.gateway import Actor
from contracts.leaves import AddLeave, EndLeave, ListLeaves
from contracts.vocabulary import Role
from tests.support.accounts import AccountsService
from tests.support.processes import BrokerClient, eventually

pytest_plugins = ["tests.support.accounts"]
pytestmark = [pytest.mark.timeout(180), pytest.mark.filterwarnings("ignore:EdDSA is deprecated")]


class Desk:
    """Leaves asked of accounts."""

    def __init__(self, accounts: AccountsService, broker_client: BrokerClient) -> None:
        self.accounts, self.broker_client = accounts, broker_client

    def add(self, by: Actor, deputy: Actor, **more: Any) -> dict[str, Any]:
        values: dict[str, Any] = {
            "actor": by,
            "idempotency_key": uuid4().hex,
            "deputy": UUID(deputy.id),
            "starts_at": now(),
            "ends_at": now() + timedelta(days=7),
        }
        added: dict[str, Any] = self.broker_client.call("accounts", "add_leave", AddLeave(**values | more))
        return added

    def end(self, by: Actor, leave: dict[str, Any]) -> dict[str, Any]:
        request = EndLeave(actor=by, leave_id=leave["leave_id"])
        ended: dict[str, Any] = self.broker_client.call("accounts", "end_leave", request)
        return ended

    def listed(self, who: Actor) -> list[str]:
        return [
            leave["leave_id"]
            for leave in self.broker_client.call("accounts", "list_leaves", ListLeaves(actor=who))["items"]
        ]

    def published(self, leave: dict[str, Any]) -> list[dict[str, Any]]:
        events = self.broker_client.recorded_events("leave.changed.v1")
        return sorted(
            (event for event in events if event["leave_id"] == leave["leave_id"]), key=lambda event: event["version"]
        )

    def change(self, username: str, **changes: Any) -> None:
        [(staff_id, version, name, roles, unit)] = self.accounts.sql(
            "SELECT staff_id, version, display_name, roles, unit FROM staff WHERE username = %s", username
        )
        values = {"display_name": name, "roles": roles, "unit": unit, "active": True, **changes}
        request = ChangeStaff(
            actor=self.accounts.actor("administrator"),
            idempotency_key=uuid4().hex,
            staff_id=staff_id,
            expected_version=version,
            **values,
        )
        self.broker_client.call("accounts", "change_staff", request)


@pytest.fixture
def desk(accounts: AccountsService, broker_client: BrokerClient) -> Desk:
    broker_client.record_events("accounts.events")
    accounts.sql("DELETE FROM leaves RETURNING 1")
    return Desk(accounts, broker_client)


def test_leaves_come_by_pages(desk: Desk) -> None:
    head = desk.accounts.actor("head")
    away, deputy = (desk.accounts.actor(name) for name in ("inspector", "inspector2"))
    made = []
    for place in (3, 1, 2):
        days = {"starts_at": now() + timedelta(days=20 * place), "ends_at": now() + timedelta(days=20 * place + 5)}
        made.append((place, desk.add(away, deputy, **days)["leave_id"]))
    listed, after = [], None
    while True:
        page = desk.broker_client.call("accounts", "list_leaves", ListLeaves(actor=head, after=after, limit=1))
        listed += [leave["leave_id"] for leave in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert listed == [leave_id for _, leave_id in sorted(made)] == desk.listed(head)


def test_ones_own_leave_is_published_listed_and_ended(desk: Desk) -> None:
    inspector, other = desk.accounts.actor("inspector"), desk.accounts.actor("inspector2")
    key = uuid4().hex
    starts_at, ends_at = now(), now() + timedelta(days=3)
    leave = desk.add(inspector, other, idempotency_key=key, starts_at=starts_at, ends_at=ends_at)
    again = desk.add(inspector, other, idempotency_key=key, starts_at=starts_at, ends_at=ends_at)
    assert again == leave
    names = {str(staff_id): name for staff_id, name in desk.accounts.sql("SELECT staff_id, display_name FROM staff")}
    assert (leave["staff_name"], leave["deputy_name"]) == (names[inspector.id], names[other.id])
    [event] = eventually(lambda: desk.published(leave))
    assert (event["staff_id"], event["deputy"]) == (inspector.id, other.id)
    for reader in (inspector, other, desk.accounts.actor("head")):
        assert desk.listed(reader) == [leave["leave_id"]]
    assert desk.listed(desk.accounts.actor("analyst")) == []
    with pytest.raises(NotAllowed):
        desk.end(other, leave)
    ended = desk.end(inspector, leave)
    assert desk.end(inspector, leave) == ended
    eventually(lambda: len(desk.published(leave)) == 2)
    assert desk.listed(inspector) == []


def test_the_gateway_learns_who_stands_in_for_whom_until_it_is_over(desk: Desk) -> None:
    def absences() -> list[dict[str, Any]]:
        answer = desk.broker_client.call("accounts", "list_changed_staff", ListChangedStaff())
        return list(answer["absences"])

    inspector, other = desk.accounts.actor("inspector"), desk.accounts.actor("inspector2")
    assert absences() == []
    leave = desk.add(inspector, other)
    [(version, roles, unit)] = desk.accounts.sql(
        "SELECT version, roles, unit FROM staff WHERE staff_id = %s", UUID(inspector.id)
    )
    account = {"version": version, "roles": roles, "unit": unit}
    assert absences() == [
        {"staff_id": inspector.id, "deputy": other.id, **account}
        | {name: leave[name] for name in ("starts_at", "ends_at")}
    ]
    desk.end(inspector, leave)
    assert absences() == []


def test_a_head_arranges_anothers_leave_and_others_do_not(desk: Desk) -> None:
    inspector, other = desk.accounts.actor("inspector"), desk.accounts.actor("inspector2")
    with pytest.raises(NotAllowed):
        desk.add(other, other, staff_id=UUID(inspector.id))
    with pytest.raises(NotFound):
        desk.add(desk.accounts.actor("head"), other, staff_id=uuid4())
    assert desk.add(desk.accounts.actor("head"), other, staff_id=UUID(inspector.id))["staff_id"] == inspector.id


def test_whoever_lacks_the_role_is_no_deputy(desk: Desk) -> None:
    with pytest.raises(InvalidField) as refused:
        desk.add(desk.accounts.actor("inspector"), desk.accounts.actor("analyst"))
    assert refused.value.params["fields"] == [{"field": "deputy", "reason": "lacks_a_role"}]


def test_a_deputy_whose_role_is_taken_ends_it(desk: Desk) -> None:
    inspector, other = desk.accounts.actor("inspector"), desk.accounts.actor("inspector2")
    leave = desk.add(inspector, other)
    desk.change("inspector2", roles=[Role.OPERATOR])
    try:
        eventually(lambda: len(desk.published(leave)) == 2)
        assert desk.published(leave)[-1]["unfit"]
        assert desk.listed(inspector) == []
    finally:
        desk.change("inspector2", roles=[Role.INSPECTOR])


def test_the_last_head_stays(desk: Desk) -> None:
    for changes, field in (({"active": False}, "active"), ({"roles": [Role.SCREENER]}, "roles")):
        with pytest.raises(InvalidField) as refused:
            desk.change("head", **changes)
        assert refused.value.params["fields"] == [{"field": field, "reason": "last_head"}]


def test_who_takes_over_is_an_open_account_of_an_inspector(desk: Desk) -> None:
    other = desk.accounts.actor("inspector2")
    for successor, reason in ((other.id, "same_person"), (desk.accounts.actor("analyst").id, "not_an_inspector")):
        with pytest.raises(InvalidField) as refused:
            desk.change("inspector2", active=False, successor=UUID(successor))
        assert refused.value.params["fields"] == [{"field": "successor", "reason": reason}]
    named = UUID(desk.accounts.actor("inspector").id)
    desk.change("inspector2", display_name="بازرس دوم", successor=named)
    events = eventually(
        lambda: [
            event for event in desk.broker_client.recorded_events("staff.changed.v1") if event["staff_id"] == other.id
        ]
    )
    assert events[-1]["successor"] == str(named)
