"""Tracking's tables. Texts are stored as typed; who complained is not here. Triggers keep the timeline append-only."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID, ExcludeConstraint

from backbone.storage.idempotency import commands_table

metadata = MetaData()

NOT_OVER = text("stage NOT IN ('closed', 'merged', 'withdrawn')")
"""Cases to which the calendar may still say something; written out, so that the index of just these is always found."""

OVER = text("stage IN ('closed', 'merged', 'withdrawn')")
"""Cases that have ended."""

IN_HAND = text("handler IS NOT NULL AND stage NOT IN ('closed', 'merged', 'withdrawn', 'decided', 'refused')")
"""Open cases that an inspector has in hand."""

OPEN = text("stage IN ('registered', 'screening', 'investigating', 'awaiting_citizen', 'awaiting_unit', 'review')")
"""Cases that go on."""

EXPECTED = f"(coalesce(CASE WHEN paused_on IS NULL AND {OPEN.text} THEN due_on END, DATE '9999-12-31'))"
"""The day a decision is owed, and long after all days where none is; written out for the index, too."""

cases = Table(
    "cases",
    metadata,
    Column("case_id", UUID(as_uuid=True), primary_key=True),
    Column("number", String, nullable=False, unique=True),
    Column("code_hash", String(64), nullable=False, unique=True),
    # What was filed; never changed but for unit and ground, which screening sets right.
    Column("kind", String, nullable=False),
    Column("unit", String),
    Column("unit_asked", String, nullable=False),
    Column("unit_name_fa", String),
    Column("unit_name_en", String),
    Column("ground", String, nullable=False),
    Column("answers", JSONB, nullable=False),
    Column("text", Text, nullable=False),
    Column("search", Text, nullable=False),
    Column("happened_on", String),
    Column("place", JSONB),
    Column("reference", String),
    Column("people", JSONB, nullable=False),
    Column("visit_wanted", Boolean, nullable=False),
    Column("channel", String, nullable=False),
    Column("language", String, nullable=False),
    Column("anonymous", Boolean, nullable=False),
    Column("citizen_id", UUID(as_uuid=True)),
    Column("group_members", Integer),  # how many complain together, None: one
    Column("group_common", Text),
    Column("consent", JSONB(none_as_null=True)),  # of whom an operator filed for
    Column("filed_at", DateTime(timezone=True), nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    # Its state.
    Column("stage", String, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("due_on", Date),
    Column("paused_on", Date),
    Column("handler", UUID(as_uuid=True)),
    Column("previous_handlers", ARRAY(UUID(as_uuid=True)), nullable=False),
    Column("excluded_staff", ARRAY(UUID(as_uuid=True)), nullable=False),
    Column("approver", UUID(as_uuid=True)),
    Column("version", Integer, nullable=False),
    Column("history_hash", String(64), nullable=False),
    Column("proposal", JSONB(none_as_null=True)),
    Column("checklist", JSONB, nullable=False, server_default="[]"),
    Column("links", JSONB, nullable=False, server_default="[]"),
    # What the calendar asks (services/tracking/case/deadlines.py).
    Column("due_from", Date),
    Column("due_days", Integer),
    Column("pauses", JSONB, nullable=False, server_default="[]"),
    Column("pending_question", JSONB(none_as_null=True)),
    Column("first_due_on", Date),
    Column("refused_on", Date),
    Column("alarms_raised", JSONB, nullable=False, server_default="[]"),
    Column("next_check_on", Date),
    Column("calendar", Integer, nullable=False, server_default="0"),
    # What its refusal reason and root causes were called that day.
    Column("names", JSONB, nullable=False, server_default="{}"),
    # How it ended.
    Column("outcome", String),
    Column("reasons", Text),
    Column("decided_at", DateTime(timezone=True)),
    Column("final", Boolean, nullable=False),
    Column("objection_until", Date),
    Column("root_causes", JSONB, nullable=False),
    Column("recommendations", JSONB, nullable=False),
    Column("refusal_reason", String),
    Column("refusal_explanation", Text),
    Column("refusal_address", Text),
    Column("merged_into", UUID(as_uuid=True)),
    Column("score", SmallInteger),
    # How long what of it is kept (services/tracking/retention/use_cases.py); `ended_at` is noted soon after the end.
    Column("ended_at", DateTime(timezone=True)),
    Column("identity_erased_at", DateTime(timezone=True)),
    Column("evidence_erased_at", DateTime(timezone=True)),
    Column("texts_erased_at", DateTime(timezone=True)),
    # The lists of staff and citizens, each by pages of (filed_at, case_id).
    Index("cases_filed", "filed_at", "case_id"),
    Index("cases_unit", "unit", "filed_at", "case_id"),
    # With the unit, which every query of staff asks for: so counting reads the index alone.
    *(
        Index(f"cases_{name}_unit", name, "filed_at", "case_id", postgresql_include=["unit"])
        for name in ("stage", "ground")
    ),
    Index(
        "cases_outcome_unit",
        *("outcome", "filed_at", "case_id"),
        postgresql_include=["unit"],
        postgresql_where=text("outcome IS NOT NULL"),
    ),
    Index("cases_urgent", "filed_at", "case_id", postgresql_where=text("urgent")),
    Index("cases_handler", "handler", "filed_at", "case_id", postgresql_where=text("handler IS NOT NULL")),
    Index("cases_citizen", "citizen_id", "filed_at", "case_id", postgresql_where=text("citizen_id IS NOT NULL")),
    # The scheduler's: what is due, what an older calendar reckoned.
    Index("cases_next_check", "next_check_on", postgresql_where=text("next_check_on IS NOT NULL")),
    Index("cases_merged", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
    Index("cases_in_hand", "handler", postgresql_where=IN_HAND),
    Index("cases_calendar", "calendar", postgresql_where=NOT_OVER),
    Index("cases_end", "case_id", postgresql_where=text(f"ended_at IS NULL AND {OVER.text}")),
    *(
        Index(f"cases_{part}_kept", "kind", "ended_at", postgresql_where=text(f"{part}_erased_at IS NULL"))
        for part in ("identity", "evidence", "texts")
    ),
    Index("cases_expected", text(EXPECTED), "case_id"),
    # Those of open stages, the last owed first: in the index of all a million that owe nothing would come before them.
    Index("cases_expected_open", text(EXPECTED), "case_id", postgresql_where=OPEN),
    Index("cases_decided", "decided_at", "case_id", postgresql_where=text("decided_at IS NOT NULL")),
    Index("cases_search", "search", postgresql_using="gin", postgresql_ops={"search": "gin_trgm_ops"}),
)

outcomes_to_tell = Table(  # decisions of cases that others were merged into; a row goes when those have been told
    "outcomes_to_tell",
    metadata,
    Column("case_id", UUID(as_uuid=True), ForeignKey("cases.case_id"), primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("outcome", String, nullable=False),
    Column("final", Boolean, nullable=False),
)

case_numbers = Table(
    "case_numbers",
    metadata,
    Column("year", SmallInteger, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
)

letters = Table(  # the numbers under which decisions and refusals went out, by their place in the timeline
    "letters",
    metadata,
    Column("case_id", UUID(as_uuid=True), ForeignKey("cases.case_id"), primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("year", SmallInteger, nullable=False),
    Column("serial", Integer, nullable=False),
    Column("approved", Boolean, nullable=False),
    UniqueConstraint("year", "serial", name="letters_number"),
)

timeline = Table(
    "timeline",
    metadata,
    Column("case_id", UUID(as_uuid=True), ForeignKey("cases.case_id"), primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("entry", String, nullable=False),
    Column("actor_kind", String, nullable=False),
    Column("actor_id", String),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("stage", String, nullable=False),
    Column("details", JSONB, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

questions = Table(
    "questions",
    metadata,
    Column("question_id", UUID(as_uuid=True), primary_key=True),
    Column("case_id", UUID(as_uuid=True), ForeignKey("cases.case_id"), nullable=False, index=True),
    Column("unit", String),  # None: to the citizen
    Column("text", Text, nullable=False),
    Column("media", JSONB, nullable=False),  # of the case, sent along
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("due_on", Date, nullable=False),
    Column("answer", Text),
    Column("answered_at", DateTime(timezone=True)),
    Column("lapsed_at", DateTime(timezone=True)),
    Index("questions_unit", "unit", "asked_at", postgresql_where=text("unit IS NOT NULL")),
)

recommendations = Table(
    "recommendations",
    metadata,
    Column("recommendation_id", UUID(as_uuid=True), primary_key=True),
    Column("case_id", UUID(as_uuid=True), ForeignKey("cases.case_id"), nullable=False, index=True),
    Column("unit", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("state", String, nullable=False),
    Column("reason", Text),
    Column("escalated", Boolean, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("reported_at", DateTime(timezone=True)),
    Column("settled_at", DateTime(timezone=True)),
    Index("recommendations_unit", "unit", "due_on"),
    Index("recommendations_due", "due_on", postgresql_where=text("state = 'open' AND NOT escalated")),
)

attachments = Table(
    "attachments",
    metadata,
    Column("case_id", UUID(as_uuid=True), ForeignKey("cases.case_id"), primary_key=True),
    Column("media_id", String, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("from_office", Boolean, nullable=False),
    Column("question_id", UUID(as_uuid=True)),
    # The citizen was informed that it is refused.
    Column("refusal_told", Boolean, nullable=False, server_default=text("false")),
    Index("attachments_media", "media_id"),
)

withheld = (
    Table(  # attachments that this case cannot have, whatever others can; they may be named before the case is open
        "withheld",
        metadata,
        Column("case_id", UUID(as_uuid=True), primary_key=True),
        Column("media_id", String, primary_key=True),
        Column("reason", String, nullable=False),
    )
)

media_states = Table(
    "media_states",
    metadata,
    Column("media_id", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("media_type", String),
    Column("size", BigInteger),
    Column("variants", JSONB, nullable=False),
    Column("reason", String),
    Column("notes", JSONB),
    Column("told_at", DateTime(timezone=True), nullable=False),
)

units = Table(
    "units",
    metadata,
    Column("code", String, primary_key=True),
    Column("parent", String),
    Column("name_fa", String, nullable=False),
    Column("name_en", String, nullable=False),
    Column("active", Boolean, nullable=False),
)

grounds = Table(
    "grounds",
    metadata,
    Column("code", String, primary_key=True),
    Column("kinds", JSONB, nullable=False),
)

catalogue = Table(
    "catalogue",
    metadata,
    Column("one", Boolean, primary_key=True),  # always true: there is one row
    Column("version", Integer, nullable=False),
    Column("holidays", JSONB, nullable=False),
    Column("rules", JSONB, nullable=False, server_default="{}"),
    Column("calendar", Integer, nullable=False, server_default="1"),  # the version that last changed a working day
)

staff = Table(
    "staff",
    metadata,
    Column("staff_id", UUID(as_uuid=True), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("roles", JSONB, nullable=False),
    Column("unit", String),
    Column("active", Boolean, nullable=False),
)

reminders = Table(
    "reminders",
    metadata,
    Column("reminder_id", UUID(as_uuid=True), primary_key=True),
    Column("case_id", UUID(as_uuid=True), ForeignKey("cases.case_id"), nullable=False, index=True),
    Column("staff_id", UUID(as_uuid=True), nullable=False),
    Column("on_day", Date, nullable=False),
    Column("text", Text, nullable=False),
    Column("said", Boolean, nullable=False, server_default="false"),
    Index("reminders_due", "on_day", postgresql_where=text("NOT said")),
)

skills = Table(
    "skills",
    metadata,
    Column("staff_id", UUID(as_uuid=True), primary_key=True),
    Column("grounds", JSONB, nullable=False),
)

commands = commands_table("commands", metadata, pruned=True)

checkpoints = Table(  # the signed files that vouch for the audit logs and the timelines, as they were given away
    "checkpoints",
    metadata,
    Column("name", String, primary_key=True),
    Column("document", Text, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
)

# --- visits ---

rooms = Table(
    "rooms",
    metadata,
    Column("room_id", UUID(as_uuid=True), primary_key=True),
    Column("name_fa", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("active", Boolean, nullable=False),
)

visit_slots = Table(  # no two of one room, nor of one inspector, at the same time
    "visit_slots",
    metadata,
    Column("slot_id", UUID(as_uuid=True), primary_key=True),
    Column("room_id", UUID(as_uuid=True), ForeignKey("rooms.room_id"), nullable=False),
    Column("inspector", UUID(as_uuid=True), nullable=False),
    Column("starts_at", DateTime(timezone=True), nullable=False),
    Column("ends_at", DateTime(timezone=True), nullable=False),
    Column("capacity", Integer, nullable=False),
    Column("closed", Boolean, nullable=False),
    CheckConstraint("capacity > 0", name="visit_slots_capacity_check"),
    CheckConstraint("starts_at < ends_at", name="visit_slots_check"),
    *(
        ExcludeConstraint(
            (column, "="),
            (text("tstzrange(starts_at, ends_at)"), "&&"),
            using="gist",
            where=text("NOT closed"),
            name=name,
        )
        for column, name in (("room_id", "one_slot_of_a_room"), ("inspector", "one_slot_of_an_inspector"))
    ),
    Index("visit_slots_inspector", "inspector", "starts_at"),
    Index("visit_slots_starts", "starts_at"),
)

visits = Table(  # of each case at most one is asked for or booked
    "visits",
    metadata,
    Column("visit_id", UUID(as_uuid=True), primary_key=True),
    Column("case_id", UUID(as_uuid=True), ForeignKey("cases.case_id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("slot_id", UUID(as_uuid=True), ForeignKey("visit_slots.slot_id")),
    Column("offered", ARRAY(UUID(as_uuid=True)), nullable=False),
    # When to remind; None: not, or done.
    Column("remind_day_at", DateTime(timezone=True)),
    Column("remind_hours_at", DateTime(timezone=True)),
    Index("visits_case", "case_id", "asked_at"),
    Index("visits_open", "case_id", unique=True, postgresql_where=text("state IN ('asked', 'booked', 'moved')")),
    Index("visits_slot", "slot_id", postgresql_where=text("slot_id IS NOT NULL")),
    Index("visits_remind_day", "remind_day_at", postgresql_where=text("remind_day_at IS NOT NULL")),
    Index("visits_remind_hours", "remind_hours_at", postgresql_where=text("remind_hours_at IS NOT NULL")),
)

# --- saved searches and exports ---

searches = Table(  # the searches that staff save
    "searches",
    metadata,
    Column("search_id", UUID(as_uuid=True), primary_key=True),
    Column("owner", UUID(as_uuid=True), nullable=False),
    Column("name", String, nullable=False),
    Column("filters", JSONB, nullable=False),
    Column("sort", String, nullable=False),
    Column("shared_with", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Index("searches_owner", "owner", "made_at", "search_id"),
    Index("searches_shared", "shared_with", "made_at", postgresql_where=text("shared_with <> 'nobody'")),
)

EXPORT_UNFINISHED = text("state IN ('waiting', 'running')")
"""Exports that are still being made."""

exports = Table(  # what is made of them is in export_pieces: first the rows, then the file
    "exports",
    metadata,
    Column("export_id", UUID(as_uuid=True), primary_key=True),
    # What was asked for, by whom.
    Column("owner", UUID(as_uuid=True), nullable=False),
    Column("roles", JSONB, nullable=False),  # of the token; what accounts published last narrows them
    Column("unit", String),
    Column("filters", JSONB, nullable=False),
    Column("search", UUID(as_uuid=True)),
    Column("kept", JSONB(none_as_null=True)),  # the filters of that search on the day
    Column("format", String, nullable=False),
    Column("language", String, nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    # How far it is.
    Column("state", String, nullable=False),
    Column("rights", JSONB(none_as_null=True)),  # what the owner might see when the rows were read
    Column("rows_total", Integer),
    Column("rows_done", Integer, nullable=False),
    Column("pages", Integer, nullable=False),
    Column("place", String),  # the cursor behind the last row
    Column("read", Boolean, nullable=False),  # all rows are there; the file is to be made
    Column("size", BigInteger),
    Column("pieces", Integer),
    Column("error", String),
    Column("finished_at", DateTime(timezone=True)),
    Column("expires_at", DateTime(timezone=True)),
    # Who is at it: whoever finds the lease over takes it up.
    Column("worker", UUID(as_uuid=True)),
    Column("leased_until", DateTime(timezone=True)),
    Column("tries", Integer, nullable=False),
    Index("exports_owner", "owner", "asked_at"),
    Index("exports_open", "asked_at", postgresql_where=EXPORT_UNFINISHED),
    Index("exports_expire", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
)

export_pieces = Table(
    "export_pieces",
    metadata,
    Column("export_id", UUID(as_uuid=True), ForeignKey("exports.export_id", ondelete="CASCADE"), primary_key=True),
    Column("part", String, primary_key=True),  # rows, file
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
)

# --- identities ---

identity_requests = Table(  # to open a sealed identity
    "identity_requests",
    metadata,
    Column("request_id", UUID(as_uuid=True), primary_key=True),
    Column("case_id", UUID(as_uuid=True), nullable=False),
    Column("asked_by", UUID(as_uuid=True), nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("reason", Text, nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("decided_by", UUID(as_uuid=True)),
    Column("decided_at", DateTime(timezone=True)),
    Column("answer", Text),
    Column("open_until", DateTime(timezone=True)),
    Index("identity_requests_newest", "asked_at", "request_id"),
    Index("identity_requests_waiting", "asked_at", "request_id", postgresql_where=text("state = 'waiting'")),
    Index("identity_requests_case", "case_id", "asked_by"),
)
