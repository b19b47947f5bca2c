"""How many statements a command and a batch of events cost, with BEGIN and COMMIT, as PostgreSQL itself logs them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import psycopg
import pytest

from backbone import sealing
from backbone.process import keys
from backbone.storage import database, migrate
from backbone.storage.database import Database
from contracts import tracking
from contracts.base import Event, now
from contracts.errors import PeygirError
from contracts.gateway import Consent, GroupMember, GroupMembers
from contracts.intake import SubmissionRecoded
from contracts.media import MediaAccepted, MediaRejected
from contracts.notify import CitizenReplied, MessageChannel, NotificationDelivered, Reply
from contracts.searches import CountFoundCases, CountManyFoundCases, Filter, KeepSearch, ListCases, NamedFilter
from contracts.tracking import CaseDecided, ViewByCode, VisitAsked
from contracts.visits import CallOffVisit, HoldVisit, MissVisit, OfferSlots
from contracts.vocabulary import Channel, Kind, Language, Outcome, Stage
from deploy.local.parts import PostgreSQL
from services.tracking.citizens.views import public_by_code
from services.tracking.reference import catalogue as catalogue_copy
from tests.support.insight import case_opened, catalogue_changed, snapshot
from tests.support.intake import Office, citizen, key_of
from tests.support.notify import Keys, Person, one_time_code
from tests.support.processes import create_database
from tests.support.tracking import UNIT, catalogue, code_hash, decision, staff, submission
from tests.support.tracking_in_process import TrackingInProcess
from tests.support.walk.services import Services

AT_ONCE = 2
MOST_OF_COMMAND: Mapping[str, int] = {
    # At once: read, write.
    **dict.fromkeys(
        (
            *("start_screening", "correct", "refuse", "assign", "ask_citizen", "ask_unit", "add_note", "remind"),
            *("add_check", "tick_check", "decide", "propose", "return_proposal", "approve", "settle_recommendation"),
            *("add_co_handler", "remove_co_handler", "consult_colleague", "answer_consultation", "end_consultation"),
            *("settle_early", "close", "return_to_screening", "reopen"),
        ),
        AT_ONCE,
    ),
    # One more for the cases that it names, as far as the reader knows them.
    "add_note to a case that names another": AT_ONCE + 1,
    "ask_unit of a case that names another": AT_ONCE + 1,
    # Under a lock, with BEGIN and COMMIT.
    "assign to whoever is free": 12,
    "add_evidence": 9,
    "link_case": 10,
    "merge": 12,
    "reopen a merged case": 16,
    "offer_slots": 12,
    "call_off_visit": 12,
    "hold_visit": 12,
    "miss_visit": 12,
}
MOST_OF_BATCH: Mapping[str, int] = {
    "open_cases": 2,
    "open_cases with uploads": 3,
    "open_cases with visits": 2,
    "open_cases again": 4,
    "keep_media": 1,
    "keep_media refused": 2,
    "recode": 7,  # with BEGIN and COMMIT: which of two codes is the later is looked up under the lock
    "keep_staff": 1,
    "keep_catalogue": 1,
    "take_reply": 2,
}
MOST_OF_QUERY: Mapping[str, int] = {
    "view_by_code": 1,
    # Its reader as accounts published them, and the page.
    "list_cases": 2,
    "list_cases by a kept search": 3,
    "list_cases by words": 3,  # where the first rows have fewer than a page needs, the index of words is asked
    "count_found_cases": 2,
    "count_many_found_cases": 3,  # their reader, the kept searches, and all counts
}
_LOGGED = re.compile(rb"LOG:  (?:statement|execute [^:]*): (.*)")


class StatementCounter:
    """Counts the statements on one database. `found`: those of each thing that was done, by its name."""

    def __init__(self, postgres: PostgreSQL, name: str, used_by: Database) -> None:
        self._log: Path = postgres.folder / "postgresql.log"
        with psycopg.connect(postgres.url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} SET log_statement = 'all'".encode())
        used_by.engine.dispose()  # connections of before do not know it
        self._database = used_by
        self.found: dict[str, list[str]] = {}

    def count(self, name: str, work: Callable[[], Any]) -> Any:
        """The answer of the work, whose statements are counted."""
        with self._database.read() as connection:  # a connection is there
            connection.exec_driver_sql("SELECT 1")
        before = self._log.stat().st_size
        answer = work()
        with self._log.open("rb") as log:
            log.seek(before)
            sent = [line.decode() for line in _LOGGED.findall(log.read())]
        self.found[name] = max(self.found.get(name, []), sent, key=len)
        return answer

    def too_many(self, most: Mapping[str, int]) -> dict[str, list[str]]:
        """What took more statements than that, with these."""
        return {name: sent for name, sent in self.found.items() if len(sent) > most[name]}


class Counted(TrackingInProcess):
    """Tracking on a database whose statements are counted."""

    def __init__(self, postgres: PostgreSQL) -> None:
        super().__init__(postgres.url, "statements")
        self._counter = StatementCounter(postgres, "statements", self.db)
        self.count, self.found, self.too_many = self._counter.count, self._counter.found, self._counter.too_many

    def command(self, giver: Any, case_id: UUID, command: Any, name: str | None = None) -> Any:
        request = self.request(giver, case_id, command)
        return self.count(name or command.type, lambda: self.ask("execute", request))


@pytest.fixture
def counted(postgres: PostgreSQL, monkeypatch: pytest.MonkeyPatch) -> Counted:
    # What happens once in a while is not counted: a connection is tried, the catalogue's version looked up.
    monkeypatch.setattr(database, "PING_AFTER", 1e9)
    monkeypatch.setattr(catalogue_copy, "READ_AGAIN_AFTER", 1e9)
    return Counted(postgres)


class CountedService:
    """Another service, with a database and secrets of its own. `count` as above."""

    def __init__(self, postgres: PostgreSQL, service: str) -> None:
        name = f"statements_{service}"
        self.environment = {**keys.generate(), "DATABASE_URL": create_database(postgres.url, name)}
        migrate.upgrade(service, self.environment["DATABASE_URL"])
        urls = {service: self.environment["DATABASE_URL"]}
        made = Services(urls, self.environment, lambda url: Database(url, pool_size=4)).made[service]
        self.service: Any = made.cls()
        vars(self.service).update({name: value for name, value in vars(made).items() if name != "cls"})
        self._database: Database = made.db
        counter = StatementCounter(postgres, name, made.db)
        self.count, self.found, self.too_many = counter.count, counter.found, counter.too_many

    def one(self, query: str) -> Any:
        """The first value of the first row."""
        with self._database.read() as connection:
            return connection.exec_driver_sql(query).scalar()


def test_a_staff_command_costs_two_statements(counted: Counted) -> None:
    head, screener, inspector = counted.head, counted.screener, counted.inspector
    handler, soon = UUID(inspector.id), (now() + timedelta(days=9)).date()
    case_id = (filed := counted.open()).case_id
    counted.command(screener, case_id, tracking.StartScreening())
    counted.command(screener, case_id, tracking.Correct(ground="conduct", unit="dep.urb.control"))
    counted.command(screener, case_id, tracking.Correct(unit=UNIT))
    counted.command(screener, case_id, tracking.Assign(inspector=handler))
    counted.command(inspector, case_id, tracking.AddNote(text="یادداشت", mentions=[UUID(head.id)]))
    counted.command(inspector, case_id, tracking.Remind(on=soon, text="یادآوری"))
    checked = counted.command(inspector, case_id, tracking.AddCheck(text="کار"))
    counted.command(inspector, case_id, tracking.TickCheck(item_id=checked.checklist[0].item_id, done=True))
    other = UUID(counted.other_inspector.id)
    counted.command(inspector, case_id, tracking.AddCoHandler(inspector=other))
    counted.command(inspector, case_id, tracking.RemoveCoHandler(inspector=other))
    consulted = counted.command(inspector, case_id, tracking.ConsultColleague(colleague=other, text="چه؟"))
    asked_id = consulted.consultations[0].consultation_id
    counted.command(counted.other_inspector, case_id, tracking.AnswerConsultation(consultation_id=asked_id, text="این"))
    consulted = counted.command(inspector, case_id, tracking.ConsultColleague(colleague=other, text="چه؟"))
    ended = tracking.EndConsultation(consultation_id=consulted.consultations[0].consultation_id)
    counted.command(inspector, case_id, ended)
    counted.command(inspector, case_id, tracking.AddEvidence(uploads=[uuid.uuid4().hex]))
    counted.command(inspector, case_id, tracking.AskCitizen(text="چه؟"))
    counted.do_as_citizen(filed, tracking.AnswerQuestion(text="این"))
    proposal = {**decision().model_dump(exclude={"type"}), "recommendations": [{"text": "یکی", "due_on": soon}]}
    counted.command(inspector, case_id, tracking.Propose(**proposal))
    counted.command(head, case_id, tracking.ReturnProposal(reason="کم است"))
    counted.command(inspector, case_id, tracking.Propose(**proposal))
    followed = counted.command(head, case_id, tracking.Approve()).followed
    report = tracking.ReportRecommendation(
        actor=counted.liaison,
        recommendation_id=followed[0].recommendation_id,
        done=True,
        idempotency_key=uuid.uuid4().hex,
    )
    counted.ask("report_recommendation", report)
    counted.command(
        inspector, case_id, tracking.SettleRecommendation(recommendation_id=report.recommendation_id, accepted=True)
    )

    criticism = counted.investigated(kind=Kind.CRITICISM).case_id
    counted.command(inspector, criticism, tracking.Decide(**proposal))
    settled = counted.open().case_id
    counted.do(screener, settled, tracking.StartScreening())
    agreed: dict[str, Any] = {"agreed_at": now(), "agreed_by": Channel.PHONE, "consented": True}
    counted.command(screener, settled, tracking.SettleEarly(agreement="راضی شدند", reasons="سازش شد", **agreed))
    refused = counted.open().case_id
    counted.do(screener, refused, tracking.StartScreening())
    counted.command(screener, refused, tracking.Refuse(reason="outside_remit", explanation="نه"))
    counted.command(head, refused, tracking.Close())
    asked = counted.investigated().case_id
    counted.command(inspector, asked, tracking.LinkCase(to=counted.investigated().case_id))
    counted.command(inspector, asked, tracking.AddNote(text="یادداشت"), "add_note to a case that names another")
    counted.command(inspector, asked, tracking.AskUnit(text="چرا؟"), "ask_unit of a case that names another")
    counted.command(inspector, counted.investigated().case_id, tracking.AskUnit(text="چرا؟"))
    merged = counted.open().case_id
    counted.do(screener, merged, tracking.StartScreening())
    counted.command(screener, merged, tracking.Merge(into=asked))
    counted.command(head, merged, tracking.Reopen(reason="اشتباه"), "reopen a merged case")
    counted.command(head, criticism, tracking.Reopen(reason="اشتباه"))
    back = counted.investigated().case_id
    counted.command(inspector, back, tracking.ReturnToScreening(reason="واحد دیگری است"))
    free = counted.open().case_id
    counted.do(screener, free, tracking.StartScreening())
    counted.command(screener, free, tracking.Assign(), "assign to whoever is free")
    for of_visit in (OfferSlots(slots=[free]), CallOffVisit(), HoldVisit(minutes="آمد"), MissVisit()):
        with suppress(PeygirError):
            counted.command(head, free, of_visit)

    assert counted.too_many(MOST_OF_COMMAND) == {}
    named = {str(kind.model_fields["type"].default) for kind in get_args(get_args(tracking.StaffCommand)[0])}
    assert named <= set(MOST_OF_COMMAND)
    of_visits = {"offer_slots", "call_off_visit", "hold_visit", "miss_visit"}
    assert set(counted.found) == set(MOST_OF_COMMAND) - of_visits


def test_reading_costs_few_statements(counted: Counted) -> None:
    filed = counted.open()
    counted.ask("list_cases", ListCases(actor=counted.head))  # the catalogue is read
    counted.count("view_by_code", lambda: counted.ask("view_by_code", ViewByCode(code_hashes=[filed.code_hash])))
    for name, filters in (
        ("list_cases", {}),
        ("list_cases", {"sort": "due_on"}),
        ("list_cases by words", {"stage": ["registered", "screening"], "unit": [UNIT], "text": "دو واژه"}),
    ):
        request = ListCases.model_validate({"actor": counted.head, **filters})
        counted.count(name, partial(counted.ask, "list_cases", request))
    keeping = KeepSearch(actor=counted.head, name="نام", filters=Filter(urgent=False), idempotency_key=uuid.uuid4().hex)
    search_id = counted.ask("keep_search", keeping).search_id
    by_search = ListCases(actor=counted.head, search=search_id)
    counted.count("list_cases by a kept search", lambda: counted.ask("list_cases", by_search))
    counting = CountFoundCases(actor=counted.head)
    counted.count("count_found_cases", lambda: counted.ask("count_found_cases", counting))
    named = [NamedFilter(name=kind, filters=Filter(kind=[kind])) for kind in Kind]
    named += [NamedFilter(name="kept", search=search_id)] * 5
    counting_many = CountManyFoundCases(actor=counted.head, counts=named)
    counted.count("count_many_found_cases", lambda: counted.ask("count_many_found_cases", counting_many))
    assert counted.too_many(MOST_OF_QUERY) == {}
    assert set(counted.found) == set(MOST_OF_QUERY)


@pytest.mark.parametrize("keys", [1, 2])
def test_the_status_of_a_code_is_planned_once_and_then_only_executed(counted: Counted, keys: int) -> None:
    hashes = [counted.open().code_hash, *(code_hash() for _ in range(keys - 1))]
    with counted.db.read() as connection:
        for _ in range(20):
            assert public_by_code(connection, hashes, now()) is not None
        kept = "SELECT generic_plans FROM pg_prepared_statements WHERE statement LIKE '%%cases.code_hash%%'"
        # psycopg prepares it at the sixth execution, and PostgreSQL decides after five more.
        assert connection.exec_driver_sql(kept, {}).scalar_one() > 0


def test_a_batch_of_events_costs_no_more_than_three_statements(counted: Counted) -> None:
    counted.open()  # the catalogue is read
    filed = [submission() for _ in range(20)]
    counted.count("open_cases", lambda: counted.handle("open_cases", filed))
    with_uploads = [submission(uploads=[uuid.uuid4().hex, uuid.uuid4().hex]) for _ in range(20)]
    counted.count("open_cases with uploads", lambda: counted.handle("open_cases", with_uploads))
    with_visits = [submission(visit_wanted=True) for _ in range(20)]
    counted.count("open_cases with visits", lambda: counted.handle("open_cases", with_visits))
    counted.count("open_cases again", lambda: counted.handle("open_cases", [*filed, submission()]))
    assert counted.one("SELECT count(*) FROM cases") == 62
    assert counted.one("SELECT count(*) FROM timeline") == 82
    assert counted.one("SELECT count(*) FROM outbox") == 82

    media = [upload for event in with_uploads for upload in event.uploads]
    about = {"occurred_at": now(), "sha256": "c" * 64, "variants": [], "scanned": True}
    accepted = [
        MediaAccepted(id=uuid.uuid4(), media_id=upload, media_type="image/jpeg", size=1, **about) for upload in media
    ]
    counted.count("keep_media", lambda: counted.handle("keep_media", accepted))
    rejected = [
        MediaRejected(id=uuid.uuid4(), occurred_at=now(), media_id=uuid.uuid4().hex, reason="media_type_not_allowed")
    ]
    counted.count("keep_media refused", lambda: counted.handle("keep_media", rejected))
    recoded = SubmissionRecoded(
        id=uuid.uuid4(),
        occurred_at=now(),
        case_id=filed[0].case_id,
        old_code_hash=filed[0].code_hash,
        code_hash=code_hash(),
    )
    counted.count("recode", lambda: counted.handle("recode", recoded))
    counted.count("keep_staff", lambda: counted.handle("keep_staff", staff(counted.head, version=2)))
    counted.count("keep_catalogue", lambda: counted.handle("keep_catalogue", catalogue(version=2)))
    decided = counted.investigated()
    counted.do(counted.inspector, decided.case_id, decision())
    for filed_case, reply in ((decided, Reply.SATISFIED), (decided, Reply.OBJECT), (counted.open(), Reply.OBJECT)):
        event = CitizenReplied(id=uuid.uuid4(), occurred_at=now(), case_id=filed_case.case_id, reply=reply)
        counted.count("take_reply", partial(counted.handle, "take_reply", event))

    assert counted.too_many(MOST_OF_BATCH) == {}
    assert set(counted.found) == set(MOST_OF_BATCH)


def test_a_batch_of_submissions_costs_two_statements(postgres: PostgreSQL, tmp_path: Path) -> None:
    intake = CountedService(postgres, "intake")
    office = Office(intake.environment, tmp_path)
    office.run("catalogue.seed")
    intake.service.file_submissions([office.submission()])  # the catalogue is read
    operator = uuid.uuid4()
    consent = Consent(form="spoken", to=["filing"], recorded_by=operator, recorded_at=now())
    members = sealing.seal(
        GroupMembers(items=[GroupMember(name="شاکی")]), key_of(intake.environment["INTAKE_PUBLIC_KEY"])
    )
    for size in (1, 200):
        batch = [office.submission(identity=citizen(), other_code_hashes=[code_hash()]) for _ in range(size)]
        batch[0] = office.submission(
            identity=citizen(), channel="phone", filed_by=operator, consent=consent, sealed_members=members
        )
        intake.count(f"submissions: {size}", partial(intake.service.file_submissions, batch))
        intake.count(f"submissions again: {size}", partial(intake.service.file_submissions, batch))
    for table, rows in (
        ("submissions", 202),
        ("outbox", 203),
        ("identities", 201),
        ("consents", 2),
        ("group_members", 2),
    ):
        assert intake.one(f"SELECT count(*) FROM {table}") == rows, table
    assert intake.too_many(dict.fromkeys(intake.found, AT_ONCE)) == {}


def test_a_batch_of_events_costs_notify_two_statements(postgres: PostgreSQL) -> None:
    notify = CountedService(postgres, "notify")
    notify.service.wake_sender = lambda: None
    secrets = Keys(notify.environment)
    for size in (1, 100):
        people = [Person(secrets) for _ in range(size)] + [Person(secrets, mobile=None)]
        registered = [person.registered() for person in people]
        notify.count(f"contacts: {size}", partial(notify.service.contacts, registered))
        notify.count(f"contacts again: {size}", partial(notify.service.contacts, registered))
        events = [event for person in people for event in (person.opened(), person.citizen_asked(), person.decided())]
        notify.count(f"cases: {size}", partial(notify.service.case_events, events))
        notify.count(f"cases again: {size}", partial(notify.service.case_events, events))
    expires_at = now() + timedelta(minutes=5)
    otp = one_time_code(secrets, "+989120000001", "123456", Language.FA, expires_at)
    notify.count("otp", lambda: notify.service.otp_requested(otp))
    for table, rows in (("contacts", 103), ("inbox", 413), ("cases", 103), ("messages", 619)):
        assert notify.one(f"SELECT count(*) FROM {table}") == rows, table
    assert notify.one("SELECT count(*) FROM outbox") == 309, "one for each message in an inbox"
    assert notify.too_many(dict.fromkeys(notify.found, AT_ONCE)) == {}


def test_a_batch_of_events_costs_insight_one_statement(postgres: PostgreSQL) -> None:
    insight = CountedService(postgres, "insight")
    about = {"template": "registered", "channel": MessageChannel.SMS, "case_id": None}
    for size in (1, 66):
        events: list[Event] = []
        for _ in range(size):
            opened = case_opened(now())
            decided = CaseDecided(
                id=uuid.uuid4(),
                occurred_at=now(),
                case_id=opened.case_id,
                sequence=2,
                state=snapshot(now(), stage=Stage.DECIDED, outcome=Outcome.UPHELD),
                outcome=Outcome.UPHELD,
            )
            sent = NotificationDelivered(id=uuid.uuid4(), occurred_at=now(), message_id=uuid.uuid4(), **about)
            events += [opened, decided, sent]
        visit_asked = VisitAsked(
            id=uuid.uuid4(),
            occurred_at=now(),
            case_id=opened.case_id,
            sequence=3,
            state=decided.state,
            visit_id=uuid.uuid4(),
        )
        changes = [catalogue_changed(now(), {"mq": None, "roads": "mq"}, version, ["delay"]) for version in (1, 2)]
        insight.count(f"events: {size}", partial(insight.service.record, [*events, visit_asked, *changes]))
    assert insight.one("SELECT count(*) FROM facts WHERE decided_at IS NOT NULL") == 67
    assert insight.too_many(dict.fromkeys(insight.found, 1)) == {}
