"""A world for the walk: units five levels deep, staff of every role in many of them, citizens, and cases of every kind and
stage, lived through the use cases themselves. Made of a seed; every case has words of its own (oracle.py)."""

from __future__ import annotations

import pickle
import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import text

from backbone import sealing
from backbone.process import keys
from backbone.storage import migrate
from backbone.storage.database import Database
from contracts import tracking as tracking_contracts
from contracts import tracking_codes
from contracts.accounts import StaffChanged
from contracts.base import Event
from contracts.exports import StartExport
from contracts.gateway import Actor, Consent, FileSubmission, Group, Identity, Place
from contracts.identities import AskForIdentity, DecideIdentityRequest, IdentityAsked, IdentityDecided
from contracts.intake import Catalogue, CatalogueChanged, Ground, SubmissionRegistered, Unit
from contracts.media import MediaAccepted
from contracts.searches import Audience, Filter, KeepSearch
from contracts.tracking import (
    AddCheck,
    AddEvidence,
    AddNote,
    AnswerQuestion,
    AnswerUnitQuestion,
    Approve,
    AskCitizen,
    AskUnit,
    Assign,
    Close,
    Decide,
    ExecuteCitizenCommand,
    ExecuteCommand,
    LinkCase,
    Merge,
    Propose,
    RaiseObjection,
    Rate,
    Recommendation,
    Refuse,
    Remind,
    ReportRecommendation,
    StartScreening,
    TickCheck,
    TrackedEvent,
    Withdraw,
)
from contracts.visits import AddRoom, AddSlot, BookVisit, HoldVisit
from contracts.vocabulary import ActorKind, Channel, Kind, Language, Outcome, Role
from services.accounts.staff.credentials import Credentials
from services.accounts.staff.rules import Member
from services.accounts.staff.staff_accounts import StaffAccounts
from services.tracking.composition import compose
from tests.support.processes import create_database
from tests.support.walk.oracle import Canary, CaseFacts, Oracle, Person, Sort
from tests.support.walk.services import SERVICES, Services

GROUNDS = {"delay": Kind.COMPLAINT, "conduct": Kind.COMPLAINT, "service": Kind.CRITICISM, "waste": Kind.INFORMATION}
STORIES = {
    "delay": "پروانه ساختمان من چند ماه است که صادر نشده و هیچ کس پاسخ نمی‌دهد",
    "conduct": "رفتار کارمند باجه هنگام پرداخت عوارض بسیار نامناسب و توهین آمیز بود",
    "service": "روشنایی کوچه و جمع آوری زباله در محله ما خوب انجام نمی‌شود",
    "waste": "از خودروی اداری و سوخت آن برای کارهای شخصی استفاده می‌شود",
}
FAMILY = "چاه عمیق بدون مجوز کنار باغ قدیمی حفر شده و دیوار باغ ترک برداشته"
"""A story told only of one unit by several cases, each already read: what it suggests must not reach who avoids that unit."""

A_LIFE = (
    *("registered", "screening", "unknown_unit", "refused", "closed_refused", "withdrawn", "investigating"),
    *("awaiting_citizen", "awaiting_unit", "unit_answered", "proposed", "decided", "recommended", "reported"),
    *("review", "final", "visit_asked", "visit_booked", "visit_held", "merged", "linked", "handed_over", "rated"),
)
"""How far cases come; one of each in every round."""


def units() -> dict[str, str | None]:
    """A tree of five levels under the municipality, two branches, and the office's own unit."""
    tree: dict[str, str | None] = {"mq": None, "insp": "mq"}
    for branch in ("a", "b"):
        path = "mq"
        for level in ("dep", "dist", "org", "off", "desk"):
            code = f"{level}.{branch}"
            tree[code], path = path, code
        tree[f"off2.{branch}"] = f"org.{branch}"
    return tree


