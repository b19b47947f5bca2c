"""Initial schema of intake: submissions, sealed identities and the configuration.

Frozen: a later change of the schema is a new revision (CONTRIBUTING.md, Migrations).
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0001_initial"
down_revision = None

_TIMESTAMP = sa.DateTime(timezone=True)


def upgrade() -> None:
    _create_reference()
    _create_configuration()
    _create_submissions()
    _create_messaging()
    _create_audit()
    _protect_history()


def _create_reference() -> None:
    op.create_table(
        "units",
        sa.Column("code", sa.String(), primary_key=True),
        sa.Column("parent", sa.String()),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("name_fa", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
    )
    op.create_table(
        "grounds",
        sa.Column("code", sa.String(), primary_key=True),
        sa.Column("kinds", ARRAY(sa.String()), nullable=False),
        sa.Column("name_fa", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("hint_fa", sa.Text(), nullable=False),
        sa.Column("hint_en", sa.Text(), nullable=False),
        sa.Column("questions", JSONB(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
    )
    op.create_table(
        "holidays",
        sa.Column("day", sa.Date(), primary_key=True),
    )


def _create_configuration() -> None:
    op.create_table(
        "settings",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("value", JSONB(), nullable=False),
    )
    op.create_table(
        "configuration_history",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("at", _TIMESTAMP, nullable=False, server_default=sa.text("now()")),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("code", sa.String()),
        sa.Column("before", JSONB()),
        sa.Column("after", JSONB()),
        sa.Column("version", sa.Integer(), nullable=False),
    )
    op.create_index("configuration_history_of_one", "configuration_history", ["what", "code", "id"])
    op.create_table(
        "configuration_commands",
        sa.Column("actor", sa.String(), primary_key=True),
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("command_hash", sa.String(64), nullable=False),
        sa.Column("done_at", _TIMESTAMP, nullable=False, server_default=sa.text("now()")),
    )
    op.create_table(
        "catalogue_versions",
        sa.Column("version", sa.Integer(), sa.Identity(), primary_key=True),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("made_at", _TIMESTAMP, nullable=False, server_default=sa.text("now()")),
    )


def _create_submissions() -> None:
    op.create_table(
        "submissions",
        sa.Column("submission_id", sa.Uuid(), primary_key=True),
        sa.Column("code_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("code_attempt", sa.SmallInteger(), nullable=False),
        sa.Column("code_hash_asked", sa.String(64)),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("unit", sa.String()),
        sa.Column("unit_asked", sa.String(), nullable=False),
        sa.Column("ground", sa.String(), nullable=False),
        sa.Column("body", JSONB(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("citizen_id", sa.Uuid()),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("filed_at", _TIMESTAMP, nullable=False),
        sa.Column("registered_at", _TIMESTAMP, nullable=False, server_default=sa.text("now()")),
    )
    op.create_index("ix_submissions_citizen_id", "submissions", ["citizen_id"])
    op.create_table(
        "identities",
        sa.Column("submission_id", sa.Uuid(), primary_key=True),
        sa.Column("mobile_hash", sa.String(64)),
        sa.Column("master_key", sa.String(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
    )
    op.create_index("ix_identities_master_key", "identities", ["master_key"])
    op.create_index("ix_identities_mobile_hash", "identities", ["mobile_hash"])
    op.create_table(
        "group_members",
        sa.Column("submission_id", sa.Uuid(), primary_key=True),
        sa.Column("master_key", sa.String(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
    )
    op.create_index("ix_group_members_master_key", "group_members", ["master_key"])
    op.create_table(
        "consents",
        sa.Column("submission_id", sa.Uuid(), primary_key=True),
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("agreed_to", ARRAY(sa.String()), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", _TIMESTAMP, nullable=False),
    )
    op.create_table(
        "identity_openings",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("opened_at", _TIMESTAMP, nullable=False, server_default=sa.text("now()")),
        sa.Column("consented_by", sa.Uuid()),
    )
    op.create_index("ix_identity_openings_submission_id", "identity_openings", ["submission_id"])
    op.create_table(
        "erasures",
        sa.Column("submission_id", sa.Uuid(), primary_key=True),
        sa.Column("part", sa.String(), primary_key=True),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("erased_at", _TIMESTAMP, nullable=False, server_default=sa.text("now()")),
    )


def _create_messaging() -> None:
    op.create_table(
        "outbox",
        sa.Column("seq", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("exchange", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("routing_key", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("headers", JSONB(), nullable=False),
        sa.Column("created_at", _TIMESTAMP, nullable=False, server_default=sa.text("now()")),
    )
    op.create_table(
        "inbox",
        sa.Column("consumer", sa.String(), primary_key=True),
        sa.Column("event_id", sa.Uuid(), primary_key=True),
        sa.Column("handled_at", _TIMESTAMP, nullable=False, server_default=sa.text("now()")),
    )
    op.create_index("ix_inbox_handled_at", "inbox", ["handled_at"])


def _create_audit() -> None:
    op.create_table(
        "audit_waiting",
        sa.Column("seq", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("at", _TIMESTAMP, nullable=False, server_default=sa.text("clock_timestamp()")),
        sa.Column("actor_kind", sa.String(), nullable=False),
        sa.Column("actor_id", sa.String()),
        sa.Column("roles", ARRAY(sa.String()), nullable=False),
        sa.Column("command", sa.String(), nullable=False),
        sa.Column("subjects", ARRAY(sa.String()), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("trace_id", sa.String()),
    )
    op.create_table(
        "audit",
        sa.Column("position", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("at", _TIMESTAMP, nullable=False, server_default=sa.text("clock_timestamp()")),
        sa.Column("actor_kind", sa.String(), nullable=False),
        sa.Column("actor_id", sa.String()),
        sa.Column("roles", ARRAY(sa.String()), nullable=False),
        sa.Column("command", sa.String(), nullable=False),
        sa.Column("subjects", ARRAY(sa.String()), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("trace_id", sa.String()),
        sa.Column("chained_at", _TIMESTAMP, nullable=False),
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
    _make_append_only("audit_waiting", "audit_waiting", "audit_only_grows")
    _make_append_only("audit", "audit", "audit_only_grows")


def _protect_history() -> None:
    op.execute(
        """
        CREATE FUNCTION history_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'the history only grows' USING ERRCODE = 'restrict_violation';
        END $$
        """
    )
    _make_append_only("configuration_history", "history", "history_only_grows")


def _make_append_only(table: str, name: str, function: str) -> None:
    for suffix, operations in (("changed", "UPDATE OR DELETE"), ("emptied", "TRUNCATE")):
        op.execute(
            f"""
            CREATE TRIGGER {name}_is_never_{suffix} BEFORE {operations} ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION {function}()
            """
        )
