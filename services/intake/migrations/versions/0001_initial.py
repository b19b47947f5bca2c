"""Initial schema of intake: submissions, sealed identities and the configuration. Frozen: a change is a new revision."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from backbone.storage import common_tables_v1
from backbone.storage.common_tables_v1 import TIMESTAMP

revision = "0001_initial"
down_revision = None


def upgrade() -> None:
    _create_reference()
    _create_configuration()
    _create_submissions()
    common_tables_v1.create_outbox_and_inbox()
    common_tables_v1.create_audit()
    common_tables_v1.protect_history("configuration_history")


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
        sa.Column("at", TIMESTAMP, nullable=False, server_default=sa.text("now()")),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("code", sa.String()),
        sa.Column("before", JSONB()),
        sa.Column("after", JSONB()),
        sa.Column("version", sa.Integer(), nullable=False),
    )
    op.create_index("configuration_history_of_one", "configuration_history", ["what", "code", "id"])
    common_tables_v1.create_commands("configuration_commands")
    op.create_table(
        "catalogue_versions",
        sa.Column("version", sa.Integer(), sa.Identity(), primary_key=True),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("made_at", TIMESTAMP, nullable=False, server_default=sa.text("now()")),
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
        sa.Column("filed_at", TIMESTAMP, nullable=False),
        sa.Column("registered_at", TIMESTAMP, nullable=False, server_default=sa.text("now()")),
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
        sa.Column("recorded_at", TIMESTAMP, nullable=False),
    )
    op.create_table(
        "identity_openings",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("opened_at", TIMESTAMP, nullable=False, server_default=sa.text("now()")),
        sa.Column("consented_by", sa.Uuid()),
    )
    op.create_index("ix_identity_openings_submission_id", "identity_openings", ["submission_id"])
    op.create_table(
        "erasures",
        sa.Column("submission_id", sa.Uuid(), primary_key=True),
        sa.Column("part", sa.String(), primary_key=True),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("erased_at", TIMESTAMP, nullable=False, server_default=sa.text("now()")),
    )
