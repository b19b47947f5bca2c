"""The administrator's words in place of those that are shipped, who changed them, and under which key."""

from alembic import op

from services.notify.models import text_commands, text_history, texts

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    for table in (texts, text_history, text_commands):
        # A database made from today's models has them already.
        table.create(op.get_bind(), checkfirst=True)
    op.execute(
        """
        CREATE OR REPLACE FUNCTION history_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'the history only grows' USING ERRCODE = 'restrict_violation';
        END $$
        """
    )
    for name, moment in (("changed", "UPDATE OR DELETE"), ("emptied", "TRUNCATE")):
        op.execute(
            f"""
            CREATE OR REPLACE TRIGGER history_is_never_{name} BEFORE {moment} ON text_history
            FOR EACH STATEMENT EXECUTE FUNCTION history_only_grows()
            """
        )
