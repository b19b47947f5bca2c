"""The first tables of media."""

from alembic import op

from backbone.storage.migrate import create_mechanism
from services.media.models import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())
    create_mechanism(op)
