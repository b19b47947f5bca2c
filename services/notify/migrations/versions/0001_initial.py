"""The first tables of notify."""

from alembic import op

from backbone.storage.migrate import create_mechanism
from services.notify.models import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())
    create_mechanism(op)  # type: ignore[arg-type]  # alembic.op proxies Operations
