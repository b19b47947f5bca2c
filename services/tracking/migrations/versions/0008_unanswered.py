"""Until when a closed case may be rated; and the clock of questions that citizens have not answered."""

import sqlalchemy as sa
from alembic import op

revision = "0008_unanswered"
down_revision = "0007_audit_reading"


def upgrade() -> None:
    op.add_column("cases", sa.Column("rate_until", sa.Date()))
    # Nobody was reminded before: what was asked long ago is not closed at once, but counts from today.
    op.execute(
        "UPDATE cases SET next_check_on = CURRENT_DATE, pending_question = pending_question"
        " || jsonb_build_object('on', to_char(CURRENT_DATE, 'YYYY-MM-DD'))"
        " WHERE stage = 'awaiting_citizen' AND pending_question IS NOT NULL"
    )
