"""Everybody walks a whole world and finds nothing that DOMAIN.md does not grant; and without any one condition of the stores'
queries, they would (tests/walk/)."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from contracts.tracking.entry_details import EntryDetails
from deploy.local.parts import PostgreSQL
from tests.support.seeds import chosen_seed
from tests.support.walk.gateway_walk import GatewayWalk
from tests.support.walk.mutants import ROOT, conditions
from tests.support.walk.services import SERVICES, Services, rpcs
from tests.support.walk.walking import NOWHERE, Walk
from tests.support.walk.world import World
from tests.support.walk.world_maker import Maker

SEED = chosen_seed()
SOME = 12
"""Conditions that are taken out in an ordinary run; all of them with --long."""


@pytest.fixture(scope="module")
def world(postgres: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Path]:
    print(f"PEYGIR_SEED={SEED} makes this world again")
    made = Maker(postgres.url, SEED).make()
    file = tmp_path_factory.mktemp("walk") / "world"
    made.save(file)
    return made, file


def test_every_entrypoint_is_walked_or_excluded_with_a_reason() -> None:
    entrypoints = {f"{service}.{method}" for service in (*SERVICES, "media") for method in rpcs(service)}
    walked = {name.replace("_", ".", 1) for name in Walk.methods()}
    assert entrypoints == walked | set(NOWHERE)
    assert not walked & set(NOWHERE)


@pytest.mark.timeout(1500)
def test_no_service_reveals_what_a_person_may_not_know(world: tuple[World, Path]) -> None:
    made, _ = world
    stages = {case.stage for case in made.oracle.cases.values()}
    assert len(stages) == 11, stages
    assert Walk(made, Services(made.urls, made.keys)).all() > 10_000


@pytest.mark.timeout(1500)
@pytest.mark.parametrize("much", [1, pytest.param(6, marks=[pytest.mark.long, pytest.mark.timeout(3600)])])
def test_the_gateway_reveals_nothing_that_a_person_may_not_know(
    world: tuple[World, Path], tmp_path: Path, much: int
) -> None:
    made, _ = world
    walk = GatewayWalk(made, Services(made.urls, made.keys), tmp_path, much)
    assert walk.all() > 10_000


def test_what_entries_of_the_timeline_hold_is_in_the_document(world: tuple[World, Path]) -> None:
    made, _ = world
    documented = TypeAdapter(EntryDetails)
    rows = made.rows("tracking", "SELECT entry, details FROM timeline WHERE details <> '{}'")
    assert len({row["entry"] for row in rows}) > 20
    for row in rows:
        unknown = set(row["details"]) - set(EntryDetails.model_fields)
        assert not unknown, (row["entry"], unknown)
        try:
            documented.validate_python(row["details"], strict=True)
        except ValidationError as error:
            wrong = {problem["loc"][0] for problem in error.errors()} & set(row["details"])
            assert not wrong, (row["entry"], wrong, row["details"])


NO_SCOPE_CONDITIONS = {
    "tracking/inquiry/views.py:unit_questions:2": "one of those that are the units'",
    "tracking/evidence/access.py:media_for_units:3": "only numbers what is granted",
    "tracking/screening/workload.py:similar:1": "a likeness; the scope stands beside it",
    "tracking/screening/workload.py:inspectors:2": "joins two tables",
    "tracking/screening/workload.py:inspectors:3": "joins two tables",
    "tracking/screening/workload.py:open_cases_of:1": "a filter; the scope stands beside it",
    "tracking/screening/workload.py:open_cases_of:2": "keeps hidden cases out of its limit; those found are locked by scope",
    "tracking/decisions/store.py:of_scope:2": "a filter; the scope stands beside it",
    "tracking/letters/store.py:module:1": "a line of the timeline of a case that is the reader's",
    "tracking/reference/store.py:member_part:1": "one person: of more than one the query fails",
    "tracking/reference/store.py:handler_part:1": "one person: of more than one the query fails",
    "tracking/reference/store.py:liaison_part:1": "whether units have liaisons: of no case",
    "tracking/reference/store.py:liaison_part:2": "whether units have liaisons: of no case",
    "tracking/reference/store.py:members_part:1": "of each of them it is asked whether they may see the case",
    "tracking/reference/store.py:members:1": "of each of them it is asked whether they may see the case",
    "tracking/citizens/views.py:module:1": "the open question is shown while the citizen may answer it: then it is theirs",
    "tracking/citizens/views.py:module:2": "so that fewer lines are read: `noticed` leaves out the others",
    "tracking/calendars/store.py:revoke:1": "takes an address away and tells nothing (test_tracking_calendars)",
    "tracking/case/store.py:forget_account:1": "takes an account from its cases, and tells nothing (e2e/test_citizen_cases)",
    "tracking/case/store.py:forget_account:2": "takes an account from its cases, and tells nothing (e2e/test_citizen_cases)",
    "tracking/case/store.py:stages_of_entries:1": "lines of a case that is being changed, counted and not told",
    "tracking/screening/workload.py:had_last:1": "a filter; the scope stands beside it",
    "tracking/visits/store.py:free_slots:1": "times of the inspector of a case that is the reader's",
    "tracking/search/store.py:how_many:1": "a limit",
    "tracking/search/store.py:pinned:1": "hides what one had pinned before it was shared no more (e2e/test_queue)",
    "tracking/search/store.py:pin:2": "keeps the pins of others, and tells nothing (e2e/test_queue)",
    "tracking/exports/store.py:open_of:1": "a limit",
    "tracking/bulk/store.py:open_of:1": "a limit",
    "tracking/bulk/store.py:cancel:1": "whose it is has been looked up before",
    "tracking/macros/store.py:how_many:1": "a limit",
    "tracking/exports/store.py:renew:1": "among those who make exports",
    "tracking/exports/store.py:release:1": "among those who make exports",
    "insight/figures/store.py:_units:1": "a filter; the hidden units stand beside it",
    "notify/inbox/store.py:_of_staff:9": "what names a unit is for its liaison alone",
}
"""Conditions on the same columns that keep nothing from anybody, and why."""


def without(names: Sequence[str], file: Path) -> dict[str, str]:
    """What was found without each of these conditions; nothing for those that nobody missed."""
    answer = subprocess.run(
        [sys.executable, "-m", "tests.support.walk.mutants", str(file), *names],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=True,
    )
    results = [line.partition(" ") for line in answer.stdout.splitlines()]
    assert len([word for word, _, _ in results if word in ("found", "survived")]) == len(names), answer.stderr
    return {rest.partition(": ")[0]: rest for word, _, rest in results if word == "found"}


def test_conditions_that_are_not_removed_exist() -> None:
    assert set(NO_SCOPE_CONDITIONS) <= set(conditions())


@pytest.mark.timeout(1500)
def test_removing_some_conditions_reveals_too_much(world: tuple[World, Path]) -> None:
    names = random.Random(SEED).sample([name for name in conditions() if name not in NO_SCOPE_CONDITIONS], SOME)
    assert set(without(names, world[1])) == set(names)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_removing_any_single_condition_reveals_too_much(world: tuple[World, Path]) -> None:
    names = [name for name in conditions() if name not in NO_SCOPE_CONDITIONS]
    assert set(without(names, world[1])) == set(names)
