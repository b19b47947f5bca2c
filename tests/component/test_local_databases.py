"""`./peygir up` on the state folder of another version: it starts where it can, and else says what to do."""

from __future__ import annotations

from importlib import import_module

import psycopg
import pytest

from backbone.storage import migrate
from deploy.local import databases
from deploy.local.parts import PostgreSQL
from tests.support.processes import create_database


@pytest.fixture
def url(postgres: PostgreSQL, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of a database of intake as this version makes it."""
    url = create_database(postgres.url, "other_version")
    monkeypatch.setenv("DATABASE_URL_INTAKE", url)
    databases.main("/state", ["intake"])
    return url


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_database_of_this_version_has_all_that_its_service_needs(url: str) -> None:
    assert databases.missing_columns(url, import_module("services.intake.models").metadata) == []
    assert databases.revision(url) in {
        path.stem for path in (migrate.ROOT / "intake/migrations/versions").glob("0*.py")
    }


def test_a_database_of_a_newer_version_is_used(url: str) -> None:
    execute(url, "ALTER TABLE submissions ADD newer integer", "UPDATE alembic_version SET version_num = '9999_newer'")
    databases.main("/state", ["intake"])
    assert databases.revision(url) == "9999_newer"


@pytest.mark.parametrize("revision", ["0042_of_before", None])
def test_one_that_lacks_something_is_refused_with_what_to_do(url: str, revision: str | None) -> None:
    execute(url, "ALTER TABLE submissions RENAME submission_id TO complaint_id", "DROP TABLE identities CASCADE")
    if revision is not None:
        execute(url, f"UPDATE alembic_version SET version_num = '{revision}'")
    with pytest.raises(SystemExit) as refusal:
        databases.main("/work/.peygir", ["intake"])
    said = str(refusal.value)
    assert "The database of intake was made by another version of Peygir" in said
    assert f"revision {databases.revision(url)}" in said
    assert "identities." in said or "submissions.submission_id" in said
    assert "remove the folder /work/.peygir, with all the cases in it, and start again" in said
    with pytest.raises(SystemExit, match="set DATABASE_URL to a server without databases of Peygir"):
        databases.main("", ["intake"])
