"""Version 1 of the tables that several services have, for their first migrations: outbox, inbox, commands, audit.

Frozen, as migrations are: nothing here is ever changed. A change of these tables is a new revision of each service that
has them, which writes it out itself. `tests/unit/test_frozen_migrations.py` compares the DDL with a stored text.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

TIMESTAMP = sa.DateTime(timezone=True)


def create_outbox_and_inbox() -> None:
    """What is to be published, and which events have been handled."""
    op.create_table(
        "outbox",
        sa.Column("seq", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("exchange", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("routing_key", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("headers", JSONB(), nullable=False),
        sa.Column("created_at", TIMESTAMP, nullable=False, server_default=sa.text("now()")),
    )
    op.create_table(
        "inbox",
        sa.Column("consumer", sa.String(), primary_key=True),
        sa.Column("event_id", sa.Uuid(), primary_key=True),
        sa.Column("handled_at", TIMESTAMP, nullable=False, server_default=sa.text("now()")),
    )
    op.create_index("ix_inbox_handled_at", "inbox", ["handled_at"])


def create_commands(table: str, *results: sa.Column[Any]) -> None:
    """The commands that were done, by who gave them and under which key. `results`: what a repetition is answered with."""
    op.create_table(
        table,
        sa.Column("actor", sa.String(), primary_key=True),
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("command_hash", sa.String(64), nullable=False),
        *results,
        sa.Column("done_at", TIMESTAMP, nullable=False, server_default=sa.text("now()")),
    )


def create_audit() -> None:
    """What is recorded and not yet chained, and the chain; both only grow, but for rows that move from one to the other."""
    op.create_table(
        "audit_waiting",
        sa.Column("seq", sa.BigInteger(), sa.Identity(), primary_key=True),
        *_audited(),
    )
    op.create_table(
        "audit",
        sa.Column("position", sa.BigInteger(), primary_key=True, autoincrement=False),
        *_audited(),
        sa.Column("chained_at", TIMESTAMP, nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.execute(
        """
        CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'audit_waiting' AND current_setting('peygir.chaining', true) = 'on' THEN
                RETURN NULL;
            END IF;
            RAISE EXCEPTION 'the audit only grows' USING ERRCODE = 'restrict_violation';
        END $$
        """
    )
    make_append_only("audit_waiting", "audit_waiting", "audit_only_grows")
    make_append_only("audit", "audit", "audit_only_grows")


def _audited() -> list[sa.Column[Any]]:
    """New columns each time: a column belongs to one table."""
    return [
        sa.Column("at", TIMESTAMP, nullable=False, server_default=sa.text("clock_timestamp()")),
        sa.Column("actor_kind", sa.String(), nullable=False),
        sa.Column("actor_id", sa.String()),
        sa.Column("roles", ARRAY(sa.String()), nullable=False),
        sa.Column("command", sa.String(), nullable=False),
        sa.Column("subjects", ARRAY(sa.String()), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("trace_id", sa.String()),
    ]


def protect_history(table: str) -> None:
    """Rows of `table`, a history of what was changed by whom, are added and never changed nor removed."""
    op.execute(
        """
        CREATE FUNCTION history_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'the history only grows' USING ERRCODE = 'restrict_violation';
        END $$
        """
    )
    make_append_only(table, "history", "history_only_grows")


def make_append_only(table: str, name: str, function: str) -> None:
    """The triggers of `table` that call `function` before rows are changed, deleted or emptied; named after `name`."""
    for suffix, operations in (("changed", "UPDATE OR DELETE"), ("emptied", "TRUNCATE")):
        op.execute(
            f"""
            CREATE TRIGGER {name}_is_never_{suffix} BEFORE {operations} ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION {function}()
            """
        )
