"""Everybody walks a whole world and finds nothing that DOMAIN.md does not grant; and without any one condition of the stores'
queries, they would (tests/walk/)."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from deploy.local.parts import PostgreSQL
from tests.walk.house import SERVICES, House, rpcs
from tests.walk.walking import NOWHERE, Walk
from tests.walk.world import Maker, World

SEED = int(os.environ.get("PEYGIR_SEED", random.SystemRandom().randrange(1_000_000)))
SOME = 12
"""Conditions that are taken out in an ordinary run; all of them with --long."""


@pytest.fixture(scope="module")
def world(postgres: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Path]:
    print(f"PEYGIR_SEED={SEED} makes this world again")
    made = Maker(postgres.url, SEED).make()
    file = tmp_path_factory.mktemp("walk") / "world"
    made.save(file)
    return made, file


def test_every_entrypoint_is_walked_or_says_why_not() -> None:
    entrypoints = {f"{service}.{method}" for service in (*SERVICES, "media") for method in rpcs(service)}
    walked = {name.replace("_", ".", 1) for name in Walk.methods()}
    assert entrypoints == walked | set(NOWHERE)
    assert not walked & set(NOWHERE)


@pytest.mark.timeout(240)
def test_nobody_is_told_what_is_not_theirs(world: tuple[World, Path]) -> None:
    made, _ = world
    stages = {case.stage for case in made.oracle.cases.values()}
    assert len(stages) == 11, stages
    assert Walk(made, House(made.urls, made.keys)).all() > 10_000
