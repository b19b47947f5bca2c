"""Media's tables: uploads, the pieces they came in, and the files made from them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, UUID

metadata = MetaData()

uploads = Table(
    "uploads",
    metadata,
    Column("upload_id", String, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("state", String, nullable=False),
    Column("file_name", String),
    Column("declared_type", String),
    Column("case_id", UUID(as_uuid=True), index=True),  # one of those that refer to it; all of them are in `claims`
    # A keyed hash of the sender's address, salted daily; forgotten when the upload no longer counts against it.
    Column("address_key", String(64)),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # When an open upload, or one that no case refers to, is given up; moves on with each byte that comes.
    Column("expires_at", DateTime(timezone=True), nullable=False),
    # When the state became the last one; from then on nothing is written for this upload.
    Column("settled_at", DateTime(timezone=True)),
    # When the object store was last searched for leftovers of this upload.
    Column("swept_at", DateTime(timezone=True)),
    # What the look at the bytes found.
    Column("reason", String),
    Column("content_type", String),
    Column("kind", String),
    Column("sha256", String(64)),
    Column("scanned", Boolean),
    Column("seconds", Double),
    Column("pages", Integer),
    Column("removed_parts", ARRAY(String)),
    Column("notes", ARRAY(String)),
)
Index(
    "uploads_to_expire",
    uploads.c.expires_at,
    postgresql_where=uploads.c.settled_at.is_(None) | uploads.c.case_id.is_(None),
)
Index(
    "uploads_reserved",
    uploads.c.address_key,
    postgresql_include=["size", "received", "state", "expires_at"],
    postgresql_where=uploads.c.state.in_(("open", "processing"))
    | ((uploads.c.state == "accepted") & uploads.c.case_id.is_(None)),
)
Index("uploads_to_sweep", uploads.c.settled_at, postgresql_where=uploads.c.swept_at.is_(None))

pieces = Table(
    "pieces",
    metadata,
    Column("upload_id", ForeignKey(uploads.c.upload_id, ondelete="CASCADE"), primary_key=True),
    Column("position", BigInteger, primary_key=True),
    Column("length", BigInteger, nullable=False),
    Column("key", String, nullable=False),
)

claims = Table(  # which cases refer to an upload: it is removed when the last of them lets it go
    "claims",
    metadata,
    Column("upload_id", ForeignKey(uploads.c.upload_id, ondelete="CASCADE"), primary_key=True),
    Column("case_id", UUID(as_uuid=True), primary_key=True, index=True),
    Column("from_office", Boolean, nullable=False),
    # Whether two cases are of one citizen: a hash of the citizen's id with the upload's, so that it says nothing else.
    Column("owner", String(64)),
    # Whether this case's citizen sent it, and so is shown what their device called it.
    Column("named", Boolean, nullable=False),
    Column("claimed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

files = Table(
    "files",
    metadata,
    Column("upload_id", ForeignKey(uploads.c.upload_id, ondelete="CASCADE"), primary_key=True),
    Column("variant", String, primary_key=True),
    Column("key", String, nullable=False),
    Column("content_type", String, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("width", Integer),
    Column("height", Integer),
)

erasures = Table(  # cases whose evidence is kept no longer; what is claimed for one later is not kept either
    "erasures",
    metadata,
    Column("case_id", UUID(as_uuid=True), primary_key=True),
    Column("rule", String, nullable=False),
    Column("media", Integer, nullable=False),  # how many went
    Column("erased_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
