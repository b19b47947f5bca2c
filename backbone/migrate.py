"""Brings service databases to their newest form: `python -m backbone.migrate intake tracking …` (no name: all).

Each service's database is `peygir_NAME`; DATABASE_URL_NAME (for example DATABASE_URL_INTAKE) or, for one service,
DATABASE_URL tells where. Any number may run at once: an advisory lock lets one at a time work. Migrations expand first
and contract in a later release, so that old and new processes run side by side.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.operations import Operations
from sqlalchemy import Connection, create_engine, text

from backbone import inbox, outbox
from backbone.topology import SERVICES

ROOT = Path(__file__).parent.parent / "services"
_LOCK = 7_204_505  # any number, the same in every process


def upgrade(service: str, url: str) -> None:
    """To head, under the lock. Raises what alembic or the database raise; a failed migration changes nothing."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
            connection.commit()
            config = Config()
            config.set_main_option("script_location", str(ROOT / service / "migrations"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    finally:
        engine.dispose()  # the lock is the connection's: it must not stay behind in the pool


def run_env(connection: Connection) -> None:
    """What each migrations/env.py does, with the connection of `upgrade`."""
    from alembic import context

    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


def create_mechanism(operations: Operations) -> None:
    """Outbox and inbox, in a service's first migration."""
    connection = operations.get_bind()
    outbox.TABLE.create(connection)
    inbox.TABLE.create(connection)


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
        upgrade(name, url)
        print(f"{name}: database is up to date")


if __name__ == "__main__":
    main(sys.argv[1:])
