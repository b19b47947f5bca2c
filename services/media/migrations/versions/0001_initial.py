"""Initial schema of media: uploads and the files made from them.

Frozen: a later change of the schema is a new revision (CONTRIBUTING.md, Migrations).
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0001_initial"
down_revision = None

_TIMESTAMP = sa.DateTime(timezone=True)


def upgrade() -> None:
    _create_evidence()
    _create_messaging()


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
        sa.Column("created_at", _TIMESTAMP, nullable=False, server_default=sa.text("now()")),
        sa.Column("expires_at", _TIMESTAMP, nullable=False),
        sa.Column("settled_at", _TIMESTAMP),
        sa.Column("swept_at", _TIMESTAMP),
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
    op.create_index("ix_uploads_case_id", "uploads", ["case_id"])
    op.create_table(
        "pieces",
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
        sa.Column("claimed_at", _TIMESTAMP, nullable=False, server_default=sa.text("now()")),
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
