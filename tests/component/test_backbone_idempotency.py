"""A command given twice under one key is recorded once, and the key is taken for no other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel
from sqlalchemy import Column, Engine, MetaData, create_engine
from sqlalchemy import Uuid as UuidColumn

from backbone.storage import idempotency
from contracts.base import now
from contracts.errors import KeyReused
from contracts.gateway import Actor
from contracts.vocabulary import ActorKind
from deploy.local.parts import PostgreSQL
from tests.support.processes import create_database

METADATA = MetaData()
COMMANDS = idempotency.commands_table("commands", METADATA, Column("made", UuidColumn))
STAFF = Actor(kind=ActorKind.STAFF, id=str(UUID(int=1)))


class Rename(BaseModel):
    actor: str
    idempotency_key: str
    name: str
    expected_version: int = 1


@pytest.fixture(scope="module")
def engine(postgres: PostgreSQL) -> Iterator[Engine]:
    engine = create_engine(create_database(postgres.url, "idempotency"))
    METADATA.create_all(engine)
    yield engine
    engine.dispose()


def test_a_command_is_new_once_and_its_result_is_remembered(engine: Engine) -> None:
    digest, made = idempotency.command_hash(Rename(actor="a", idempotency_key="k", name="x")), uuid4()
    with engine.begin() as connection:
        assert idempotency.repeated(connection, COMMANDS, STAFF, "once", digest, made=made) is None
    with engine.begin() as connection:
        earlier = idempotency.repeated(connection, COMMANDS, STAFF, "once", digest, made=uuid4())
        assert earlier is not None
        assert earlier.made == made


def test_an_effect_that_was_undone_leaves_no_record(engine: Engine) -> None:
    with engine.connect() as connection:
        assert idempotency.repeated(connection, COMMANDS, STAFF, "undone", "a" * 64) is None
        connection.rollback()
    with engine.begin() as connection:
        assert idempotency.repeated(connection, COMMANDS, STAFF, "undone", "a" * 64) is None


def test_a_key_belongs_to_one_actor_and_one_command(engine: Engine) -> None:
    citizen = STAFF.model_copy(update={"kind": ActorKind.CITIZEN})
    with engine.begin() as connection:
        assert idempotency.repeated(connection, COMMANDS, STAFF, "shared", "a" * 64) is None
        assert idempotency.repeated(connection, COMMANDS, citizen, "shared", "b" * 64) is None
        with pytest.raises(KeyReused):
            idempotency.repeated(connection, COMMANDS, STAFF, "shared", "b" * 64)


def test_old_records_are_deleted(engine: Engine) -> None:
    with engine.begin() as connection:
        idempotency.repeated(connection, COMMANDS, STAFF, "old", "a" * 64)
        assert idempotency.prune(connection, COMMANDS, now() - timedelta(hours=1)) == 0
    with engine.begin() as connection:
        assert idempotency.prune(connection, COMMANDS, now() + timedelta(hours=1)) >= 1
        assert idempotency.repeated(connection, COMMANDS, STAFF, "old", "a" * 64) is None


def test_a_hash_covers_the_command_and_its_subject() -> None:
    command = Rename(actor="a", idempotency_key="k", name="x")
    same = command.model_copy(update={"actor": "b", "idempotency_key": "l"})
    later = command.model_copy(update={"expected_version": 2})
    assert idempotency.command_hash(command) == idempotency.command_hash(same)
    assert idempotency.command_hash(command) != idempotency.command_hash(command.model_copy(update={"name": "y"}))
    assert idempotency.command_hash(command, UUID(int=1)) != idempotency.command_hash(command, UUID(int=2))
    assert idempotency.command_hash(command) != idempotency.command_hash(later)
    assert idempotency.command_hash(command, exclude=["expected_version"]) == idempotency.command_hash(
        later, exclude=["expected_version"]
    )
