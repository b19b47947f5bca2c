"""The first tables of tracking."""

from alembic import op

from backbone.storage.migrate import create_mechanism
from services.tracking.models import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")  # trusted: the owner of a database may
    metadata.create_all(op.get_bind())
    create_mechanism(op)
    op.execute(
        """
        CREATE FUNCTION timeline_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'the timeline only grows' USING ERRCODE = 'restrict_violation';
        END $$
        """
    )
    for name, moment in (("changed", "UPDATE OR DELETE"), ("emptied", "TRUNCATE")):
        op.execute(
            f"""
            CREATE TRIGGER timeline_is_never_{name} BEFORE {moment} ON timeline
            FOR EACH STATEMENT EXECUTE FUNCTION timeline_only_grows()
            """
        )
