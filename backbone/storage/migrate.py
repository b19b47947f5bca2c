"""Brings service databases to their newest form: `python -m backbone.storage.migrate intake tracking …` (no name: all).

Each service's database is `peygir_NAME`; DATABASE_URL_NAME (for example DATABASE_URL_INTAKE) or, for one service,
DATABASE_URL tells where. Any number may run at once: an advisory lock lets one at a time work. Migrations expand first
and contract in a later release, so that old and new processes run side by side; so a database that a newer release has
migrated is fine for this one, and is left as it is.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.exc import OperationalError

from backbone.messaging.topology import SERVICES

ROOT = Path(__file__).parents[2] / "services"
_LOCK = 7_204_505  # any number, the same in every process
_PAUSE = 0.2
LOCK_TIMEOUT = "1s"
"""How long a change of a table waits for those at work on it: all that come after it wait meanwhile, and it is behind the
longest of those before. Then it lets them pass, and tries again."""
_LET_PASS, _TRIES = 0.5, 240
_LOCK_NOT_AVAILABLE = "55P03"


def upgrade(service: str, url: str) -> str | None:
    """To head, under the lock; or, where a newer release was there, nothing: the revision that is not known here.

    Raises what alembic or the database raise; a failed migration changes nothing.
    """
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            _wait_for_turn(connection)
            config = Config()
            config.set_main_option("script_location", str(ROOT / service / "migrations"))
            config.attributes["connection"] = connection
            newer = _unknown_revision(connection, ScriptDirectory.from_config(config))
            if newer is None:
                event.listen(connection, "begin", _be_patient)
                _to_head(connection, config)
            return newer
    finally:
        engine.dispose()  # the lock is the connection's: it must not stay behind in the pool


def _wait_for_turn(connection: Connection) -> None:
    """Holds the lock. Waits without a transaction: CREATE INDEX CONCURRENTLY waits for all that are open, and whoever
    waited for the lock in one would wait for that index."""
    while not connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _LOCK}).scalar_one():
        connection.commit()
        time.sleep(_PAUSE)
    connection.commit()


def _be_patient(connection: Connection) -> None:
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")


def _to_head(connection: Connection, config: Config) -> None:
    """Migration by migration, each whole or not at all; one that finds a table in use is tried again."""
    for tried in range(1, _TRIES + 1):
        try:
            command.upgrade(config, "head")
            connection.commit()
            return
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE or tried == _TRIES:
                raise
            connection.rollback()
            time.sleep(_LET_PASS)


def _unknown_revision(connection: Connection, scripts: ScriptDirectory) -> str | None:
    revisions = {script.revision for script in scripts.walk_revisions()}
    heads = MigrationContext.configure(connection).get_current_heads()
    connection.commit()
    return next((revision for revision in heads if revision not in revisions), None)


def run_env(connection: Connection) -> None:
    """What each migrations/env.py does, with the connection of `upgrade`."""
    from alembic import context

    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


def url_of(service: str) -> str:
    """From the environment; exits with one sentence when it is not there."""
    url = os.environ.get(f"DATABASE_URL_{service.upper()}") or os.environ.get("DATABASE_URL")
    if not url:
        sys.exit(f"neither DATABASE_URL_{service.upper()} nor DATABASE_URL is set")
    return url


def main(names: list[str]) -> None:
    unknown = [name for name in names if name not in SERVICES]
    if unknown:
        sys.exit(f"there is no service {', '.join(unknown)}; there are {', '.join(SERVICES)}")
    urls = {name: url_of(name) for name in names or SERVICES}
    for name, url in urls.items():
        if list(urls.values()).count(url) > 1:
            # alembic would find the other's version there, and call this one up to date without a table of its own.
            sys.exit(f"each service has a database of its own: set DATABASE_URL_{name.upper()}")
    for name, url in urls.items():
        newer = upgrade(name, url)
        if newer is None:
            print(f"{name}: database is up to date")
        else:
            print(f"{name}: a newer release has migrated the database (to {newer}); it is left as it is")


if __name__ == "__main__":
    main(sys.argv[1:])
