"""Initial schema of media: uploads and the files made from them. Frozen: a change is a new revision."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from backbone.storage import common_tables_v1
from backbone.storage.common_tables_v1 import TIMESTAMP

revision = "0001_initial"
down_revision = None


def upgrade() -> None:
    _create_evidence()
    common_tables_v1.create_outbox_and_inbox()


def _create_evidence() -> None:
    op.create_table(
        "uploads",
        sa.Column("upload_id", sa.String(), primary_key=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("file_name", sa.String()),
        sa.Column("declared_type", sa.String()),
        sa.Column("case_id", sa.Uuid()),
        sa.Column("address_key", sa.String(64)),
        sa.Column("created_at", TIMESTAMP, nullable=False, server_default=sa.text("now()")),
        sa.Column("expires_at", TIMESTAMP, nullable=False),
        sa.Column("settled_at", TIMESTAMP),
        sa.Column("swept_at", TIMESTAMP),
        sa.Column("reason", sa.String()),
        sa.Column("content_type", sa.String()),
        sa.Column("kind", sa.String()),
        sa.Column("sha256", sa.String(64)),
        sa.Column("scanned", sa.Boolean()),
        sa.Column("seconds", sa.Double()),
        sa.Column("pages", sa.Integer()),
        sa.Column("removed_parts", ARRAY(sa.String())),
        sa.Column("notes", ARRAY(sa.String())),
    )
    op.create_index(
        "uploads_to_expire",
        "uploads",
        ["expires_at"],
        postgresql_where=sa.text("settled_at IS NULL OR case_id IS NULL"),
    )
    op.create_index(
        "uploads_reserved",
        "uploads",
        ["address_key"],
        postgresql_include=["size", "received", "state", "expires_at"],
        postgresql_where=sa.text("state IN ('open', 'processing') OR state = 'accepted' AND case_id IS NULL"),
    )
    op.create_index("uploads_to_sweep", "uploads", ["settled_at"], postgresql_where=sa.text("swept_at IS NULL"))
    op.create_table(
        "upload_parts",
        sa.Column("upload_id", sa.String(), sa.ForeignKey("uploads.upload_id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
    )
    op.create_table(
        "claims",
        sa.Column("upload_id", sa.String(), sa.ForeignKey("uploads.upload_id", ondelete="CASCADE"), primary_key=True),
        sa.Column("case_id", sa.Uuid(), primary_key=True),
        sa.Column("from_office", sa.Boolean(), nullable=False),
        sa.Column("owner", sa.String(64)),
        sa.Column("named", sa.Boolean(), nullable=False),
        sa.Column("claimed_at", TIMESTAMP, nullable=False, server_default=sa.text("now()")),
    )
    op.create_index("ix_claims_case_id", "claims", ["case_id"])
    op.create_table(
        "files",
        sa.Column("upload_id", sa.String(), sa.ForeignKey("uploads.upload_id", ondelete="CASCADE"), primary_key=True),
        sa.Column("variant", sa.String(), primary_key=True),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("width", sa.Integer()),
        sa.Column("height", sa.Integer()),
    )
    op.create_table(
        "erasures",
        sa.Column("case_id", sa.Uuid(), primary_key=True),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("media", sa.Integer(), nullable=False),
        sa.Column("erased_at", TIMESTAMP, nullable=False, server_default=sa.text("now()")),
    )
