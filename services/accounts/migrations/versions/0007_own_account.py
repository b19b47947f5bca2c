"""One's own account: second factors beside TOTP, where sessions were begun, sign-ins by OpenID Connect."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, UUID

revision = "0007_own_account"
down_revision = "0006_browser_sessions"


def upgrade() -> None:
    op.add_column("sessions", sa.Column("agent", sa.String))
    op.add_column("sessions", sa.Column("network", sa.String))
    op.create_table(
        "totp_enrolments",
        sa.Column("staff_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("locked_secret", sa.Text, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("staff_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("code_hash", sa.String(64), primary_key=True),
        sa.Column("used_at", sa.DateTime(timezone=True)),
    )
    op.create_table(
        "passkeys",
        sa.Column("passkey_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("staff_id", UUID(as_uuid=True), nullable=False),
        sa.Column("credential_id", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("sign_count", sa.BigInteger, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("synced", sa.Boolean, nullable=False),
        sa.Column("transports", ARRAY(sa.String), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_passkeys_staff_id", "passkeys", ["staff_id"])
    op.create_table(
        "passkey_challenges",
        sa.Column("challenge_hash", sa.String(64), primary_key=True),
        sa.Column("staff_id", UUID(as_uuid=True)),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_passkey_challenges_expires_at", "passkey_challenges", ["expires_at"])
    op.create_table(
        "oidc_sign_ins",
        sa.Column("browser_hash", sa.String(64), primary_key=True),
        sa.Column("state_hash", sa.String(64), nullable=False),
        sa.Column("nonce", sa.String, nullable=False),
        sa.Column("locked_verifier", sa.Text, nullable=False),
        sa.Column("staff_id", UUID(as_uuid=True)),
        sa.Column("used", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_oidc_sign_ins_expires_at", "oidc_sign_ins", ["expires_at"])
