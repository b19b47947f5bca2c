"""Initial schema of tracking: cases, their timelines and all that belongs to them. Frozen: a change is a new revision."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, ExcludeConstraint

from backbone.storage import common_tables_v1
from backbone.storage.common_tables_v1 import TIMESTAMP

revision = "0001_initial"
down_revision = None

_OPEN = "stage IN ('registered', 'screening', 'investigating', 'awaiting_citizen', 'awaiting_unit', 'review')"
_EXPECTED = f"(coalesce(CASE WHEN paused_on IS NULL AND {_OPEN} THEN due_on END, DATE '9999-12-31'))"


def upgrade() -> None:
    # Both are trusted extensions: the owner of a database may create them.
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    _create_cases()
    _create_inquiry()
    _create_evidence()
    _create_reference()
    _create_work()
    _create_visits()
    _create_searches_and_exports()
    _create_identities()
    common_tables_v1.create_outbox_and_inbox()
    common_tables_v1.create_audit()
    _protect_timeline()


def _create_cases() -> None:
    op.create_table(
        "cases",
        sa.Column("case_id", sa.Uuid(), primary_key=True),
        sa.Column("number", sa.String(), nullable=False, unique=True),
        sa.Column("code_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("unit", sa.String()),
        sa.Column("unit_asked", sa.String(), nullable=False),
        sa.Column("unit_name_fa", sa.String()),
        sa.Column("unit_name_en", sa.String()),
        sa.Column("ground", sa.String(), nullable=False),
        sa.Column("answers", JSONB(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("search", sa.Text(), nullable=False),
        sa.Column("happened_on", sa.String()),
        sa.Column("place", JSONB()),
        sa.Column("reference", sa.String()),
        sa.Column("people", JSONB(), nullable=False),
        sa.Column("visit_wanted", sa.Boolean(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("anonymous", sa.Boolean(), nullable=False),
        sa.Column("citizen_id", sa.Uuid()),
        sa.Column("group_members", sa.Integer()),
        sa.Column("group_common", sa.Text()),
        sa.Column("consent", JSONB()),
        sa.Column("filed_at", TIMESTAMP, nullable=False),
        sa.Column("opened_at", TIMESTAMP, nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("due_on", sa.Date()),
        sa.Column("paused_on", sa.Date()),
        sa.Column("handler", sa.Uuid()),
        sa.Column("previous_handlers", ARRAY(sa.Uuid()), nullable=False),
        sa.Column("excluded_staff", ARRAY(sa.Uuid()), nullable=False),
        sa.Column("approver", sa.Uuid()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("history_hash", sa.String(64), nullable=False),
        sa.Column("proposal", JSONB()),
        sa.Column("checklist", JSONB(), nullable=False, server_default="[]"),
        sa.Column("links", JSONB(), nullable=False, server_default="[]"),
        sa.Column("due_from", sa.Date()),
        sa.Column("due_days", sa.Integer()),
        sa.Column("pauses", JSONB(), nullable=False, server_default="[]"),
        sa.Column("pending_question", JSONB()),
        sa.Column("first_due_on", sa.Date()),
        sa.Column("refused_on", sa.Date()),
        sa.Column("alarms_raised", JSONB(), nullable=False, server_default="[]"),
        sa.Column("next_check_on", sa.Date()),
        sa.Column("calendar", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("names", JSONB(), nullable=False, server_default="{}"),
        sa.Column("outcome", sa.String()),
        sa.Column("reasons", sa.Text()),
        sa.Column("decided_at", TIMESTAMP),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.Column("objection_until", sa.Date()),
        sa.Column("root_causes", JSONB(), nullable=False),
        sa.Column("recommendations", JSONB(), nullable=False),
        sa.Column("refusal_reason", sa.String()),
        sa.Column("refusal_explanation", sa.Text()),
        sa.Column("refusal_address", sa.Text()),
        sa.Column("merged_into", sa.Uuid()),
        sa.Column("score", sa.SmallInteger()),
        sa.Column("ended_at", TIMESTAMP),
        sa.Column("identity_erased_at", TIMESTAMP),
        sa.Column("evidence_erased_at", TIMESTAMP),
        sa.Column("texts_erased_at", TIMESTAMP),
    )
    op.create_index("cases_filed", "cases", ["filed_at", "case_id"])
    op.create_index("cases_unit", "cases", ["unit", "filed_at", "case_id"])
    op.create_index(
        "cases_outcome_unit",
        "cases",
        ["outcome", "filed_at", "case_id"],
        postgresql_include=["unit"],
        postgresql_where=sa.text("outcome IS NOT NULL"),
    )
    op.create_index("cases_urgent", "cases", ["filed_at", "case_id"], postgresql_where=sa.text("urgent"))
    op.create_index(
        "cases_handler", "cases", ["handler", "filed_at", "case_id"], postgresql_where=sa.text("handler IS NOT NULL")
    )
    op.create_index(
        "cases_citizen",
        "cases",
        ["citizen_id", "filed_at", "case_id"],
        postgresql_where=sa.text("citizen_id IS NOT NULL"),
    )
    op.create_index(
        "cases_next_check", "cases", ["next_check_on"], postgresql_where=sa.text("next_check_on IS NOT NULL")
    )
    op.create_index("cases_merged", "cases", ["merged_into"], postgresql_where=sa.text("merged_into IS NOT NULL"))
    op.create_index(
        "cases_in_hand",
        "cases",
        ["handler"],
        postgresql_where=sa.text(
            "handler IS NOT NULL AND stage NOT IN ('closed', 'merged', 'withdrawn', 'decided', 'refused')"
        ),
    )
    op.create_index(
        "cases_calendar",
        "cases",
        ["calendar"],
        postgresql_where=sa.text("stage NOT IN ('closed', 'merged', 'withdrawn')"),
    )
    op.create_index(
        "cases_end",
        "cases",
        ["case_id"],
        postgresql_where=sa.text("ended_at IS NULL AND stage IN ('closed', 'merged', 'withdrawn')"),
    )
    op.create_index("cases_expected", "cases", [sa.text(_EXPECTED), "case_id"])
    op.create_index("cases_expected_open", "cases", [sa.text(_EXPECTED), "case_id"], postgresql_where=sa.text(_OPEN))
    op.create_index(
        "cases_decided", "cases", ["decided_at", "case_id"], postgresql_where=sa.text("decided_at IS NOT NULL")
    )
    op.create_index(
        "cases_search", "cases", ["search"], postgresql_using="gin", postgresql_ops={"search": "gin_trgm_ops"}
    )
    op.create_index(
        "cases_evidence_kept", "cases", ["kind", "ended_at"], postgresql_where=sa.text("evidence_erased_at IS NULL")
    )
    op.create_index("cases_ground_unit", "cases", ["ground", "filed_at", "case_id"], postgresql_include=["unit"])
    op.create_index(
        "cases_identity_kept", "cases", ["kind", "ended_at"], postgresql_where=sa.text("identity_erased_at IS NULL")
    )
    op.create_index("cases_stage_unit", "cases", ["stage", "filed_at", "case_id"], postgresql_include=["unit"])
    op.create_index(
        "cases_texts_kept", "cases", ["kind", "ended_at"], postgresql_where=sa.text("texts_erased_at IS NULL")
    )
    op.create_table(
        "pending_outcomes",
        sa.Column("case_id", sa.Uuid(), sa.ForeignKey("cases.case_id"), primary_key=True),
        sa.Column("sequence", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("final", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "case_numbers",
        sa.Column("year", sa.SmallInteger(), primary_key=True, autoincrement=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "letters",
        sa.Column("case_id", sa.Uuid(), sa.ForeignKey("cases.case_id"), primary_key=True),
        sa.Column("sequence", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.UniqueConstraint("year", "serial", name="letters_number"),
    )
    op.create_table(
        "timeline",
        sa.Column("case_id", sa.Uuid(), sa.ForeignKey("cases.case_id"), primary_key=True),
        sa.Column("sequence", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("entry", sa.String(), nullable=False),
        sa.Column("actor_kind", sa.String(), nullable=False),
        sa.Column("actor_id", sa.String()),
        sa.Column("at", TIMESTAMP, nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("details", JSONB(), nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )


def _create_inquiry() -> None:
    op.create_table(
        "questions",
        sa.Column("question_id", sa.Uuid(), primary_key=True),
        sa.Column("case_id", sa.Uuid(), sa.ForeignKey("cases.case_id"), nullable=False),
        sa.Column("unit", sa.String()),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("media", JSONB(), nullable=False),
        sa.Column("asked_at", TIMESTAMP, nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("answer", sa.Text()),
        sa.Column("answered_at", TIMESTAMP),
        sa.Column("lapsed_at", TIMESTAMP),
    )
    op.create_index("questions_unit", "questions", ["unit", "asked_at"], postgresql_where=sa.text("unit IS NOT NULL"))
    op.create_index("ix_questions_case_id", "questions", ["case_id"])
    op.create_table(
        "recommendations",
        sa.Column("recommendation_id", sa.Uuid(), primary_key=True),
        sa.Column("case_id", sa.Uuid(), sa.ForeignKey("cases.case_id"), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("escalated", sa.Boolean(), nullable=False),
        sa.Column("made_at", TIMESTAMP, nullable=False, server_default=sa.text("now()")),
        sa.Column("reported_at", TIMESTAMP),
        sa.Column("settled_at", TIMESTAMP),
    )
    op.create_index("recommendations_unit", "recommendations", ["unit", "due_on"])
    op.create_index(
        "recommendations_due",
        "recommendations",
        ["due_on"],
        postgresql_where=sa.text("state = 'open' AND NOT escalated"),
    )
    op.create_index("ix_recommendations_case_id", "recommendations", ["case_id"])


def _create_evidence() -> None:
    op.create_table(
        "attachments",
        sa.Column("case_id", sa.Uuid(), sa.ForeignKey("cases.case_id"), primary_key=True),
        sa.Column("media_id", sa.String(), primary_key=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("from_office", sa.Boolean(), nullable=False),
        sa.Column("question_id", sa.Uuid()),
        sa.Column("refusal_reported", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    )
    op.create_index("attachments_media", "attachments", ["media_id"])
    op.create_table(
        "withheld",
        sa.Column("case_id", sa.Uuid(), primary_key=True),
        sa.Column("media_id", sa.String(), primary_key=True),
        sa.Column("reason", sa.String(), nullable=False),
    )
    op.create_table(
        "media_states",
        sa.Column("media_id", sa.String(), primary_key=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("media_type", sa.String()),
        sa.Column("size", sa.BigInteger()),
        sa.Column("variants", JSONB(), nullable=False),
        sa.Column("reason", sa.String()),
        sa.Column("notes", JSONB()),
        sa.Column("reported_at", TIMESTAMP, nullable=False),
    )


def _create_reference() -> None:
    op.create_table(
        "units",
        sa.Column("code", sa.String(), primary_key=True),
        sa.Column("parent", sa.String()),
        sa.Column("name_fa", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "grounds",
        sa.Column("code", sa.String(), primary_key=True),
        sa.Column("kinds", JSONB(), nullable=False),
    )
    op.create_table(
        "catalogue",
        sa.Column("one", sa.Boolean(), primary_key=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("holidays", JSONB(), nullable=False),
        sa.Column("rules", JSONB(), nullable=False, server_default="{}"),
        sa.Column("calendar", sa.Integer(), nullable=False, server_default="1"),
    )
    op.create_table(
        "staff",
        sa.Column("staff_id", sa.Uuid(), primary_key=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("roles", JSONB(), nullable=False),
        sa.Column("unit", sa.String()),
        sa.Column("active", sa.Boolean(), nullable=False),
    )


def _create_work() -> None:
    op.create_table(
        "reminders",
        sa.Column("reminder_id", sa.Uuid(), primary_key=True),
        sa.Column("case_id", sa.Uuid(), sa.ForeignKey("cases.case_id"), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("reminded", sa.Boolean(), nullable=False, server_default="false"),
    )
    op.create_index("reminders_due", "reminders", ["on_day"], postgresql_where=sa.text("NOT reminded"))
    op.create_index("ix_reminders_case_id", "reminders", ["case_id"])
    op.create_table(
        "skills",
        sa.Column("staff_id", sa.Uuid(), primary_key=True),
        sa.Column("grounds", JSONB(), nullable=False),
    )
    common_tables_v1.create_commands("commands")
    op.create_index("ix_commands_done_at", "commands", ["done_at"])
    op.create_table(
        "checkpoints",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("made_at", TIMESTAMP, nullable=False),
    )


def _create_visits() -> None:
    op.create_table(
        "rooms",
        sa.Column("room_id", sa.Uuid(), primary_key=True),
        sa.Column("name_fa", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "visit_slots",
        sa.Column("slot_id", sa.Uuid(), primary_key=True),
        sa.Column("room_id", sa.Uuid(), sa.ForeignKey("rooms.room_id"), nullable=False),
        sa.Column("inspector", sa.Uuid(), nullable=False),
        sa.Column("starts_at", TIMESTAMP, nullable=False),
        sa.Column("ends_at", TIMESTAMP, nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.CheckConstraint("capacity > 0", name="visit_slots_capacity_check"),
        sa.CheckConstraint("starts_at < ends_at", name="visit_slots_check"),
        ExcludeConstraint(
            ("room_id", "="),
            (sa.text("tstzrange(starts_at, ends_at)"), "&&"),
            using="gist",
            where=sa.text("NOT closed"),
            name="one_slot_of_a_room",
        ),
        ExcludeConstraint(
            ("inspector", "="),
            (sa.text("tstzrange(starts_at, ends_at)"), "&&"),
            using="gist",
            where=sa.text("NOT closed"),
            name="one_slot_of_an_inspector",
        ),
    )
    op.create_index("visit_slots_inspector", "visit_slots", ["inspector", "starts_at"])
    op.create_index("visit_slots_starts", "visit_slots", ["starts_at"])
    op.create_table(
        "visits",
        sa.Column("visit_id", sa.Uuid(), primary_key=True),
        sa.Column("case_id", sa.Uuid(), sa.ForeignKey("cases.case_id"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_at", TIMESTAMP, nullable=False),
        sa.Column("slot_id", sa.Uuid(), sa.ForeignKey("visit_slots.slot_id")),
        sa.Column("offered", ARRAY(sa.Uuid()), nullable=False),
        sa.Column("remind_day_at", TIMESTAMP),
        sa.Column("remind_hours_at", TIMESTAMP),
    )
    op.create_index("visits_case", "visits", ["case_id", "asked_at"])
    op.create_index(
        "visits_open",
        "visits",
        ["case_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('asked', 'booked', 'moved')"),
    )
    op.create_index("visits_slot", "visits", ["slot_id"], postgresql_where=sa.text("slot_id IS NOT NULL"))
    op.create_index(
        "visits_remind_day", "visits", ["remind_day_at"], postgresql_where=sa.text("remind_day_at IS NOT NULL")
    )
    op.create_index(
        "visits_remind_hours", "visits", ["remind_hours_at"], postgresql_where=sa.text("remind_hours_at IS NOT NULL")
    )


def _create_searches_and_exports() -> None:
    op.create_table(
        "searches",
        sa.Column("search_id", sa.Uuid(), primary_key=True),
        sa.Column("owner", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("filters", JSONB(), nullable=False),
        sa.Column("sort", sa.String(), nullable=False),
        sa.Column("shared_with", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", TIMESTAMP, nullable=False),
        sa.Column("changed_at", TIMESTAMP, nullable=False),
    )
    op.create_index("searches_owner", "searches", ["owner", "made_at", "search_id"])
    op.create_index(
        "searches_shared", "searches", ["shared_with", "made_at"], postgresql_where=sa.text("shared_with <> 'nobody'")
    )
    op.create_table(
        "exports",
        sa.Column("export_id", sa.Uuid(), primary_key=True),
        sa.Column("owner", sa.Uuid(), nullable=False),
        sa.Column("roles", JSONB(), nullable=False),
        sa.Column("unit", sa.String()),
        sa.Column("filters", JSONB(), nullable=False),
        sa.Column("search", sa.Uuid()),
        sa.Column("kept", JSONB()),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("asked_at", TIMESTAMP, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("rights", JSONB()),
        sa.Column("rows_total", sa.Integer()),
        sa.Column("rows_done", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("place", sa.String()),
        sa.Column("read", sa.Boolean(), nullable=False),
        sa.Column("size", sa.BigInteger()),
        sa.Column("chunks", sa.Integer()),
        sa.Column("error", sa.String()),
        sa.Column("finished_at", TIMESTAMP),
        sa.Column("expires_at", TIMESTAMP),
        sa.Column("worker", sa.Uuid()),
        sa.Column("leased_until", TIMESTAMP),
        sa.Column("tries", sa.Integer(), nullable=False),
    )
    op.create_index("exports_owner", "exports", ["owner", "asked_at"])
    op.create_index(
        "exports_open", "exports", ["asked_at"], postgresql_where=sa.text("state IN ('waiting', 'running')")
    )
    op.create_index("exports_expire", "exports", ["expires_at"], postgresql_where=sa.text("expires_at IS NOT NULL"))
    op.create_table(
        "export_chunks",
        sa.Column("export_id", sa.Uuid(), sa.ForeignKey("exports.export_id", ondelete="CASCADE"), primary_key=True),
        sa.Column("part", sa.String(), primary_key=True),
        sa.Column("place", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
    )


def _create_identities() -> None:
    op.create_table(
        "identity_requests",
        sa.Column("request_id", sa.Uuid(), primary_key=True),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", TIMESTAMP, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("decided_by", sa.Uuid()),
        sa.Column("decided_at", TIMESTAMP),
        sa.Column("answer", sa.Text()),
        sa.Column("open_until", TIMESTAMP),
    )
    op.create_index("identity_requests_newest", "identity_requests", ["asked_at", "request_id"])
    op.create_index(
        "identity_requests_waiting",
        "identity_requests",
        ["asked_at", "request_id"],
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index("identity_requests_case", "identity_requests", ["case_id", "asked_by"])


def _protect_timeline() -> None:
    op.execute(
        """
        CREATE FUNCTION timeline_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND current_setting('peygir.erasing', true) = 'on' THEN
                RETURN NULL;
            END IF;
            RAISE EXCEPTION 'the timeline only grows' USING ERRCODE = 'restrict_violation';
        END $$
        """
    )
    common_tables_v1.make_append_only("timeline", "timeline", "timeline_only_grows")
    # Erasing leaves fields out and adds none.
    op.execute(
        """
        CREATE FUNCTION timeline_only_loses() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF to_jsonb(NEW) - 'details' - 'actor_id' = to_jsonb(OLD) - 'details' - 'actor_id'
                AND NEW.details <@ OLD.details
                AND (NEW.actor_id IS NULL OR NEW.actor_id IS NOT DISTINCT FROM OLD.actor_id) THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'a line of the timeline is never written anew' USING ERRCODE = 'restrict_violation';
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER timeline_is_never_written_anew BEFORE UPDATE ON timeline
        FOR EACH ROW EXECUTE FUNCTION timeline_only_loses()
        """
    )
