"""One role and one database for each service, on one PostgreSQL server.

Run as `python -m deploy.postgres.databases` at every `up`: what is there stays, and passwords become those of .env. (An init
script of the image would run on an empty volume only, so a changed password or a new service would never arrive.)

Environment: POSTGRES_URL of a superuser; NAME_DATABASE_PASSWORD for each service.
"""

import os
import sys

import psycopg
from psycopg import sql

from backbone.messaging.topology import SERVICES

# The same on every image: order by code point, whatever version the system's collations have (indexes outlive an upgrade
# of the image), and Persian letters are letters, which pg_trgm asks of the character type.
_LOCALE = "template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C.UTF-8'"


def ensure(connection: psycopg.Connection, name: str, password: str) -> None:
    """Make role `name` and database `peygir_name`, owned by it and closed to everybody else; again = no change."""
    # The server never sees the password itself, so neither do its logs.
    verifier = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    role, database = sql.Identifier(name), sql.Identifier(f"peygir_{name}")
    if connection.execute("select 1 from pg_roles where rolname = %s", [name]).fetchone() is None:
        connection.execute(sql.SQL("create role {} login").format(role))
    connection.execute(sql.SQL("alter role {} password {}").format(role, sql.Literal(verifier)))
    if connection.execute("select 1 from pg_database where datname = %s", [f"peygir_{name}"]).fetchone() is None:
        connection.execute(sql.SQL(f"create database {{}} owner {{}} {_LOCALE}").format(database, role))
    connection.execute(sql.SQL("revoke all on database {} from public").format(database))


def main() -> None:
    """Make all roles and databases, or say in one sentence why not."""
    try:
        connection = psycopg.connect(os.environ["POSTGRES_URL"], autocommit=True)
    except psycopg.OperationalError as error:
        sys.exit(f"{error}\nIf it is the password: the volume was made with another .env; the two belong together.")
    with connection:
        for name in SERVICES:
            ensure(connection, name, os.environ[f"{name.upper()}_DATABASE_PASSWORD"])
    print(f"postgres: roles and databases of {', '.join(SERVICES)} are in place")


if __name__ == "__main__":
    main()
