"""Who approved a decision that another had proposed; they may approve the final one, too."""

from alembic import op

revision = "0012_approver"
down_revision = "0011_joined"


def upgrade() -> None:
    # A database made from today's models has it already.
    op.execute("ALTER TABLE cases ADD COLUMN IF NOT EXISTS approver uuid")
    op.execute(
        """
        UPDATE cases SET approver = CAST(timeline.actor_id AS uuid) FROM timeline
        WHERE timeline.case_id = cases.case_id AND timeline.entry = 'decided'
          AND jsonb_exists(timeline.details, 'proposed_by')
          AND cases.stage IN ('decided', 'review') AND NOT cases.final AND cases.approver IS NULL
        """
    )