@dataclass
class World:
    """All that was made. `urls`: the databases; `files`: exports by owner; `slots`: of the visits' calendar."""

    oracle: Oracle
    people: list[Person]
    urls: dict[str, str]
    keys: dict[str, str]
    seed: int
    searches: dict[UUID, tuple[str, str]] = field(default_factory=dict)
    exports: dict[UUID, str] = field(default_factory=dict)
    recommendations: dict[UUID, tuple[UUID, str | None]] = field(default_factory=dict)
    probes: list[UUID] = field(default_factory=list)
    catalogue: Catalogue | None = None
    standing: dict[str, int] = field(default_factory=dict)
    """Of each member of staff's account the version that accounts told last."""

    def save(self, file: Path) -> None:
        file.write_bytes(pickle.dumps(self))

    @staticmethod
    def load(file: Path) -> World:
        found: World = pickle.loads(file.read_bytes())  # noqa: S301  # our own file, of this run
        return found

    def rows(self, service: str, query: str) -> list[dict[str, Any]]:
        """What a database holds, past all services."""
        url = self.urls[service].replace("+psycopg", "")
        with psycopg.connect(url, row_factory=psycopg.rows.dict_row) as connection:
            return connection.execute(query).fetchall()


def _event_handlers(service: str, made: Any) -> Any:
    return made.use_cases.events if service == "tracking" else made.use_cases.notifications


