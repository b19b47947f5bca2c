"""While nobody outside the inspection is named for cases about it, whoever files one is told where else to turn, and the
deployment is warned."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from contracts.accounts import ChangedStaff, Substitute
from contracts.vocabulary import Kind, Role
from tests.support.events import account_changed
from tests.support.gateway import CATALOGUE, REPORT, Gateway, bearer, reasons


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    """A gateway of an office whose inspection is at roads.north."""
    gateway = Gateway(tmp_path, inspection_unit="roads.north", mayor_unit="roads")
    gateway.container.catalogue_cache.put(CATALOGUE)
    return gateway


def test_nothing_is_said_while_nobody_knows_who_stands_in(gateway: Gateway) -> None:
    assert gateway.file(REPORT).json()["elsewhere"] is None
    assert gateway.send("GET", "/readyz").text == "ready\n"


@pytest.mark.parametrize("unit", ["roads", "roads.north"])
def test_whoever_files_about_the_inspection_is_told_where_else_to_turn(gateway: Gateway, unit: str) -> None:
    gateway.container.substitutes.take(ChangedStaff(items=[]))
    filed = gateway.file(REPORT | {"unit": unit}).json()
    assert "۱۳۶" in filed["elsewhere"]
    assert filed["next_steps"][-1] == filed["elsewhere"]
    english = gateway.file(REPORT | {"unit": unit}, **{"Accept-Language": "en"}).json()
    assert "136" in english["elsewhere"]
    assert gateway.file(REPORT | {"unit": "parks"}).json()["elsewhere"] is None


def test_the_deployment_is_warned_and_stays_ready(gateway: Gateway) -> None:
    gateway.container.substitutes.take(ChangedStaff(items=[]))
    answer = gateway.send("GET", "/readyz")
    assert answer.status_code == 200
    assert answer.text == "ready\nwarning: no substitute for cases about roads, roads.north\n"


def test_a_substitute_ends_it_as_soon_as_they_are_named_and_until_they_leave(gateway: Gateway) -> None:
    gateway.container.substitutes.take(ChangedStaff(items=[]))
    named = account_changed(roles=[Role.SUBSTITUTE], unit="parks")
    gateway.rabbit.deliver_event(named.name, named.model_dump_json())
    assert gateway.container.substitutes.uncovered == frozenset()
    assert gateway.file(REPORT | {"unit": "roads"}).json()["elsewhere"] is None
    gone = account_changed(staff_id=named.staff_id, version=2, roles=[Role.SUBSTITUTE], unit="parks", active=False)
    for event in (gone, named):  # the older one comes again
        gateway.rabbit.deliver_event(event.name, event.model_dump_json())
    assert gateway.file(REPORT | {"unit": "roads"}).json()["elsewhere"] is not None


@pytest.mark.parametrize("four_eyes", [[], [Kind.COMPLAINT]])
def test_the_deployment_is_warned_while_nobody_could_approve(gateway: Gateway, four_eyes: list[Kind]) -> None:
    cache = gateway.container.catalogue_cache
    cache.put(CATALOGUE.model_copy(update={"version": CATALOGUE.version + 1, "four_eyes": four_eyes}))
    first, second = (Substitute(staff_id=uuid4(), version=1, unit="parks") for _ in range(2))
    gateway.container.substitutes.take(ChangedStaff(items=[], substitutes=[first]))
    warning = "warning: no second substitute, to approve decisions, for cases about roads, roads.north\n"
    assert gateway.send("GET", "/readyz").text == "ready\n" + (warning if four_eyes else "")
    gateway.container.substitutes.take(ChangedStaff(items=[], substitutes=[first, second]))
    assert gateway.send("GET", "/readyz").text == "ready\n"


def test_one_of_the_branch_itself_stands_in_for_nobody(gateway: Gateway) -> None:
    own = Substitute(staff_id=uuid4(), version=1, unit="roads.north")
    gateway.container.substitutes.take(ChangedStaff(items=[], substitutes=[own]))
    assert "roads.north" in gateway.container.substitutes.uncovered
    token = gateway.keys.staff("administrator")
    body = {"username": "sub-1", "display_name": "جانشین", "roles": ["substitute"], "unit": "roads.north"}
    headers = bearer(token) | {"Idempotency-Key": "k" * 20}
    answer = gateway.send("POST", "/v1/staff", json=body, headers=headers)
    assert answer.status_code == 422
    assert reasons(answer) == {"unit": "within_inspection"}
    assert not gateway.rabbit.calls
