"""Makes a world for the walk: people and cases, then identity requests, searches, exports, messages and figures."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import replace

from sqlalchemy import text

from backbone.persian import jalali
from contracts import tracking as tracking_contracts
from contracts.base import Event
from contracts.bulk import CaseInBulk, StartBulk
from contracts.calendars import MakeCalendarFeed
from contracts.exports import StartExport
from contracts.gateway import Actor
from contracts.identities import AskForIdentity, DecideIdentityRequest, IdentityAsked, IdentityDecided
from contracts.macros import KeepMacro, MacroAudience
from contracts.referrals import PackagedFile, RecordReferral, RecordReferralAnswer, ReferralOutcome
from contracts.searches import Audience, Filter, KeepSearch, PinSearches
from contracts.tracking import AddNote, StartScreening, TrackedEvent
from contracts.vocabulary import ActorKind, Role
from tests.support.walk.case_stories import CaseStories
from tests.support.walk.oracle import CaseFacts, Person, Sort
from tests.support.walk.witness import NOTES_CASES, SEES_CASES
from tests.support.walk.world import AGE_KEY, OUTSIDE_BODY, SIMILAR_TEXT, STORIES, World, feed_secret
from tests.support.walk.world_setup import WorldSetup


class Maker:
    """Makes one world."""

    def __init__(self, server_url: str, seed: int, name: str = "walk") -> None:
        self.setup = WorldSetup(server_url, seed, name)
        self.stories = CaseStories(self.setup)

    def make(self, rounds: int = 3) -> World:
        self.setup.create_catalogue()
        self.setup.create_people()
        for _ in range(rounds):
            for story in STORIES:
                self.stories.play(story)
        self.stories.play_others()
        self._similar_cases()
        self._identity_requests()
        self._referrals()
        for person, unit in self.setup.later:
            moved = replace(person, units=person.units | {unit})
            self.setup.world.people[self.setup.world.people.index(person)] = moved
            self.setup.publish_account(moved, unit, version=2)
        self._searches_and_exports()
        self._macros_and_bulks()
        self._publish_to_others()
        self._read_facts()
        return self.setup.world

    def _similar_cases(self) -> None:
        """Several read cases of one unit that tell one story, and for it a new one of no unit, in two branches."""
        for unit in ("off.a", "org.b"):
            complaint = f"{SIMILAR_TEXT} {unit}"
            for _ in range(5):
                facts = self.stories.file(unit=unit, ground="delay", text=complaint)
                self.setup.do(self.setup.screener, facts, StartScreening())
                self.stories.assign(facts)
            self.setup.world.probes.append(self.stories.file(unit=None, ground="delay", text=complaint).case_id)

    def _identity_requests(self) -> None:
        """Asked for by each who may, of cases about several units; some of them consented to, some refused."""
        custodian = Actor(kind=ActorKind.STAFF, id=str(uuid.uuid4()), roles=frozenset({Role.CUSTODIAN}))
        for person in self.setup.world.people:
            if not person.active:
                continue
            open_to = [
                candidate
                for candidate in self.setup.oracle.cases.values()
                if self.setup.oracle.may_ask_for_identity(person, candidate)
            ]
            for place, case in enumerate(open_to[:: max(1, len(open_to) // 6)]):
                values = {"reason": "walked", "minutes": 1_440, "idempotency_key": uuid.uuid4().hex}
                made = self.setup.call(AskForIdentity(actor=person.actor, case_id=case.case_id, **values))
                if place % 3:
                    word = {"request_id": made.request_id, "consent": place % 3 == 1}
                    self.setup.call(DecideIdentityRequest(actor=custodian, **word))
                if place % 3 == 1:
                    self._consented(person, case)

    def _consented(self, asker: Person, case: CaseFacts) -> None:
        """Who asked opens it; what an inspector asked for, any head."""
        opens = [asker] if self.setup.oracle.may_ask_to_open(asker, case) else self.setup.world.people
        for person in opens:
            if person is asker or Role.HEAD in person.roles:
                self.setup.oracle.consents.add((person.id, case.case_id))

    def _referrals(self) -> None:
        """Information that each head may know of, some of it, referred to a body outside, and what that answered."""
        for person in self.setup.world.people:
            if not (person.active and Role.HEAD in person.roles):
                continue
            rows = self.setup.world.rows(
                "tracking",
                "SELECT case_id FROM cases WHERE kind = 'information' AND stage IN ('screening', 'investigating', 'decided')"
                " ORDER BY number",
            )
            known_cases = [self.setup.oracle.cases[row["case_id"]] for row in rows]
            known_cases = [case for case in known_cases if not self.setup.oracle.conflicted(person, case.unit)]
            for case in known_cases[:: max(1, len(known_cases) // 3)]:
                made = self.setup.call(
                    RecordReferral(
                        actor=person.actor,
                        case_id=case.case_id,
                        body=OUTSIDE_BODY,
                        reason=self.setup.word(case.case_id, Sort.OFFICE),
                        idempotency_key=uuid.uuid4().hex,
                        contents=[PackagedFile(name="letter.pdf", size=1, sha256="a" * 64)],
                        sha256="b" * 64,
                        size=1,
                        key_fingerprint=hashlib.sha256(AGE_KEY.encode()).hexdigest(),
                    )
                )
                self.setup.call(
                    RecordReferralAnswer(
                        actor=person.actor,
                        referral_id=made.referral_id,
                        answered_on=jalali.today(made.made_at),
                        outcome=ReferralOutcome.ACCEPTED,
                        text=self.setup.word(case.case_id, Sort.OFFICE),
                        idempotency_key=uuid.uuid4().hex,
                    )
                )

    def _searches_and_exports(self) -> None:
        """Searches, kept and shared, calendar feeds, and exports, made."""
        seeing = [person for person in self.setup.world.people if person.roles & SEES_CASES]
        analysts = [person for person in self.setup.world.people if Role.ANALYST in person.roles]
        for place, person in enumerate(seeing):
            shared = (Audience.NOBODY, Audience.ALL, Audience.INSPECTOR, Audience.HEAD, Audience.UNIT)[place % 5]
            kept = self.setup.call(
                KeepSearch(
                    actor=person.actor,
                    name=f"search of {person.name}",
                    filters=Filter(stage=["investigating"], text=None),
                    shared_with=shared,
                    idempotency_key=uuid.uuid4().hex,
                )
            )
            self.setup.world.searches[kept.search_id] = (person.id, shared)
            if person.active:
                self.setup.call(PinSearches(actor=person.actor, searches=[kept.search_id]))
                self.setup.world.pins[person.id] = kept.search_id
        for person in seeing:
            if person.active:
                self.setup.call(MakeCalendarFeed(actor=person.actor, secret_hash=feed_secret(person.id)))
        for person in [*seeing[::2], *analysts]:
            made = self.setup.call(StartExport(actor=person.actor, format="csv", idempotency_key=uuid.uuid4().hex))
            self.setup.world.exports[made.export_id] = person.id
        tracking = self.setup.services.made["tracking"]
        while tracking.use_cases.export_worker.work(tracking.db):
            pass

    def _macros_and_bulks(self) -> None:
        """Macros, kept and shared, and commands for many cases, of those that their owner knows and of others: only judged, so
        that they change none."""
        for place, person in enumerate(self.setup.world.people):
            if not person.roles & SEES_CASES:
                continue
            shared = (MacroAudience.NOBODY, MacroAudience.INSPECTOR, MacroAudience.ALL)[place % 3]
            audience = shared if Role.HEAD in person.roles else MacroAudience.NOBODY
            values = {"name": f"macro of {person.name}", "steps": [AddNote(text="{number}")], "audience": audience}
            kept = self.setup.call(KeepMacro(actor=person.actor, idempotency_key=uuid.uuid4().hex, **values))
            self.setup.world.macros[kept.macro_id] = (person.id, audience)
            if not person.roles & NOTES_CASES:
                continue
            of_all = [*self.setup.oracle.known_cases(person)[:3], *self.setup.oracle.hidden_cases(person)[:3]]
            bulk = self.setup.call(
                StartBulk(
                    actor=person.actor,
                    step=AddNote(text="walked"),
                    cases=[CaseInBulk(case_id=case.case_id) for case in of_all],
                    preview=True,
                    idempotency_key=uuid.uuid4().hex,
                )
            )
            self.setup.world.bulks[bulk.bulk_id] = person.id
            self.setup.world.bulk_cases[bulk.bulk_id] = [case.case_id for case in of_all]
        tracking = self.setup.services.made["tracking"]
        while tracking.use_cases.bulk_worker.work(tracking.db):
            pass

    def _publish_to_others(self) -> None:
        """What tracking has said, in order, to notify and insight."""
        classes = [
            member_class
            for member_class in vars(tracking_contracts).values()
            if isinstance(member_class, type) and issubclass(member_class, TrackedEvent)
        ]
        events: dict[str, type[Event]] = {event.name: event for event in classes if hasattr(event, "name")}
        tracking, notify, insight = (self.setup.services.made[service] for service in ("tracking", "notify", "insight"))
        with tracking.db.read() as connection:
            rows = connection.execute(text("SELECT name, body FROM outbox ORDER BY seq")).all()
        published = [events[row.name].model_validate_json(bytes(row.body)) for row in rows if row.name in events]
        with notify.db.transaction() as connection:
            notify.use_cases.notifications.case_events(connection, published)
            for row in rows:
                for event_class in (IdentityAsked, IdentityDecided):
                    if row.name == event_class.name:
                        notify.use_cases.notifications.identity_event(
                            connection, event_class.model_validate_json(bytes(row.body))
                        )
        with insight.db.transaction() as connection:
            insight.use_cases.ingest.record(connection, [self.setup.catalogue, *published])

    def _read_facts(self) -> None:
        """What has become of the cases, as their rows say."""
        for row in self.setup.world.rows("tracking", "SELECT * FROM cases"):
            facts = self.setup.oracle.cases[row["case_id"]]
            facts.row, facts.number, facts.stage = row, row["number"], row["stage"]
            facts.unit, facts.handler = row["unit"], row["handler"]
            facts.colleagues = frozenset(line["staff"] for line in row["colleagues"])
            self.setup.mark(facts.number, facts.case_id, Sort.CASE)
        query = "SELECT recommendation_id, case_id, unit FROM recommendations"
        for row in self.setup.world.rows("tracking", query):
            self.setup.world.recommendations[row["recommendation_id"]] = (row["case_id"], row["unit"])
        for facts in self.setup.oracle.cases.values():
            if facts.citizen_id is not None:
                self.setup.mark(facts.citizen_id, None, Sort.CITIZEN)
