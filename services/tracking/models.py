"""Tracking's tables. Texts are stored as typed; who complained is not here. Triggers keep the timeline append-only."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID, ExcludeConstraint

from backbone.storage.idempotency import commands_table
from services.tracking import row_conditions
from services.tracking.bulk.tables import bulk_tables
from services.tracking.call_backs.tables import call_back_tables
from services.tracking.case.look_tables import citizen_looks_table, looks_table
from services.tracking.identities.tables import identity_tables
from services.tracking.macros.tables import macro_table
from services.tracking.referrals.tables import referral_tables
from services.tracking.search.tables import search_tables

metadata = sa.MetaData()

cases = sa.Table(
    "cases",
    metadata,
    sa.Column("case_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("number", sa.String, nullable=False, unique=True),
    sa.Column("code_hash", sa.String(64), nullable=False, unique=True),
    # What was filed; never changed but for unit and ground, which screening sets right.
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("unit", sa.String),
    sa.Column("unit_asked", sa.String, nullable=False),
    sa.Column("unit_name_fa", sa.String),
    sa.Column("unit_name_en", sa.String),
    sa.Column("ground", sa.String, nullable=False),
    sa.Column("answers", JSONB, nullable=False),
    sa.Column("answered_questions", JSONB(none_as_null=True)),  # as they were asked that day
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("search", sa.Text, nullable=False),  # services/tracking/search/document.py
    sa.Column("search_form", sa.SmallInteger, nullable=False, server_default="0"),  # an older one is written anew
    sa.Column("happened_on", sa.String),
    sa.Column("place", JSONB),
    sa.Column("reference", sa.String),
    sa.Column("people", JSONB, nullable=False),
    sa.Column("visit_wanted", sa.Boolean, nullable=False),
    sa.Column("channel", sa.String, nullable=False),
    sa.Column("language", sa.String, nullable=False),
    sa.Column("anonymous", sa.Boolean, nullable=False),
    sa.Column("citizen_id", UUID(as_uuid=True)),
    sa.Column("group_members", sa.Integer),  # how many complain together, None: one
    sa.Column("group_common", sa.Text),
    sa.Column("consent", JSONB(none_as_null=True)),  # of whom an operator filed for
    sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
    # Its state.
    sa.Column("stage", sa.String, nullable=False),
    sa.Column("urgent", sa.Boolean, nullable=False),
    sa.Column("due_on", sa.Date),
    sa.Column("paused_on", sa.Date),
    sa.Column("handler", UUID(as_uuid=True)),
    sa.Column("previous_handlers", ARRAY(UUID(as_uuid=True)), nullable=False),
    sa.Column("excluded_staff", ARRAY(UUID(as_uuid=True)), nullable=False),
    sa.Column("approver", UUID(as_uuid=True)),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("history_hash", sa.String(64), nullable=False),
    sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.func.now()),  # by its last line
    sa.Column("proposal", JSONB(none_as_null=True)),
    sa.Column("checklist", JSONB, nullable=False, server_default="[]"),
    sa.Column("links", JSONB, nullable=False, server_default="[]"),
    sa.Column("transfers", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("colleagues", JSONB, nullable=False, server_default="[]"),  # services/tracking/colleagues/rules.py
    # What the calendar asks (services/tracking/case/deadlines.py).
    sa.Column("due_from", sa.Date),
    sa.Column("due_days", sa.Integer),
    sa.Column("pauses", JSONB, nullable=False, server_default="[]"),
    sa.Column("pending_question", JSONB(none_as_null=True)),
    sa.Column("first_due_on", sa.Date),
    sa.Column("refused_on", sa.Date),
    sa.Column("alarms_raised", JSONB, nullable=False, server_default="[]"),
    sa.Column("next_check_on", sa.Date),
    sa.Column("mark_on", sa.Date),  # when 80 % of the time for its decision is over; None: nothing is owed
    sa.Column("calendar", sa.Integer, nullable=False, server_default="0"),
    sa.Column("names", JSONB, nullable=False, server_default="{}"),  # of its refusal reason and causes, that day
    # How it ended.
    sa.Column("outcome", sa.String),
    sa.Column("reasons", sa.Text),
    sa.Column("decided_at", sa.DateTime(timezone=True)),
    sa.Column("final", sa.Boolean, nullable=False),
    sa.Column("objection_until", sa.Date),
    sa.Column("root_causes", JSONB, nullable=False),
    sa.Column("recommendations", JSONB, nullable=False),
    sa.Column("refusal_reason", sa.String),
    sa.Column("refusal_explanation", sa.Text),
    sa.Column("refusal_address", sa.Text),
    sa.Column("merged_into", UUID(as_uuid=True)),
    sa.Column("score", sa.SmallInteger),
    sa.Column("rate_until", sa.Date),
    # How long what of it is kept (services/tracking/retention/use_cases.py); `ended_at` is noted soon after the end.
    sa.Column("ended_at", sa.DateTime(timezone=True)),
    sa.Column("identity_erased_at", sa.DateTime(timezone=True)),
    sa.Column("evidence_erased_at", sa.DateTime(timezone=True)),
    sa.Column("texts_erased_at", sa.DateTime(timezone=True)),
    # The lists of staff and citizens, each by pages of (filed_at, case_id).
    sa.Index("cases_filed", "filed_at", "case_id"),
    sa.Index("cases_unit", "unit", "filed_at", "case_id"),
    # With the unit, which every query of staff asks for: so counting reads the index alone.
    *(
        sa.Index(f"cases_{name}_unit", name, "filed_at", "case_id", postgresql_include=["unit"])
        for name in ("stage", "ground", "channel")
    ),
    sa.Index(
        "cases_outcome_unit",
        *("outcome", "filed_at", "case_id"),
        postgresql_include=["unit"],
        postgresql_where=sa.text("outcome IS NOT NULL"),
    ),
    sa.Index("cases_urgent", "filed_at", "case_id", postgresql_where=sa.text("urgent")),
    sa.Index("cases_handler", "handler", "filed_at", "case_id", postgresql_where=sa.text("handler IS NOT NULL")),
    sa.Index(
        "cases_filed_at_desk",
        sa.text("(consent ->> 'recorded_by')"),
        *("filed_at", "case_id"),
        postgresql_where=sa.text("consent IS NOT NULL"),
    ),
    sa.Index("cases_citizen", "citizen_id", "filed_at", "case_id", postgresql_where=sa.text("citizen_id IS NOT NULL")),
    # Few: open cases with a second inspector, or while one is consulted.
    sa.Index("cases_colleagues", "filed_at", "case_id", postgresql_where=row_conditions.HAS_COLLEAGUES),
    # The scheduler's: what is due, what an older calendar reckoned.
    sa.Index("cases_next_check", "next_check_on", postgresql_where=sa.text("next_check_on IS NOT NULL")),
    sa.Index("cases_merged", "merged_into", postgresql_where=sa.text("merged_into IS NOT NULL")),
    sa.Index("cases_in_hand", "handler", postgresql_where=row_conditions.IN_HAND),
    sa.Index("cases_calendar", "calendar", postgresql_where=row_conditions.NOT_OVER),
    sa.Index("cases_end", "case_id", postgresql_where=sa.text(f"ended_at IS NULL AND {row_conditions.OVER.text}")),
    *(
        sa.Index(f"cases_{part}_kept", "kind", "ended_at", postgresql_where=sa.text(f"{part}_erased_at IS NULL"))
        for part in ("identity", "evidence", "texts")
    ),
    sa.Index("cases_expected", sa.text(row_conditions.EXPECTED), "case_id"),
    # Those of open stages, the last owed first: in the index of all a million that owe nothing would come before them.
    sa.Index("cases_expected_open", sa.text(row_conditions.EXPECTED), "case_id", postgresql_where=row_conditions.OPEN),
    sa.Index("cases_mark", "mark_on", "case_id", postgresql_where=sa.text("mark_on IS NOT NULL")),
    sa.Index("cases_nobody", "filed_at", "case_id", postgresql_where=sa.text("handler IS NULL")),
    sa.Index("cases_number_order", sa.text(row_conditions.NUMBER_ORDER), "case_id"),
    sa.Index("cases_changed", sa.text(row_conditions.CHANGED), "case_id"),
    # What an upgrade has left to be noted.
    sa.Index("cases_unchanged", "case_id", postgresql_where=sa.text("changed_at IS NULL")),
    sa.Index("cases_unmarked", "case_id", postgresql_where=row_conditions.UNMARKED),
    sa.Index("cases_decided", "decided_at", "case_id", postgresql_where=sa.text("decided_at IS NOT NULL")),
    sa.Index("cases_search_form", "search_form"),
    sa.Index("cases_search", "search", postgresql_using="gin", postgresql_ops={"search": "gin_trgm_ops"}),
)

pending_outcomes = sa.Table(  # decisions of cases that others were merged into; a row goes when those have been told
    "pending_outcomes",
    metadata,
    sa.Column("case_id", UUID(as_uuid=True), sa.ForeignKey("cases.case_id"), primary_key=True),
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("outcome", sa.String, nullable=False),
    sa.Column("final", sa.Boolean, nullable=False),
)

case_numbers = sa.Table(
    "case_numbers",
    metadata,
    sa.Column("year", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("last", sa.BigInteger, nullable=False),
)

letters = sa.Table(  # the numbers under which decisions and refusals went out, by their place in the timeline
    "letters",
    metadata,
    sa.Column("case_id", UUID(as_uuid=True), sa.ForeignKey("cases.case_id"), primary_key=True),
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("year", sa.SmallInteger, nullable=False),
    sa.Column("serial", sa.Integer, nullable=False),
    sa.Column("approved", sa.Boolean, nullable=False),
    # When the decision or refusal was taken back; its number is never given again.
    sa.Column("void_at", sa.DateTime(timezone=True)),
    sa.UniqueConstraint("year", "serial", name="letters_number"),
)

replaced_codes = sa.Table(  # of cases that had another code before: which one they have now
    "replaced_codes",
    metadata,
    sa.Column("case_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("attempt", sa.SmallInteger, nullable=False),
)

timeline = sa.Table(
    "timeline",
    metadata,
    sa.Column("case_id", UUID(as_uuid=True), sa.ForeignKey("cases.case_id"), primary_key=True),
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("entry", sa.String, nullable=False),
    sa.Column("actor_kind", sa.String, nullable=False),
    sa.Column("actor_id", sa.String),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("stage", sa.String, nullable=False),
    sa.Column("details", JSONB, nullable=False),
    sa.Column("previous_hash", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
)

questions = sa.Table(
    "questions",
    metadata,
    sa.Column("question_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("case_id", UUID(as_uuid=True), sa.ForeignKey("cases.case_id"), nullable=False, index=True),
    sa.Column("unit", sa.String),  # None: to the citizen
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("media", JSONB, nullable=False),  # of the case, sent along
    sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("due_on", sa.Date, nullable=False),
    sa.Column("answer", sa.Text),
    sa.Column("answered_at", sa.DateTime(timezone=True)),
    sa.Column("lapsed_at", sa.DateTime(timezone=True)),
    # It was reported that nobody answers for the unit.
    sa.Column("liaison_missing", sa.Boolean, nullable=False, server_default=sa.text("false")),
    sa.Index(
        "questions_waiting",
        "unit",
        postgresql_where=sa.text("unit IS NOT NULL AND answered_at IS NULL AND lapsed_at IS NULL"),
    ),
    sa.Index("questions_unit", "unit", "asked_at", postgresql_where=sa.text("unit IS NOT NULL")),
)

recommendations = sa.Table(
    "recommendations",
    metadata,
    sa.Column("recommendation_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("case_id", UUID(as_uuid=True), sa.ForeignKey("cases.case_id"), nullable=False, index=True),
    sa.Column("unit", sa.String, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("due_on", sa.Date, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("escalated", sa.Boolean, nullable=False),
    sa.Column("made_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("reported_at", sa.DateTime(timezone=True)),
    sa.Column("settled_at", sa.DateTime(timezone=True)),
    sa.Index("recommendations_unit", "unit", "due_on"),
    sa.Index("recommendations_due", "due_on", postgresql_where=sa.text("state = 'open' AND NOT escalated")),
)

attachments = sa.Table(
    "attachments",
    metadata,
    sa.Column("case_id", UUID(as_uuid=True), sa.ForeignKey("cases.case_id"), primary_key=True),
    sa.Column("media_id", sa.String, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("from_office", sa.Boolean, nullable=False),
    sa.Column("question_id", UUID(as_uuid=True)),
    # The citizen was informed that it is refused.
    sa.Column("refusal_reported", sa.Boolean, nullable=False, server_default=sa.text("false")),
    sa.Column("withdrawn_at", sa.DateTime(timezone=True)),  # its citizen took it back
    # When it became part of the case; none of what is older than this column.
    sa.Column("added_at", sa.DateTime(timezone=True)),
    sa.Column("added_by", UUID(as_uuid=True)),  # of the staff; none for the citizen
    sa.Column("redacts", sa.String),  # the attachment of which it is the redacted version
    sa.Index("attachments_media", "media_id"),
)

citizen_looks = citizen_looks_table(metadata)

# Attachments that this case cannot have, whatever others can; they may be named before the case is open.
withheld = sa.Table(
    "withheld",
    metadata,
    sa.Column("case_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("media_id", sa.String, primary_key=True),
    sa.Column("reason", sa.String, nullable=False),
)

media_states = sa.Table(
    "media_states",
    metadata,
    sa.Column("media_id", sa.String, primary_key=True),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("media_type", sa.String),
    sa.Column("size", sa.BigInteger),
    sa.Column("variants", JSONB, nullable=False),
    sa.Column("reason", sa.String),
    sa.Column("notes", JSONB),
    sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("duration_seconds", sa.Double),  # of sound and film
    sa.Column("width", sa.Integer),
    sa.Column("height", sa.Integer),
    sa.Column("peaks", sa.Boolean),
)

units = sa.Table(
    "units",
    metadata,
    sa.Column("code", sa.String, primary_key=True),
    sa.Column("parent", sa.String),
    sa.Column("name_fa", sa.String, nullable=False),
    sa.Column("name_en", sa.String, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
)

grounds = sa.Table(
    "grounds",
    metadata,
    sa.Column("code", sa.String, primary_key=True),
    sa.Column("kinds", JSONB, nullable=False),
    sa.Column("name_fa", sa.String),
    sa.Column("name_en", sa.String),
)

catalogue = sa.Table(
    "catalogue",
    metadata,
    sa.Column("one", sa.Boolean, primary_key=True),  # always true: there is one row
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("holidays", JSONB, nullable=False),
    sa.Column("rules", JSONB, nullable=False, server_default="{}"),
    sa.Column(
        "calendar", sa.Integer, nullable=False, server_default="1"
    ),  # the version that last changed a working day, or rules of open cases
    sa.Column("open_rules", sa.Integer, nullable=False, server_default="0"),  # the one of rules for open cases
)

staff = sa.Table(
    "staff",
    metadata,
    sa.Column("staff_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("roles", JSONB, nullable=False),
    sa.Column("unit", sa.String),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("display_name", sa.String),
    sa.Column("successor", UUID(as_uuid=True)),  # named with the change by which they may do less
    # Until when it is looked at what they may not have in hand any more (responsibility/); None: that is settled.
    sa.Column("unsettled_until", sa.DateTime(timezone=True), server_default=sa.func.now()),
    # Who answers for a unit: asked whenever a case is read.
    sa.Index("staff_liaisons", "unit", postgresql_where=sa.text(f"active AND {row_conditions.LIAISON.text}")),
)

leaves = sa.Table(  # who stands in for whom, as accounts published it last
    "leaves",
    metadata,
    sa.Column("leave_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("staff_id", UUID(as_uuid=True), nullable=False),
    sa.Column("deputy", UUID(as_uuid=True), nullable=False),
    sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
    sa.Index("leaves_deputy", "deputy"),
)

reminders = sa.Table(
    "reminders",
    metadata,
    sa.Column("reminder_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("case_id", UUID(as_uuid=True), sa.ForeignKey("cases.case_id"), nullable=False, index=True),
    sa.Column("staff_id", UUID(as_uuid=True), nullable=False),
    sa.Column("on_day", sa.Date, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("reminded", sa.Boolean, nullable=False, server_default="false"),
    sa.Index("reminders_due", "on_day", postgresql_where=sa.text("NOT reminded")),
)

skills = sa.Table(
    "skills",
    metadata,
    sa.Column("staff_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("grounds", JSONB, nullable=False),
)

commands = commands_table("commands", metadata)

checkpoints = sa.Table(  # the signed files that vouch for the audit logs and the timelines, as they were given away
    "checkpoints",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
)

# --- visits ---

rooms = sa.Table(
    "rooms",
    metadata,
    sa.Column("room_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("name_fa", sa.Text, nullable=False),
    sa.Column("name_en", sa.Text, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
)

visit_slots = sa.Table(  # no two of one room, nor of one inspector, at the same time
    "visit_slots",
    metadata,
    sa.Column("slot_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("room_id", UUID(as_uuid=True), sa.ForeignKey("rooms.room_id"), nullable=False),
    sa.Column("inspector", UUID(as_uuid=True), nullable=False),
    sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("capacity", sa.Integer, nullable=False),
    sa.Column("closed", sa.Boolean, nullable=False),
    sa.CheckConstraint("capacity > 0", name="visit_slots_capacity_check"),
    sa.CheckConstraint("starts_at < ends_at", name="visit_slots_check"),
    *(
        ExcludeConstraint(
            (column, "="),
            (sa.text("tstzrange(starts_at, ends_at)"), "&&"),
            using="gist",
            where=sa.text("NOT closed"),
            name=name,
        )
        for column, name in (("room_id", "one_slot_of_a_room"), ("inspector", "one_slot_of_an_inspector"))
    ),
    sa.Index("visit_slots_inspector", "inspector", "starts_at"),
    sa.Index("visit_slots_starts", "starts_at"),
)

visits = sa.Table(  # of each case at most one is asked for or booked
    "visits",
    metadata,
    sa.Column("visit_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("case_id", UUID(as_uuid=True), sa.ForeignKey("cases.case_id"), nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("slot_id", UUID(as_uuid=True), sa.ForeignKey("visit_slots.slot_id")),
    sa.Column("offered", ARRAY(UUID(as_uuid=True)), nullable=False),
    # When to remind; None: not, or done.
    sa.Column("remind_day_at", sa.DateTime(timezone=True)),
    sa.Column("remind_hours_at", sa.DateTime(timezone=True)),
    sa.Index("visits_case", "case_id", "asked_at"),
    sa.Index("visits_open", "case_id", unique=True, postgresql_where=sa.text("state IN ('asked', 'booked', 'moved')")),
    sa.Index("visits_slot", "slot_id", postgresql_where=sa.text("slot_id IS NOT NULL")),
    sa.Index("visits_remind_day", "remind_day_at", postgresql_where=sa.text("remind_day_at IS NOT NULL")),
    sa.Index("visits_remind_hours", "remind_hours_at", postgresql_where=sa.text("remind_hours_at IS NOT NULL")),
)

calendar_feeds = sa.Table(  # addresses at which staff read their visits and deadlines: of each its hash alone
    "calendar_feeds",
    metadata,
    sa.Column("staff_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("secret_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("language", sa.String, nullable=False),
    sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
)

call_back_draws, call_backs = call_back_tables(metadata)

looks = looks_table(metadata)

# --- saved searches and exports ---

searches, search_pins = search_tables(metadata)

exports = sa.Table(  # what is made of them is in export_chunks: first the rows, then the file
    "exports",
    metadata,
    sa.Column("export_id", UUID(as_uuid=True), primary_key=True),
    # What was asked for, by whom.
    sa.Column("owner", UUID(as_uuid=True), nullable=False),
    sa.Column("roles", JSONB, nullable=False),  # of the token; what accounts published last narrows them
    sa.Column("unit", sa.String),
    sa.Column("filters", JSONB, nullable=False),
    sa.Column("search", UUID(as_uuid=True)),
    sa.Column("kept", JSONB(none_as_null=True)),  # the filters of that search on the day
    sa.Column("format", sa.String, nullable=False),
    sa.Column("language", sa.String, nullable=False),
    sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
    # How far it is.
    sa.Column("state", sa.String, nullable=False),
    sa.Column("rights", JSONB(none_as_null=True)),  # what the owner might see when the rows were read
    sa.Column("rows_total", sa.Integer),
    sa.Column("rows_done", sa.Integer, nullable=False),
    sa.Column("pages", sa.Integer, nullable=False),
    sa.Column("place", sa.String),  # the cursor behind the last row
    sa.Column("read", sa.Boolean, nullable=False),  # all rows are there; the file is to be made
    sa.Column("size", sa.BigInteger),
    sa.Column("chunks", sa.Integer),
    sa.Column("error", sa.String),
    sa.Column("finished_at", sa.DateTime(timezone=True)),
    sa.Column("expires_at", sa.DateTime(timezone=True)),
    # Who is at it: whoever finds the lease over takes it up.
    sa.Column("worker", UUID(as_uuid=True)),
    sa.Column("leased_until", sa.DateTime(timezone=True)),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Index("exports_owner", "owner", "asked_at"),
    sa.Index("exports_open", "asked_at", postgresql_where=row_conditions.EXPORT_UNFINISHED),
    sa.Index("exports_expire", "expires_at", postgresql_where=sa.text("expires_at IS NOT NULL")),
)

export_chunks = sa.Table(
    "export_chunks",
    metadata,
    sa.Column(
        "export_id", UUID(as_uuid=True), sa.ForeignKey("exports.export_id", ondelete="CASCADE"), primary_key=True
    ),
    sa.Column("part", sa.String, primary_key=True),  # rows, file
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
)

identity_requests = identity_tables(metadata)
referrals, referral_answers = referral_tables(metadata)
macros = macro_table(metadata)
bulks, bulk_cases = bulk_tables(metadata)
