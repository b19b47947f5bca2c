"""What a world for the walk begins with: catalogue, staff, citizens and rooms; its words, and the calls to tracking."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from backbone.process import keys
from backbone.storage import migrate
from backbone.storage.database import Database
from contracts.accounts import StaffChanged
from contracts.gateway import Actor
from contracts.intake import Catalogue, CatalogueChanged, Ground, OutsideBody, Unit
from contracts.leaves import LeaveChanged
from contracts.media import MediaAccepted
from contracts.tracking import ExecuteCitizenCommand, ExecuteCommand
from contracts.visits import AddRoom, AddSlot
from contracts.vocabulary import ActorKind, Kind, Role
from services.accounts.staff.credentials import Credentials
from services.accounts.staff.rules import Member
from services.accounts.staff.staff_accounts import StaffAccounts
from services.tracking.composition import compose
from tests.support.processes import create_database
from tests.support.walk.oracle import Canary, CaseFacts, Oracle, Person, Sort
from tests.support.walk.services import SERVICES, Services, rpcs
from tests.support.walk.world import AGE_KEY, GROUNDS, OUTSIDE_BODY, World, units


class WorldSetup:
    """The people and the services of one world. What is written goes through `word`, so that the oracle knows it again."""

    def __init__(self, server_url: str, seed: int, name: str = "walk") -> None:
        self.chance = random.Random(seed)
        self.seed = seed
        urls = {service: create_database(server_url, f"{name}_{service}") for service in SERVICES}
        for service, url in urls.items():
            migrate.upgrade(service, url)
        self.parents = units()
        self.oracle = Oracle(self.parents, "insp")
        self.world = World(self.oracle, [], urls, keys.generate() | {"INSPECTION_UNIT": "insp"}, seed)
        self.services = Services(urls, self.world.keys, lambda url: Database(url, pool_size=2))
        self.at = datetime.now(UTC)
        self.ahead = timedelta(0)
        tracking = self.services.made["tracking"]
        tracking.use_cases = compose(tracking.settings, lambda: datetime.now(UTC) + self.ahead)
        self._words = 0

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
        unit_in_event: str | None = "same",
        active: bool = True,
        version: int = 1,
        deputy_of: Person | None = None,
    ) -> Person:
        """`unit`, `version`: as the token says; `unit_in_event`: as accounts published last; `deputy_of`: who is away."""
        held = roles if isinstance(roles, set) else {roles}
        actor = Actor(kind=ActorKind.STAFF, id=str(uuid.uuid4()), roles=frozenset(held), unit=unit)
        last = unit if unit_in_event == "same" else unit_in_event
        belongs = {unit_code for unit_code in (unit, last) if unit_code is not None}
        away = frozenset({deputy_of.id}) if deputy_of is not None else frozenset()
        person = Person(name, actor, frozenset(belongs), active, version=version, deputy_of=away)
        self.world.people.append(person)
        self.mark(actor.id, None, Sort.STAFF)
        self.publish_account(person, last, 2 if version == 1 and not (active and last == unit) else 1)
        for staff_id in away:
            self._publish_leave(UUID(staff_id), UUID(person.id))
        return person

    def _publish_leave(self, away: UUID, deputy: UUID) -> None:
        event = LeaveChanged(
            id=uuid.uuid4(),
            occurred_at=self.at,
            leave_id=uuid.uuid4(),
            version=1,
            staff_id=away,
            deputy=deputy,
            starts_at=self.at - timedelta(days=1),
            ends_at=self.at + timedelta(days=30),
        )
        self._publish_of_accounts(event)

    def publish_account(self, person: Person, unit: str | None, version: int = 1) -> None:
        self.world.account_versions[person.id] = version
        self.world.published_units[person.id] = unit
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
        self._publish_of_accounts(event)

    def _publish_of_accounts(self, event: StaffChanged | LeaveChanged) -> None:
        for service, method in (("tracking", "keep_staff"), ("notify", "staff_changed")):
            made = self.services.made[service]
            with made.db.transaction() as connection:
                getattr(event_handlers(service, made), method)(connection, event)

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

    def create_catalogue(self) -> None:
        published_units = [
            Unit(code=code, parent=parent, level="unit", name_fa=f"واحد {code}", name_en=f"Unit {code}")
            for code, parent in self.parents.items()
        ]
        grounds = [Ground(code=code, kinds=[kind], name_fa=code, name_en=code) for code, kind in GROUNDS.items()]
        whole = Catalogue(
            version=1,
            units=published_units,
            grounds=grounds,
            four_eyes=[Kind.COMPLAINT, Kind.INFORMATION],
            outside_bodies=[OutsideBody(code=OUTSIDE_BODY, name_fa="مرجع", name_en="Body", age_key=AGE_KEY)],
        )
        self.world.catalogue = whole
        self.catalogue = CatalogueChanged(id=uuid.uuid4(), occurred_at=self.at, catalogue=whole)
        for service, method in (("tracking", "keep_catalogue"), ("notify", "catalogue_changed")):
            made = self.services.made[service]
            with made.db.transaction() as connection:
                getattr(event_handlers(service, made), method)(connection, self.catalogue)

    def create_people(self) -> None:
        self.head = self.staff("head", Role.HEAD, "insp")
        self.other_head = self.staff("other head", Role.HEAD, "insp")
        self.screener = self.staff("screener", Role.SCREENER, "insp")
        self.inspectors = [self.staff(f"inspector {number}", Role.INSPECTOR, "insp") for number in range(3)]
        self.inspectors += [self.staff(f"inspector of {unit}", Role.INSPECTOR, unit) for unit in ("org.a", "desk.b")]
        for unit in ("desk.a", "org.b", "dep.a"):
            self.staff(f"screener of {unit}", Role.SCREENER, unit)
            self.staff(f"head of {unit}", Role.HEAD, unit)
        self.staff("screener of no unit", Role.SCREENER, None)
        self.staff("screener who moved", Role.SCREENER, "insp", unit_in_event="off.a")
        self.staff("screener whose token is newer", Role.SCREENER, "off.b", unit_in_event="insp", version=2)
        self.staff("dismissed head", Role.HEAD, "insp", active=False)
        self.staff("head and inspector", {Role.HEAD, Role.INSPECTOR}, "org.a")
        for unit in ("dep.a", "off.a", "desk.a", "off2.a", "org.b", "desk.b"):
            self.staff(f"liaison of {unit}", Role.LIAISON, unit)
        self.staff("liaison and inspector", {Role.LIAISON, Role.INSPECTOR}, "off2.b")
        for role in (Role.CUSTODIAN, Role.ANALYST, Role.ADMINISTRATOR, Role.OPERATOR):
            self.staff(f"{role}", role, "insp")
            self.staff(f"{role} of off.a", role, "off.a")
        self.staff("deputy of inspector 0", Role.INSPECTOR, "desk.b", deputy_of=self.inspectors[0])
        self.staff("deputy of the other head", Role.HEAD, "insp", deputy_of=self.other_head)
        self.substitutes = [
            self.staff("substitute", Role.SUBSTITUTE, "off2.b"),
            self.staff("substitute who inspects", {Role.SUBSTITUTE, Role.INSPECTOR}, "desk.a"),
        ]
        self.citizens = [self.citizen(f"citizen {number}") for number in range(3)]
        self.world.people.append(Person("nobody", None))
        moving_inspector = self.staff("inspector who will belong to a unit", Role.INSPECTOR, "insp")
        self.inspectors.append(moving_inspector)
        self.moving_operator = self.staff("operator who will belong to a unit", Role.OPERATOR, "insp")
        self.later = [(moving_inspector, "off.a"), (self.moving_operator, "off.a")]
        admin = next(person for person in self.world.people if person.name == "administrator")
        self.room = self.call(AddRoom(actor=admin.actor, idempotency_key="room-0001", name_fa="یک", name_en="One"))
        self.slots: dict[str, list[UUID]] = {}
        for place, inspector in enumerate(self.inspectors):
            new_room = self.call(
                AddRoom(actor=admin.actor, idempotency_key=f"room-{place:06d}", name_fa=f"{place}", name_en=f"{place}")
            )
            for hour in range(8):
                starts = self.at + timedelta(hours=1 + hour)
                slot = self.call(
                    AddSlot(
                        actor=admin.actor,
                        idempotency_key=f"slot-{place:03d}-{hour:03d}",
                        room_id=new_room.room_id,
                        inspector=UUID(inspector.id),
                        starts_at=starts,
                        ends_at=starts + timedelta(minutes=30),
                        capacity=3,
                    )
                )
                self.slots.setdefault(inspector.id, []).append(slot.slot_id)
                self.mark(slot.slot_id, None, Sort.SLOT)

    def do(self, who: Person, facts: CaseFacts, command: Any) -> Any:
        [row] = self.world.rows("tracking", f"SELECT version FROM cases WHERE case_id = '{facts.case_id}'")
        assert who.actor is not None
        return self.call(
            ExecuteCommand(
                actor=who.actor,
                case_id=facts.case_id,
                expected_version=row["version"],
                idempotency_key=uuid.uuid4().hex,
                command=command,
            )
        )

    def do_as_citizen(self, facts: CaseFacts, command: Any) -> Any:
        return self.call(
            ExecuteCitizenCommand(
                actor=Actor(kind=ActorKind.BEARER, id=facts.code_hash),
                code_hashes=[facts.code_hash],
                idempotency_key=uuid.uuid4().hex,
                command=command,
            )
        )

    def call(self, request: Any) -> Any:
        return self.services.ask("tracking", _METHODS[type(request)], request)


def event_handlers(service: str, made: Any) -> Any:
    return made.use_cases.events if service == "tracking" else made.use_cases.notifications


def _methods() -> Mapping[type[Any], str]:
    return {request: method for method, request in rpcs("tracking").items()}


_METHODS = _methods()
