"""What the administrator sets, who changed it, and under which key."""

from alembic import op

from services.intake.models import configuration_commands, configuration_history, settings

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for table in (settings, configuration_history, configuration_commands):
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
            CREATE OR REPLACE TRIGGER history_is_never_{name} BEFORE {moment} ON configuration_history
            FOR EACH STATEMENT EXECUTE FUNCTION history_only_grows()
            """
        )