class Maker:
    """Makes one world."""

    def __init__(self, server_url: str, seed: int, name: str = "walk") -> None:
        self.chance = random.Random(seed)
        self.seed = seed
        urls = {service: create_database(server_url, f"{name}_{service}") for service in SERVICES}
        for service, url in urls.items():
            migrate.upgrade(service, url)
        self.parents = units()
        self.oracle = Oracle(self.parents)
        self.world = World(self.oracle, [], urls, keys.generate(), seed)
        self.services = Services(urls, self.world.keys, lambda url: Database(url, pool_size=2))
        self.at = datetime.now(UTC)
        self.ahead = timedelta(0)
        tracking = self.services.made["tracking"]
        tracking.use_cases = compose(tracking.settings, lambda: datetime.now(UTC) + self.ahead)
        self._words = 0

    # --- words, people ---

    def word(self, case: UUID | None, sort: Sort, unit: str | None = None, tail: str = "") -> str:
        """A word found nowhere else, known to the oracle."""
        self._words += 1
        made = f"zq{self._words:06d}x"
        self.oracle.canaries[made] = Canary(case, sort, unit)
        return made + tail

    def mark(self, value: Any, case: UUID | None, sort: Sort, unit: str | None = None) -> None:
        self.oracle.canaries[str(value)] = Canary(case, sort, unit)

    def media(self, case: UUID, sort: Sort, unit: str | None = None) -> str:
        made = self.word(case, sort, unit, tail="_file00000000")
        self.oracle.cases[case].media[made] = self.oracle.canaries[made[:9]]
        tell = MediaAccepted(
            id=uuid.uuid4(),
            occurred_at=self.at,
            media_id=made,
            media_type="image/jpeg",
            size=1000,
            sha256="c" * 64,
            variants=[],
            scanned=True,
        )
        with self.services.made["tracking"].db.transaction() as connection:
            self.services.made["tracking"].use_cases.evidence.keep_media(connection, [tell])
        return made

    def staff(
        self,
        name: str,
        roles: Role | set[Role],
        unit: str | None,
        told: str | None = "same",
        active: bool = True,
        version: int = 1,
    ) -> Person:
        """`unit`, `version`: as the token says; `told`: as accounts told last."""
        held = roles if isinstance(roles, set) else {roles}
        actor = Actor(kind=ActorKind.STAFF, id=str(uuid.uuid4()), roles=frozenset(held), unit=unit)
        last = unit if told == "same" else told
        belongs = {one for one in (unit, last) if one is not None}
        person = Person(name, actor, frozenset(belongs), active, version=version)
        self.world.people.append(person)
        self.mark(actor.id, None, Sort.STAFF)
        self.hear_of(person, last, 2 if version == 1 and not (active and last == unit) else 1)
        return person

    def hear_of(self, person: Person, unit: str | None, version: int = 1) -> None:
        self.world.standing[person.id] = version
        self._open_account(person, unit)
        event = StaffChanged(
            id=uuid.uuid4(),
            occurred_at=self.at,
            staff_id=UUID(person.id),
            version=version,
            display_name=person.name,
            roles=sorted(person.actor.roles) if person.actor else [],
            unit=unit,
            active=person.active,
        )
        for service, method in (("tracking", "keep_staff"), ("notify", "staff_changed")):
            made = self.services.made[service]
            with made.db.transaction() as connection:
                getattr(_event_handlers(service, made), method)(connection, event)

    def _open_account(self, person: Person, unit: str | None) -> None:
        """As the administrator would have: accounts itself asks for nobody else's word."""
        assert person.actor is not None
        member = Member(person.name, tuple(person.actor.roles), unit, person.active)
        name = f"staff-{person.id}"
        accounts = StaffAccounts(bytes.fromhex(self.world.keys["STAFF_SECRET_KEY"]))
        credentials = Credentials("walked-" + uuid.uuid4().hex, "A" * 32)
        with self.services.made["accounts"].db.transaction() as connection:
            if not accounts.change(connection, name, member):
                accounts.add(connection, UUID(person.id), name, member, credentials.hashed())

    def citizen(self, name: str) -> Person:
        person = Person(name, Actor(kind=ActorKind.CITIZEN, id=str(uuid.uuid4())))
        self.world.people.append(person)
        return person

    # --- the story ---

    def make(self, rounds: int = 3) -> World:
        self._catalogue()
        self._people()
        for _ in range(rounds):
            for life in A_LIFE:
                self.live(life)
        self._family()
        self._identity_requests()
        for person, unit in self.later:
            moved = replace(person, units=person.units | {unit})
            self.world.people[self.world.people.index(person)] = moved
            self.hear_of(moved, unit, version=2)
        self._kept()
        self._tell_others()
        self._look()
        return self.world

    def _catalogue(self) -> None:
        told = [
            Unit(code=code, parent=parent, level="unit", name_fa=f"واحد {code}", name_en=f"Unit {code}")
            for code, parent in self.parents.items()
        ]
        grounds = [Ground(code=code, kinds=[kind], name_fa=code, name_en=code) for code, kind in GROUNDS.items()]
        whole = Catalogue(version=1, units=told, grounds=grounds, four_eyes=[Kind.COMPLAINT, Kind.INFORMATION])
        self.world.catalogue = whole
        self.catalogue = CatalogueChanged(id=uuid.uuid4(), occurred_at=self.at, catalogue=whole)
        for service, method in (("tracking", "keep_catalogue"), ("notify", "catalogue_changed")):
            made = self.services.made[service]
            with made.db.transaction() as connection:
                getattr(_event_handlers(service, made), method)(connection, self.catalogue)

    def _people(self) -> None:
        self.head = self.staff("head", Role.HEAD, "insp")
        self.other_head = self.staff("other head", Role.HEAD, "insp")
        self.screener = self.staff("screener", Role.SCREENER, "insp")
        self.inspectors = [self.staff(f"inspector {one}", Role.INSPECTOR, "insp") for one in range(3)]
        self.inspectors += [self.staff(f"inspector of {unit}", Role.INSPECTOR, unit) for unit in ("org.a", "desk.b")]
        for unit in ("desk.a", "org.b", "dep.a"):
            self.staff(f"screener of {unit}", Role.SCREENER, unit)
            self.staff(f"head of {unit}", Role.HEAD, unit)
        self.staff("screener of no unit", Role.SCREENER, None)
        self.staff("screener who moved", Role.SCREENER, "insp", told="off.a")
        self.staff("screener whose token is newer", Role.SCREENER, "off.b", told="insp", version=2)
        self.staff("dismissed head", Role.HEAD, "insp", active=False)
        self.staff("head and inspector", {Role.HEAD, Role.INSPECTOR}, "org.a")
        for unit in ("dep.a", "off.a", "desk.a", "off2.a", "org.b", "desk.b"):
            self.staff(f"liaison of {unit}", Role.LIAISON, unit)
        self.staff("liaison and inspector", {Role.LIAISON, Role.INSPECTOR}, "off2.b")
        for role in (Role.CUSTODIAN, Role.ANALYST, Role.ADMINISTRATOR, Role.OPERATOR):
            self.staff(f"{role}", role, "insp")
            self.staff(f"{role} of off.a", role, "off.a")
        self.citizens = [self.citizen(f"citizen {one}") for one in range(3)]
        self.world.people.append(Person("nobody", None))
        moves = self.staff("inspector who will belong to a unit", Role.INSPECTOR, "insp")
        self.inspectors.append(moves)
        self.later = [(moves, "off.a")]
        admin = next(one for one in self.world.people if one.name == "administrator")
        self.room = self._ask(AddRoom(actor=admin.actor, idempotency_key="room-0001", name_fa="یک", name_en="One"))
        self.slots: dict[str, list[UUID]] = {}
        for place, inspector in enumerate(self.inspectors):
            room = self._ask(
                AddRoom(actor=admin.actor, idempotency_key=f"room-{place:06d}", name_fa=f"{place}", name_en=f"{place}")
            )
            for hour in range(8):
                starts = self.at + timedelta(hours=1 + hour)
                slot = self._ask(
                    AddSlot(
                        actor=admin.actor,
                        idempotency_key=f"slot-{place:03d}-{hour:03d}",
                        room_id=room.room_id,
                        inspector=UUID(inspector.id),
                        starts_at=starts,
                        ends_at=starts + timedelta(minutes=30),
                        capacity=3,
                    )
                )
                self.slots.setdefault(inspector.id, []).append(slot.slot_id)
                self.mark(slot.slot_id, None, Sort.SLOT)

    def file(self, **changes: Any) -> CaseFacts:
        """A case with a word in every field."""
        case_id = uuid.uuid4()
        typed = tracking_codes.mint(self._keys("CODE_MAC_KEYS"))
        code = tracking_codes.hashes(typed, self._keys("CODE_INDEX_KEYS"))[0]
        ground = changes.get("ground") or self.chance.choice(list(GROUNDS))
        unit = changes.get("unit", self.chance.choice([one for one in self.parents if one not in ("mq", "insp")]))
        owner = changes.get("owner") or self.chance.choice([None, *self.citizens])
        facts = CaseFacts(case_id, code, unit, UUID(owner.id) if owner else None, "", None, code=typed)
        self.oracle.cases[case_id] = facts
        self.mark(case_id, case_id, Sort.CASE)
        self.mark(code, case_id, Sort.CITIZEN)
        self.mark(typed, case_id, Sort.CITIZEN)

        def word() -> str:
            return self.word(case_id, Sort.FILED)

        facts.text = f"{word()} {changes.get('story', STORIES[ground])} {word()}"
        by_operator = self.chance.random() < 0.3
        operator = next(one for one in self.world.people if one.name == "operator")
        values: dict[str, Any] = {
            "id": uuid.uuid4(),
            "occurred_at": self.at,
            "case_id": case_id,
            "code_hash": code,
            "kind": GROUNDS[ground],
            "unit": unit,
            "unit_asked": unit or word(),
            "unit_name_fa": f"واحد {unit}" if unit else None,
            "unit_name_en": f"Unit {unit}" if unit else None,
            "ground": ground,
            "answers": {"file_number": word()},
            "text": facts.text,
            "place": Place(address=word()),
            "reference": word(),
            "people": [word()],
            "uploads": [self.media(case_id, Sort.FILED) for _ in range(2)],
            "visit_wanted": changes.get("visit_wanted", False),
            "channel": Channel.COUNTER if by_operator else Channel.WEB,
            "language": Language.FA,
            "filed_at": self.at - timedelta(minutes=len(self.oracle.cases)),
            "anonymous": owner is None,
            "citizen_id": facts.citizen_id,
            "content_hash": "c" * 64,
            "consent": Consent(form="spoken", to=["filing"], recorded_by=UUID(operator.id), recorded_at=self.at)
            if by_operator
            else None,
            "group": Group(members=3, common=word()) if self.chance.random() < 0.3 else None,
        }
        facts.filed = SubmissionRegistered(**values)
        for service, method in (("tracking", "open_cases"), ("notify", "submissions_registered")):
            made = self.services.made[service]
            with made.db.transaction() as connection:
                getattr(_event_handlers(service, made), method)(connection, [facts.filed])
        self._seal(facts)
        if self.chance.random() < 0.15 or changes.get("held"):
            self.world.people.append(
                Person(
                    f"holder of a code {len(self.oracle.cases)}", Actor(kind=ActorKind.BEARER, id=code), code_hash=code
                )
            )
        return facts

    def _seal(self, facts: CaseFacts) -> None:
        """Who filed it, as intake keeps that; of anonymous ones, too, so that there is something to be found."""
        filed = facts.filed
        told = Identity(name=self.word(facts.case_id, Sort.IDENTITY))
        command = FileSubmission(
            submission_id=facts.case_id,
            code_hash=facts.code_hash,
            kind=filed.kind,
            unit=filed.unit_asked,
            ground=filed.ground,
            text=filed.text,
            channel=filed.channel,
            language=filed.language,
            filed_at=filed.filed_at,
            sealed_identity=sealing.seal(told, bytes.fromhex(self.world.keys["INTAKE_PUBLIC_KEY"])),
            content_hash=filed.content_hash,
        )
        intake = self.services.made["intake"]
        with intake.db.transaction() as connection:
            intake.use_cases.submissions.register(connection, [command])

    def _keys(self, name: str) -> list[bytes]:
        return [bytes.fromhex(key) for key in self.world.keys[name].split(",")]

    def live(self, life: str) -> None:
        """One case, as far as `life` says."""
        if life == "unknown_unit":
            facts = self.file(unit=None)
            self.do(self.screener, facts, StartScreening())
            return
        # Whatever the seed: somebody holds the code of a decided case, and a citizen has one of their own.
        sure = {"held": True} if life == "decided" else {"owner": self.citizens[0]} if life == "rated" else {}
        facts = self.file(visit_wanted=life.startswith("visit"), **sure)
        case = facts.case_id
        if life == "registered":
            return
        if life == "withdrawn":
            self.say(facts, Withdraw(reason=self.word(case, Sort.TO_CITIZEN)))
            return
        self.do(self.screener, facts, StartScreening())
        if life == "screening":
            return
        if life in ("refused", "closed_refused"):
            told = (self.word(case, Sort.TO_CITIZEN) for _ in range(2))
            self.do(self.screener, facts, Refuse(reason="outside_remit", explanation=next(told), address=next(told)))
            if life == "closed_refused":
                self.do(self.head, facts, Close())
            return
        if life == "merged":
            into = self._one_more(facts)
            self.do(self.screener, facts, Merge(into=into.case_id))
            self.inquire(into)
            self.decide(into)
            return
        inspector = self.assign(facts)
        if life == "linked":
            other = self._one_more(facts)
            self.do(self.head, facts, LinkCase(to=other.case_id))
        if life == "handed_over":
            self.assign(facts, besides=inspector)
            return
        if life.startswith("visit"):
            self.visit(facts, life)
            return
        self.inquire(facts)
        if life == "investigating":
            return
        if life == "awaiting_citizen":
            self.do(self.inspector_of(facts), facts, AskCitizen(text=self.word(case, Sort.TO_CITIZEN)))
        elif life in ("awaiting_unit", "unit_answered"):
            self.ask_unit(facts, answered=life == "unit_answered")
            if life == "unit_answered":
                self.ask_unit(facts, answered=True)
        elif life == "proposed":
            self.propose(facts)
        else:
            self.decide(facts)
        if life == "reported":
            self.report(facts)
        if life == "rated":
            self.say(facts, Rate(score=4))
        if life in ("review", "final"):
            self.say(facts, RaiseObjection(text=self.word(case, Sort.TO_CITIZEN)))
            self.assign(facts, besides=inspector)
            self.do(self.inspector_of(facts), facts, AddNote(text=self.word(case, Sort.OFFICE)))
            if life == "final":
                self.decide(facts, final=True)

    def _one_more(self, facts: CaseFacts) -> CaseFacts:
        """Another case, of another unit, in an inspector's hands."""
        other = "desk.b" if facts.unit and facts.unit.endswith(".a") else "off.a"
        more = self.file(unit=other)
        self.do(self.screener, more, StartScreening())
        self.assign(more)
        return more

    def assign(self, facts: CaseFacts, besides: Person | None = None) -> Person:
        """To an inspector who may have it."""
        able = [one for one in self.inspectors if one != besides and not self.oracle.conflicted(one, facts.unit)]
        chosen = self.chance.choice(able)
        self.do(self.screener, facts, Assign(inspector=UUID(chosen.id)))
        facts.handler = UUID(chosen.id)
        return chosen

    def inspector_of(self, facts: CaseFacts) -> Person:
        return next(one for one in self.inspectors if one.id == str(facts.handler))

    def inquire(self, facts: CaseFacts) -> None:
        """What an inspector does, each with words of its own."""
        case, by = facts.case_id, self.inspector_of(facts)

        def word() -> str:
            return self.word(case, Sort.OFFICE)

        self.do(by, facts, AddNote(text=word(), mentions=[UUID(self.head.id)]))
        self.do(by, facts, Remind(on=(self.at + timedelta(days=9)).date(), text=word()))
        after = self.do(by, facts, AddCheck(text=word()))
        self.do(by, facts, TickCheck(item_id=after.checklist[0].item_id, done=True))
        self.do(by, facts, AddEvidence(uploads=[self.media(case, Sort.OFFICE)]))
        self.do(by, facts, AskCitizen(text=self.word(case, Sort.TO_CITIZEN)))
        given = self.media(case, Sort.FILED)
        self.say(facts, AnswerQuestion(text=self.word(case, Sort.TO_CITIZEN), uploads=[given]))

    def ask_unit(self, facts: CaseFacts, answered: bool) -> None:
        case = facts.case_id
        # Of two questions of one case the second is put to the other branch.
        asked = self.chance.choice(["off2.b", "org.b"] if facts.questions else ["off.a", "desk.a", "off2.a"])
        sent = facts.filed.uploads[len(facts.questions)]
        self.oracle.canaries[sent[:9]] = facts.media[sent] = Canary(case, Sort.SENT_ALONG, asked)
        question = self.word(case, Sort.UNIT, asked)
        after = self.do(self.inspector_of(facts), facts, AskUnit(text=question, unit=asked, media=[sent]))
        question_id = after.questions[-1].question_id
        facts.questions.append(question_id)
        if answered:
            liaison = Actor(kind=ActorKind.STAFF, id=str(uuid.uuid4()), roles=frozenset({Role.LIAISON}), unit=asked)
            self._ask(
                AnswerUnitQuestion(
                    actor=liaison,
                    question_id=question_id,
                    text=self.word(case, Sort.UNIT, asked),
                    uploads=[self.media(case, Sort.UNIT, asked)],
                    idempotency_key=uuid.uuid4().hex,
                )
            )

    def _decision(self, facts: CaseFacts, sort: Sort) -> dict[str, Any]:
        case = facts.case_id
        advice = {"text": self.word(case, Sort.UNIT, facts.unit), "due_on": (self.at + timedelta(days=30)).date()}
        return {
            "outcome": Outcome.UPHELD,
            "reasons": self.word(case, sort),
            "root_causes": ["process"],
            "recommendations": [Recommendation.model_validate(advice)],
        }

    def propose(self, facts: CaseFacts) -> None:
        told = self._decision(facts, Sort.OFFICE)
        # As long as nobody has approved it, the unit does not hear of it either.
        self.oracle.canaries[told["recommendations"][0].text] = Canary(facts.case_id, Sort.OFFICE)
        self.do(self.inspector_of(facts), facts, Propose(**told))

    def decide(self, facts: CaseFacts, final: bool = False) -> None:
        told, by = self._decision(facts, Sort.TO_CITIZEN), self.inspector_of(facts)
        if facts.filed.kind is Kind.CRITICISM:
            self.do(by, facts, Decide(**told))
        else:
            self.do(by, facts, Propose(**told))
            self.do(self.other_head if final else self.head, facts, Approve())
        if not final:
            self.do(self.head, facts, AddNote(text=self.word(facts.case_id, Sort.OFFICE)))

    def report(self, facts: CaseFacts) -> None:
        [row] = self.world.rows(
            "tracking", f"SELECT recommendation_id, unit FROM recommendations WHERE case_id = '{facts.case_id}'"
        )
        liaison = Actor(kind=ActorKind.STAFF, id=str(uuid.uuid4()), roles=frozenset({Role.LIAISON}), unit=row["unit"])
        self._ask(
            ReportRecommendation(
                actor=liaison,
                recommendation_id=row["recommendation_id"],
                done=False,
                reason=self.word(facts.case_id, Sort.UNIT, row["unit"]),
                idempotency_key=uuid.uuid4().hex,
            )
        )

    def visit(self, facts: CaseFacts, life: str) -> None:
        if life == "visit_asked":
            return
        slot = next(one for one in self.slots[str(facts.handler)] if self._places(one) > 0)
        self.say(facts, BookVisit(slot_id=slot))
        if life == "visit_held":
            self.ahead = timedelta(hours=20)
            self.do(self.inspector_of(facts), facts, HoldVisit(minutes=self.word(facts.case_id, Sort.OFFICE)))
            self.ahead = timedelta(0)

    def _places(self, slot: UUID) -> int:
        query = (
            f"SELECT 3 - count(*) AS free FROM visits WHERE slot_id = '{slot}' AND state IN ('booked', 'moved', 'held')"
        )
        return int(self.world.rows("tracking", query)[0]["free"])

    def _family(self) -> None:
        """Several read cases of one unit that tell one story, and for it a new one of no unit, in two branches."""
        for unit in ("off.a", "org.b"):
            story = f"{FAMILY} {unit}"
            for _ in range(5):
                facts = self.file(unit=unit, ground="delay", story=story)
                self.do(self.screener, facts, StartScreening())
                self.assign(facts)
            self.world.probes.append(self.file(unit=None, ground="delay", story=story).case_id)

    def _identity_requests(self) -> None:
        """Asked for by each who may, of cases about several units; some of them consented to, some refused."""
        custodian = Actor(kind=ActorKind.STAFF, id=str(uuid.uuid4()), roles=frozenset({Role.CUSTODIAN}))
        for person in self.world.people:
            if not (person.active and person.roles & {Role.HEAD, Role.CUSTODIAN}):
                continue
            open_to = [one for one in self.oracle.cases.values() if not self.oracle.conflicted(person, one.unit)]
            for place, case in enumerate(open_to[:: max(1, len(open_to) // 6)]):
                told = {"reason": "walked", "minutes": 1_440, "idempotency_key": uuid.uuid4().hex}
                made = self._ask(AskForIdentity(actor=person.actor, case_id=case.case_id, **told))
                if place % 3:
                    word = {"request_id": made.request_id, "consent": place % 3 == 1}
                    self._ask(DecideIdentityRequest(actor=custodian, **word))
                if place % 3 == 1:
                    self.oracle.consents.add((person.id, case.case_id))

    def _kept(self) -> None:
        """Searches, kept and shared, and exports, made."""
        seeing = [one for one in self.world.people if one.roles & {Role.HEAD, Role.SCREENER, Role.INSPECTOR}]
        analysts = [one for one in self.world.people if Role.ANALYST in one.roles]
        for place, person in enumerate(seeing):
            shared = (Audience.NOBODY, Audience.ALL, Audience.INSPECTOR, Audience.HEAD)[place % 4]
            kept = self._ask(
                KeepSearch(
                    actor=person.actor,
                    name=f"search of {person.name}",
                    filters=Filter(stage=["investigating"], text=None),
                    shared_with=shared,
                    idempotency_key=uuid.uuid4().hex,
                )
            )
            self.world.searches[kept.search_id] = (person.id, shared)
        for person in [*seeing[::2], *analysts]:
            made = self._ask(StartExport(actor=person.actor, format="csv", idempotency_key=uuid.uuid4().hex))
            self.world.exports[made.export_id] = person.id
        tracking = self.services.made["tracking"]
        while tracking.use_cases.export_worker.work(tracking.db):
            pass

    def _tell_others(self) -> None:
        """What tracking has said, in order, to notify and insight."""
        classes = [
            one for one in vars(tracking_contracts).values() if isinstance(one, type) and issubclass(one, TrackedEvent)
        ]
        events: dict[str, type[Event]] = {one.name: one for one in classes if hasattr(one, "name")}
        tracking, notify, insight = (self.services.made[one] for one in ("tracking", "notify", "insight"))
        with tracking.db.read() as connection:
            rows = connection.execute(text("SELECT name, body FROM outbox ORDER BY seq")).all()
        told = [events[row.name].model_validate_json(bytes(row.body)) for row in rows if row.name in events]
        with notify.db.transaction() as connection:
            notify.use_cases.notifications.case_events(connection, told)
            for row in rows:
                for one in (IdentityAsked, IdentityDecided):
                    if row.name == one.name:
                        notify.use_cases.notifications.identity_event(
                            connection, one.model_validate_json(bytes(row.body))
                        )
        with insight.db.transaction() as connection:
            insight.use_cases.ingest.record(connection, [self.catalogue, *told])

    def _look(self) -> None:
        """What has become of the cases, as their rows say."""
        for row in self.world.rows("tracking", "SELECT * FROM cases"):
            facts = self.oracle.cases[row["case_id"]]
            facts.row, facts.number, facts.stage = row, row["number"], row["stage"]
            facts.unit, facts.handler = row["unit"], row["handler"]
            self.mark(facts.number, facts.case_id, Sort.CASE)
        query = "SELECT recommendation_id, case_id, unit FROM recommendations"
        for row in self.world.rows("tracking", query):
            self.world.recommendations[row["recommendation_id"]] = (row["case_id"], row["unit"])
        for facts in self.oracle.cases.values():
            if facts.citizen_id is not None:
                self.mark(facts.citizen_id, None, Sort.CITIZEN)

    # --- asking ---

    def do(self, who: Person, facts: CaseFacts, command: Any) -> Any:
        [row] = self.world.rows("tracking", f"SELECT version FROM cases WHERE case_id = '{facts.case_id}'")
        assert who.actor is not None
        return self._ask(
            ExecuteCommand(
                actor=who.actor,
                case_id=facts.case_id,
                expected_version=row["version"],
                idempotency_key=uuid.uuid4().hex,
                command=command,
            )
        )

    def say(self, facts: CaseFacts, command: Any) -> Any:
        return self._ask(
            ExecuteCitizenCommand(
                actor=Actor(kind=ActorKind.BEARER, id=facts.code_hash),
                code_hashes=[facts.code_hash],
                idempotency_key=uuid.uuid4().hex,
                command=command,
            )
        )

    def _ask(self, request: Any) -> Any:
        return self.services.ask("tracking", _METHODS[type(request)], request)


def _methods() -> Mapping[type[Any], str]:
    from tests.support.walk.services import rpcs

    return {request: method for method, request in rpcs("tracking").items()}


_METHODS = _methods()
