"""`./peygir bench plans`: how PostgreSQL answers every hot query in a filled city. The queries are those that the services'
own functions ask, heard as they ask them; what each then changes is taken back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, event, select

from backbone.messaging import inbox, outbox
from backbone.messaging.broker import Broker
from backbone.storage import audit, idempotency
from backbone.storage.database import Database
from backbone.storage.libpq_cursor import UNPREPARED
from benchmarks.list_plans import list_queries
from contracts.gateway import Actor
from contracts.insight import CountCases, CountDecisions, CountRatings, CountVisits
from contracts.searches import Filter
from contracts.tracking import AddNote, ExecuteCommand, GetCase
from contracts.vocabulary import ActorKind, KeptPart, Role
from services.accounts.citizens import store as accounts
from services.insight.composition import compose
from services.intake.identities import store as intake_identities
from services.intake.submissions import store as intake_submissions
from services.media.claims import store as media_claims
from services.media.retention import store as media_retention
from services.media.uploads import quarantine
from services.media.uploads import store as media_uploads
from services.notify.delivery import store as delivery_store
from services.notify.inbound import store as inbound_store
from services.notify.inbox import store as inbox_store
from services.notify.inbox.store import Reader
from services.notify.notifications import store as notifications_store
from services.tracking.calendars import store as calendars_store
from services.tracking.case import store, views
from services.tracking.case.scope import Scope
from services.tracking.citizens import views as citizen_views
from services.tracking.colleagues import store as colleagues_store
from services.tracking.composition import TrackingUseCases
from services.tracking.composition import compose as compose_tracking
from services.tracking.decisions import store as decisions_store
from services.tracking.evidence import store as evidence_store
from services.tracking.inquiry import store as inquiry_store
from services.tracking.inquiry import views as inquiry_views
from services.tracking.merging import store as merging_store
from services.tracking.models import cases, commands
from services.tracking.reference.catalogue import CatalogueCopy
from services.tracking.retention import store as retention_store
from services.tracking.retention.rules import Rule
from services.tracking.screening import workload
from services.tracking.search import queries, renewal
from services.tracking.settings import Settings
from services.tracking.visits import store as visits_store
from services.tracking.visits.rules import Visit

LARGE = frozenset(
    {"cases", "timeline", "questions", "attachments", "messages", "readings", "contacts", "submissions", "identities"}
    | {"facts", "transitions", "notifications", "uploads", "files", "citizens", "media_states"}
)
"""Tables that grow with the cases: no hot query reads one of them from end to end."""
_WHOLE = re.compile(r"Seq Scan on (\w+)")
SETTINGS = {
    "as services set it": {},
    "jit = on": {"jit": "on"},
    "random_page_cost = 1.1": {"random_page_cost": "1.1"},
    "work_mem = 32MB": {"work_mem": "32MB"},
    "no parallel workers": {"max_parallel_workers_per_gather": "0"},
}
"""What PostgreSQL may be told otherwise, to see what it is worth."""
_PLANNED = re.compile(r"Planning Time: ([\d.]+) ms")
_TOOK = re.compile(r"Execution Time: ([\d.]+) ms")
_MILD = frozenset({"count_cases by kind, all years", "count_cases by unit and stage, all years", "inbox.prune"})
"""Asked rarely, of everything there is: the whole is read because the whole is asked for."""

HotQuery = Callable[[Connection], object]


@dataclass(frozen=True)
class Planned:
    """One query as it was answered. `name`: the function that asks it; `plan`: EXPLAIN (ANALYZE, BUFFERS); `under`: its
    milliseconds, planning included, under each of SETTINGS."""

    service: str
    name: str
    statement: str
    plan: str
    under: Mapping[str, float] = field(default_factory=dict)

    @property
    def took(self) -> float:
        """Milliseconds."""
        match = _TOOK.search(self.plan)
        return float(match[1]) if match else 0.0

    @property
    def read_whole(self) -> list[str]:
        """Large tables that were read from end to end."""
        return sorted(set(_WHOLE.findall(self.plan)) & LARGE)

    @property
    def sound(self) -> bool:
        return not self.read_whole or self.name in _MILD


@dataclass
class Sample:
    """What there is to ask for, of the city itself."""

    tracking: Connection
    case_id: UUID = field(init=False)
    open_id: UUID = field(init=False)
    code_hash: str = field(init=False)
    citizen: UUID = field(init=False)
    handled_id: UUID = field(init=False)
    handler: UUID = field(init=False)
    number: str = field(init=False)
    unit: str = field(init=False)
    newest: datetime = field(init=False)

    def __post_init__(self) -> None:
        def first_row(query: str) -> Any:
            return self.tracking.exec_driver_sql(query).first()

        of_citizens = "SELECT case_id, code_hash, citizen_id, number, unit FROM cases WHERE citizen_id IS NOT NULL"
        self.case_id, self.code_hash, self.citizen, self.number, self.unit = first_row(
            f"{of_citizens} ORDER BY case_id LIMIT 1"
        )
        waiting = "SELECT case_id FROM cases WHERE stage IN ('registered', 'screening', 'investigating')"
        [self.open_id] = first_row(f"{waiting} ORDER BY case_id LIMIT 1")
        [self.handler] = first_row("SELECT handler FROM cases WHERE handler IS NOT NULL ORDER BY case_id LIMIT 1")
        handled = "SELECT case_id FROM cases WHERE stage = 'investigating' AND handler IS NOT NULL"
        [self.handled_id] = first_row(f"{handled} ORDER BY case_id LIMIT 1")
        [self.newest] = first_row("SELECT max(filed_at) FROM cases")


def plans(urls: Mapping[str, str]) -> Iterator[Planned]:
    """Every hot query of every service; `urls`: of its database, by service."""
    with Database(urls["tracking"], pool_size=1).read() as connection:
        sample = Sample(connection)
        settings = Settings(amqp_url="amqp://nobody", database_url=urls["tracking"])
        tree = CatalogueCopy(settings.deadlines, settings.weekend).current(connection).tree
    queries_of: dict[str, dict[str, HotQuery]] = {
        "tracking": _of_tracking(sample, tree, compose_tracking(settings)),
        "notify": _of_notify(sample),
        "insight": _of_insight(sample),
        "intake": _of_intake(sample),
        "media": _of_media(sample),
        "accounts": {"citizen": lambda c: accounts.citizen(c, "0" * 64)},
    }
    for service, own_queries in queries_of.items():
        if service in urls:
            database = Database(urls[service], pool_size=2, statement_timeout_ms=0)
            own_queries = {**own_queries, "inbox.prune": inbox.prune, "outbox.relay_once": _relayed(database)}
            for name, hot_query in own_queries.items():
                for statement, parameters in _recorded(database, hot_query):
                    plan = _explained(database, statement, parameters)
                    under = {
                        setting: _whole(_explained(database, statement, parameters, changed) if changed else plan)
                        for setting, changed in SETTINGS.items()
                    }
                    yield Planned(service, name, statement, plan, under)
            database.close()


def _recorded(database: Database, hot_query: HotQuery) -> list[tuple[str, Any]]:
    """The statements that it executes, with their parameters."""
    statements: list[tuple[str, Any]] = []

    def listen(_: Any, __: Any, statement: str, parameters: Any, ___: Any, many: bool) -> None:
        statement = statement.removeprefix(UNPREPARED)
        if re.match(r"\s*(SELECT|UPDATE|DELETE|WITH)", statement) and "pg_advisory" not in statement:
            statements.append((statement, parameters[0] if many else parameters))

    with database.engine.connect() as connection:
        event.listen(database.engine, "before_cursor_execute", listen)
        try:
            hot_query(connection)
        finally:
            event.remove(database.engine, "before_cursor_execute", listen)
            connection.rollback()
    return statements


def _whole(plan: str) -> float:
    return sum(float(match[1]) for pattern in (_PLANNED, _TOOK) if (match := pattern.search(plan)))


def _explained(database: Database, statement: str, parameters: Any, settings: Mapping[str, str] | None = None) -> str:
    with database.engine.connect() as connection:
        for name, value in (settings or {}).items():
            connection.exec_driver_sql(f"SET LOCAL {name} = '{value}'")
        explained = f"EXPLAIN (ANALYZE, BUFFERS, SETTINGS) {statement}"
        with connection.begin_nested() as first:
            # What the first of a day reads from the disk is no plan's doing, nor what a first write changes.
            connection.exec_driver_sql(explained, parameters)
            first.rollback()
        lines = connection.exec_driver_sql(explained, parameters).scalars().all()
        connection.rollback()
    return "\n".join(lines)


# --- what is asked ---


def _of_tracking(sample: Sample, tree: Any, made: TrackingUseCases) -> dict[str, HotQuery]:
    today, now = date.today(), datetime.now(UTC)
    head, mine = Scope(frozenset(tree.above("mayor.insp")), None), Scope(frozenset(), sample.handler)
    beyond = queries.ORDERS["-filed_at"].cursor(sample.newest - timedelta(days=300), UUID(int=1))
    quarter = (today - timedelta(days=7), today + timedelta(days=90))
    rule = Rule(KeptPart.IDENTITY, "complaint", None, 12, frozenset({"referred"}))
    visit = Visit(uuid4(), sample.case_id, "asked", now)  # type: ignore[arg-type]  # its state is not asked about
    hot_queries: dict[str, HotQuery] = {
        "public_by_code": lambda c: citizen_views.public_by_code(c, [sample.code_hash], now),
        "own_cases": lambda c: citizen_views.own_cases(c, sample.citizen, today, None, 50),
        "public_own": lambda c: citizen_views.public_own(c, sample.case_id, sample.citizen, now),
        "staff_case": lambda c: views.staff_case(c, sample.case_id, head),
        **list_queries(sample, tree, head, mine),
        "whole_page, of an export": lambda c: queries.whole_page(c, [Filter()], head, tree, beyond, 500),
        "lock_for_staff": lambda c: store.lock_for_staff(c, [sample.open_id], head),
        "lock_by_code": lambda c: store.lock_by_code(c, [sample.code_hash]),
        "execute, at once": lambda c: _command(c, sample, made),
        "open_question": lambda c: inquiry_store.open_question(c, sample.open_id),
        "suggest_screening": lambda c: _suggested(c, sample, head),
        "inspectors": workload.inspectors,
        "by_inspector": lambda c: workload.by_inspector(c, head, today, today + timedelta(days=4)),
        "calendar of an inspector": lambda c: calendars_store.entries(
            c, mine, quarter, (now, now + timedelta(days=90))
        ),
        "calendar of a head": lambda c: calendars_store.entries(c, head, quarter, (now, now + timedelta(days=90))),
        "renew": renewal.renew,
        "all_colleagues": colleagues_store.all_colleagues,
        "open_cases_of": lambda c: workload.open_cases_of(c, sample.handler, head, 500),
        "lock_outdated": lambda c: store.lock_outdated(c, 50),
        "lock_due": lambda c: store.lock_due(c, today + timedelta(days=1), 50),
        "lock_overdue": lambda c: decisions_store.lock_overdue(c, today, 50),
        "of_units": lambda c: decisions_store.of_units(c, [sample.unit], open_only=True),
        "of_scope": lambda c: decisions_store.of_scope(c, head, None, open_only=True),
        "reminders.lock_due": lambda c: inquiry_store.lock_due(c, today, 50),
        "take_ends": lambda c: merging_store.take_ends(c, 50),
        "lock_merged": lambda c: merging_store.lock_merged(c, sample.case_id),
        "note_ends": lambda c: retention_store.note_ends(c, 500),
        "retention lock_due": lambda c: retention_store.lock_due(c, rule, now - timedelta(days=365), 50),
        "retention lock_due, nothing due": lambda c: retention_store.lock_due(c, rule, now - timedelta(days=9_999), 50),
        "unit_questions": lambda c: inquiry_views.unit_questions(c, [sample.unit], open_only=True),
        "media_of": lambda c: evidence_store.media_of(c, sample.case_id),
        "list_slots": lambda c: visits_store.list_slots(c, head, since=now, inspectors=[sample.handler]),
        "free_slots": lambda c: visits_store.free_slots(c, _case(c, sample), visit, now),
        "due_reminders": lambda c: visits_store.due_reminders(c, now, 50),
        "case_heads": lambda c: store.case_heads(c, sample.case_id, 1_000),
        "histories": lambda c: store.histories(c, [sample.case_id]),
        "prune_commands": lambda c: idempotency.prune(c, commands, now - idempotency.KEPT),
    }
    return hot_queries


def _command(connection: Connection, sample: Sample, made: TrackingUseCases) -> None:
    """A note by a head, with all that is read and written of it."""
    by = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.HEAD}), unit="mayor.insp")
    command = AddNote(text="یادداشت")
    request = ExecuteCommand(
        actor=by,
        case_id=sample.handled_id,
        expected_version=_version(connection, sample.handled_id),
        idempotency_key=uuid4().hex,
        command=command,
    )
    made.cases.get_case(connection, GetCase(actor=by, case_id=sample.handled_id))  # reads the catalogue
    assert made.commands_at_once.execute(connection, request, audit.write(request, audit.DONE)) is not None


def _version(connection: Connection, case_id: UUID) -> int:
    return int(connection.execute(select(cases.c.version).where(cases.c.case_id == case_id)).scalar_one())


def _case(connection: Connection, sample: Sample) -> Any:
    case = store.lock(connection, sample.open_id)
    assert case is not None
    return case


def _suggested(connection: Connection, sample: Sample, scope: Scope) -> None:
    text = workload.text_of(connection, sample.open_id, scope)
    assert text is not None
    workload.earlier(connection, sample.open_id, text.search, datetime.now(UTC), scope)
    workload.similar(connection, text, scope)


def _of_notify(sample: Sample) -> dict[str, HotQuery]:
    now = datetime.now(UTC)
    year_back = (now - timedelta(days=365), uuid4())
    claimed = {"now": now, "lease": uuid4(), "seconds": 60.0, "hold": 60.0, "limit": 8}
    return {
        "claim": lambda c: delivery_store.claim_due(c, **claimed),  # type: ignore[arg-type]  # of several types
        "claim_status_polls": lambda c: delivery_store.claim_status_polls(c, now=now, limit=500),
        "read_stored": lambda c: notifications_store.read_stored(c, "cases", [uuid4()], [uuid4()], [sample.case_id]),
        "contacts_of": lambda c: notifications_store.contacts_of(c, [sample.case_id]),
        "contact_by_code": lambda c: inbound_store.contact_by_code(c, [sample.code_hash]),
        "language_of": lambda c: inbound_store.language_of(c, "0" * 64),
        "questions": lambda c: inbound_store.questions(c, "0" * 64),
        "answers_since": lambda c: inbound_store.count_answers(c, "0" * 64, now - timedelta(hours=1)),
        "at_provider": lambda c: delivery_store.lock_by_provider_id(c, "kavenegar", ["12345"]),
        "inbox of a code": lambda c: inbox_store.page(c, Reader.by_code([sample.code_hash]), None, 50),
        "inbox of a citizen": lambda c: inbox_store.page(c, Reader.citizen(sample.citizen), None, 50),
        "inbox of an inspector": lambda c: _staff_inbox(c, Role.INSPECTOR, "mayor.insp", staff_id=sample.handler),
        "inbox of a head": lambda c: _staff_inbox(c, Role.HEAD, "mayor.insp"),
        "inbox of a head, a year back": lambda c: _staff_inbox(c, Role.HEAD, "mayor.insp", year_back),
        "inbox of a liaison": lambda c: _staff_inbox(c, Role.LIAISON, sample.unit),
    }


def _staff_inbox(
    connection: Connection,
    role: Role,
    unit: str,
    after: tuple[datetime, UUID] | None = None,
    staff_id: UUID | None = None,
) -> None:
    reader = Reader.staff(staff_id or uuid4(), [role], unit, inbox_store.unit_tree(connection))
    inbox_store.page(connection, reader, after, 50)


def _of_insight(sample: Sample) -> dict[str, HotQuery]:
    head = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.HEAD}), unit="mayor.insp")
    month = {"since": sample.newest.date() - timedelta(days=30), "until": sample.newest.date()}
    figures = compose().figures

    def counted(by: list[str], **given: Any) -> HotQuery:
        return lambda c: figures.count_cases(c, CountCases(actor=head, by=by, **given))

    return {
        "count_cases by day, a month": counted(["day"], **month),
        "count_cases by unit, a month": counted(["unit"], **month),
        "count_cases of a unit by ground": counted(["ground"], unit=sample.unit, **month),
        "count_cases by kind, all years": counted(["kind"]),
        "count_cases by unit and stage, all years": counted(["unit", "stage"]),
        "count_decisions by month and unit, all years": lambda c: figures.count_decisions(
            c, CountDecisions(actor=head, by=["month", "unit"])
        ),
        "count_ratings by month and unit, all years": lambda c: figures.count_ratings(
            c, CountRatings(actor=head, by=["month", "unit"])
        ),
        "count_visits": lambda c: figures.count_visits(c, CountVisits(actor=head, by=["month"], **month)),
    }


def _of_intake(sample: Sample) -> dict[str, HotQuery]:
    return {
        "read_stored": lambda c: intake_submissions.read_stored(c, [sample.case_id], [sample.code_hash]),
        "submission": lambda c: intake_submissions.submission(c, sample.case_id),
        "identity": lambda c: intake_identities.identity(c, sample.case_id),
    }


_BUDGETS = quarantine.Budgets(2**40, 2**31, 2**40, 2**31)


def _of_media(sample: Sample) -> dict[str, HotQuery]:
    now = datetime.now(UTC)
    return {
        "upload": lambda c: media_uploads.upload(c, "a" * 32),
        "check": lambda c: quarantine.check(c, _BUDGETS, 1, "a" * 32, now),
        "lock_uploads": lambda c: media_claims.lock_uploads(c, ["a" * 32]),
        "claims_of": lambda c: media_claims.claims_of(c, ["a" * 32]),
        "file_names": lambda c: media_claims.file_names(c, sample.case_id, ["a" * 32]),
        "expired": lambda c: media_retention.expired(c, now),
        "to_sweep": lambda c: media_retention.to_sweep(c, now),
        "release": lambda c: media_claims.release(c, sample.case_id),
        "delete_removed": lambda c: media_retention.delete_removed(c, now - timedelta(days=7)),
    }


class _Nobody(Broker):
    """Takes nothing: what waits stays."""

    def __init__(self) -> None:
        pass

    def publish(self, messages: Any, timeout: float = 0) -> Any:
        return [ConnectionError() for _ in messages]


def _relayed(database: Database) -> HotQuery:
    return lambda _: outbox.relay_once(database, _Nobody())


# --- as a page ---


def page(planned: list[Planned], heading: str) -> str:
    """PLANS.md: a table of all, then each plan."""
    lines = [
        "# How every hot query is answered",
        "",
        "Written by `./peygir bench plans --write`; the queries are those that the services' own functions asked. Each was asked",
        "twice, and the second time is told, so that what lay on the disk is no plan's doing. No plan may read one of the tables",
        "that grow with the cases from end to end, but for figures over all years, which ask for the whole.",
        "",
        heading,
        "",
        "| service | asked by | ms | read whole |",
        "| --- | --- | --- | --- |",
        *(
            f"| {query.service} | {query.name} | {query.took:.2f} | {', '.join(query.read_whole)} |"
            for query in planned
        ),
        "",
        *_by_setting(planned),
    ]
    for query in planned:
        lines += [
            f"## {query.service}: {query.name}",
            "",
            "```",
            " ".join(query.statement.split())[:600],
            "",
            query.plan,
            "```",
            "",
        ]
    return "\n".join(lines)


def _by_setting(planned: list[Planned]) -> Iterator[str]:
    """What each setting costs or saves, over all queries and where most."""
    compared = [query for query in planned if query.under]
    if not compared:
        return
    first, *others = SETTINGS
    yield "## Under other settings\n"
    yield "Planning and execution of all these queries together, and what gains and what loses most against what services set.\n"
    yield "| setting | ms | gains most | loses most |\n| --- | --- | --- | --- |"
    yield f"| {first} | {sum(query.under[first] for query in compared):,.0f} | | |"
    for name in others:
        changes = sorted(
            (query.under[name] - query.under[first], f"{query.service} {query.name}") for query in compared
        )
        most = " | ".join(f"{by:+.1f} {query}" for by, query in (changes[0], changes[-1]))
        yield f"| {name} | {sum(query.under[name] for query in compared):,.0f} | {most} |"
    yield ""


def as_json(planned: list[Planned]) -> str:
    """For the file of a run."""
    return json.dumps(
        [vars(query) | {"took": query.took, "read_whole": query.read_whole} for query in planned], ensure_ascii=False
    )
