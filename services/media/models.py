"""Media's tables: uploads, the parts they came in, and the files made from them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, UUID

metadata = sa.MetaData()

uploads = sa.Table(
    "uploads",
    metadata,
    sa.Column("upload_id", sa.String, primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("received", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("file_name", sa.String),
    sa.Column("declared_type", sa.String),
    sa.Column("case_id", UUID(as_uuid=True)),  # one of those that refer to it; all of them are in `claims`
    # A keyed hash of the sender's address, salted daily; forgotten when the upload no longer counts against it.
    sa.Column("address_key", sa.String(64)),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    # When an open upload, or one that no case refers to, is given up; moves on with each byte that comes.
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    # When the state became the last one; from then on nothing is written for this upload.
    sa.Column("settled_at", sa.DateTime(timezone=True)),
    # When the object store was last searched for leftovers of this upload.
    sa.Column("swept_at", sa.DateTime(timezone=True)),
    # What the look at the bytes found.
    sa.Column("reason", sa.String),
    sa.Column("content_type", sa.String),
    sa.Column("kind", sa.String),
    sa.Column("sha256", sa.String(64)),
    sa.Column("scanned", sa.Boolean),
    sa.Column("seconds", sa.Double),
    sa.Column("pages", sa.Integer),
    sa.Column("removed_parts", ARRAY(sa.String)),
    sa.Column("notes", ARRAY(sa.String)),
)
sa.Index(
    "uploads_to_expire",
    uploads.c.expires_at,
    postgresql_where=uploads.c.settled_at.is_(None) | uploads.c.case_id.is_(None),
)
sa.Index(
    "uploads_reserved",
    uploads.c.address_key,
    postgresql_include=["size", "received", "state", "expires_at"],
    postgresql_where=uploads.c.state.in_(("open", "processing"))
    | ((uploads.c.state == "accepted") & uploads.c.case_id.is_(None)),
)
sa.Index("uploads_to_sweep", uploads.c.settled_at, postgresql_where=uploads.c.swept_at.is_(None))

upload_parts = sa.Table(
    "upload_parts",
    metadata,
    sa.Column("upload_id", sa.ForeignKey(uploads.c.upload_id, ondelete="CASCADE"), primary_key=True),
    sa.Column("position", sa.BigInteger, primary_key=True),
    sa.Column("length", sa.BigInteger, nullable=False),
    sa.Column("key", sa.String, nullable=False),
)

claims = sa.Table(  # which cases refer to an upload: it is removed when the last of them is released
    "claims",
    metadata,
    sa.Column("upload_id", sa.ForeignKey(uploads.c.upload_id, ondelete="CASCADE"), primary_key=True),
    sa.Column("case_id", UUID(as_uuid=True), primary_key=True, index=True),
    sa.Column("from_office", sa.Boolean, nullable=False),
    # Whether two cases are of one citizen: a hash of the citizen's id with the upload's, so that it says nothing else.
    sa.Column("owner", sa.String(64)),
    # Whether this case's citizen sent it, and so is shown what their device called it.
    sa.Column("named", sa.Boolean, nullable=False),
    sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)

files = sa.Table(
    "files",
    metadata,
    sa.Column("upload_id", sa.ForeignKey(uploads.c.upload_id, ondelete="CASCADE"), primary_key=True),
    sa.Column("variant", sa.String, primary_key=True),
    sa.Column("key", sa.String, nullable=False),
    sa.Column("content_type", sa.String, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("width", sa.Integer),
    sa.Column("height", sa.Integer),
)

erasures = sa.Table(  # cases whose evidence is kept no longer; what is claimed for one later is not kept either
    "erasures",
    metadata,
    sa.Column("case_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("rule", sa.String, nullable=False),
    sa.Column("media", sa.Integer, nullable=False),  # how many went
    sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)
