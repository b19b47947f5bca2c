"""The models describe the database that the migrations make: neither may change without the other."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, MetaData, create_engine, text

from backbone.messaging import inbox, outbox
from backbone.messaging.topology import SERVICES
from backbone.storage import audit, migrate
from contracts.audit import AUDITED
from deploy.local.parts import PostgreSQL
from tests.support import schema
from tests.support.processes import create_database

NOT_IN_MODELS = {"trigger", "function"}


def models_of(service: str) -> MetaData:
    """The tables of the service's models module and those that the backbone needs in its database."""
    metadata = MetaData()
    tables = [*import_module(f"services.{service}.models").metadata.tables.values(), outbox.TABLE, inbox.TABLE]
    if service in AUDITED:
        tables += [audit.WAITING, audit.CHAIN]
    for table in tables:
        table.to_metadata(metadata)
    return metadata


def is_comparable(item: Any, name: str | None, kind: str, reflected: bool, compared_to: Any) -> bool:
    """Alembic compares the text of an index's expression, which PostgreSQL rewrites; the other test compares those."""
    return kind != "index" or all(isinstance(part, Column) for part in item.expressions)


@pytest.fixture
def migrated(postgres: PostgreSQL, service: str) -> str:
    url = create_database(postgres.url, f"migrated_{service}")
    migrate.upgrade(service, url)
    return url


@pytest.mark.parametrize("service", SERVICES)
def test_autogenerate_finds_nothing_to_migrate(migrated: str, service: str) -> None:
    engine = create_engine(migrated)
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True, "include_object": is_comparable}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, models_of(service)) == []
    engine.dispose()


@pytest.mark.parametrize("service", SERVICES)
def test_models_create_the_same_tables_indexes_and_constraints(
    postgres: PostgreSQL, migrated: str, service: str
) -> None:
    """Also what autogenerate does not compare: conditions of indexes, checks, exclusion constraints, comments."""
    expected = {schema_object for schema_object in schema.objects(migrated) if schema_object[0] not in NOT_IN_MODELS}
    made = create_database(postgres.url, f"models_{service}")
    engine = create_engine(made)
    with engine.begin() as connection:
        for kind, _, name, _ in expected:
            if kind == "extension":
                connection.execute(text(f'CREATE EXTENSION IF NOT EXISTS "{name}"'))
        models_of(service).create_all(connection)
    engine.dispose()
    assert schema.objects(made) == {
        schema_object for schema_object in expected if schema_object[1] != "alembic_version"
    }
