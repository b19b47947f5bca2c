"""The walk: every entrypoint of every service, asked by everybody of a world, and by nobody; what is told is held against
the oracle. A method `<service>_<rpc>` for each; one without it fails tests/component/test_walk.py."""

from __future__ import annotations

import base64
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ValidationError

from contracts import searches
from contracts.accounts import AddStaff, ChangeStaff, ListStaff, ListStaffHistory, ResetStaffCredentials
from contracts.errors import PeygirError
from contracts.exports import DropExport, GetExport, ListExports, ReadExport, StartExport
from contracts.gateway import Actor
from contracts.identities import AskForIdentity, DecideIdentityRequest, ListIdentityRequests
from contracts.insight import CountCases, CountFigure, CountVisits, ListFigures
from contracts.intake import (
    ChangeConfiguration,
    GetConfiguration,
    ListConfigurationHistory,
    OpenIdentity,
    ReadOwnName,
    SetCalendar,
)
from contracts.letters import ReadLetter
from contracts.notify import (
    ChangeNotificationText,
    ListMessages,
    ListNotificationTextHistory,
    ListNotificationTexts,
    MarkRead,
)
from contracts.screening import AssignMany, CaseSeen, HandOver, ListSkills, SetSkills, SuggestScreening
from contracts.staff_changes import ConfirmStaffChange, DenyStaffChange, ListStaffChanges
from contracts.tracking import (
    AddNote,
    AnswerUnitQuestion,
    AuthorizeIdentity,
    AuthorizeMedia,
    ExecuteCitizenCommand,
    ExecuteCommand,
    GetCase,
    LinkCase,
    ListOwnCases,
    ListRecommendations,
    ListUnitQuestions,
    ReportRecommendation,
    SendEvidence,
    ViewByCode,
    ViewOwnCase,
    Withdraw,
)
from contracts.visits import (
    AddRoom,
    AddSlot,
    AskVisit,
    CloseRoom,
    CloseSlot,
    ListOfferedSlots,
    ListRooms,
    ListSlots,
    MakeSlots,
)
from contracts.vocabulary import OPEN_STAGES, ActorKind, Role, Stage
from services.insight.figures.catalogue import FIGURES
from tests.support.walk.oracle import TRACE, CaseFacts, Oracle, Person, Sort
from tests.support.walk.services import Services
from tests.support.walk.world import World

NOWHERE = {
    "intake.get_catalogue": "what may be filed: the same for all, no person and no case in it",
    "intake.check_receipt": "asked by who holds receipt and code; answers whether it is registered (test_intake_service)",
    "accounts.request_otp": "answers the same whatever it is asked (test_accounts_citizens)",
    "accounts.verify_otp": "tokens for who proves a mobile (test_accounts_citizens)",
    "accounts.sign_in_staff": "tokens for who proves an account (test_accounts_staff)",
    "accounts.list_changed_staff": "asked by the gateway for itself: versions of accounts by their ids",
    "accounts.list_ended_sessions": "asked by the gateway for itself: random ids of sessions, nobody's name beside them",
    "accounts.refresh": "tokens for who holds one (test_accounts_sessions)",
    "accounts.revoke": "answers the same whatever it is asked (test_accounts_sessions)",
    **{
        f"{service}.read_chain_head": "hashes of the audit log, of which nothing can be read back"
        for service in ("tracking", "intake", "notify", "accounts")
    },
    "tracking.read_timeline_root": "a hash of all timelines, of which nothing can be read back",
    "tracking.keep_checkpoint": "for ourselves: the signed file whose hash everybody is given",
    "tracking.read_latest_checkpoint": "the gateway gives away its hash alone",
    "media.create_upload": "by whoever has a file: nothing is told but an unguessable id",
    "media.get_upload": "by its unguessable id, until a case has it (test_media_service)",
    "media.list_file_names": "the gateway asks for the citizen whose case tracking has just shown",
    "media.prepare_chunk": "by its unguessable id, which only its uploader has",
    "media.record_chunk": "by its unguessable id, which only its uploader has",
    "media.terminate_upload": "by its unguessable id, which only its uploader has",
    "media.sign_download": "the gateway asks tracking first whose it is (authorize_media)",
}
"""Entrypoints that tell nothing of a case or a person, and why."""

OFFICES_OWN = frozenset(
    {
        *("note_added", "evidence_added", "reminder_set", "check_added", "check_ticked", "linked"),
        *("decision_proposed", "proposal_returned", "duplicate_joined"),
    }
)
"""Entries of a timeline that are not for the citizen."""
SEES_CASES = frozenset({Role.HEAD, Role.SCREENER, Role.INSPECTOR})
FINDS_CASES = SEES_CASES | {Role.ANALYST}
ASSIGNS = frozenset({Role.HEAD, Role.SCREENER})
OPENS_IDENTITIES = frozenset({Role.HEAD, Role.CUSTODIAN})
EXACT = frozenset({Role.HEAD, Role.ANALYST, Role.ADMINISTRATOR, Role.SCREENER, Role.INSPECTOR})
UNKNOWN = frozenset({"unknown_case", "not_allowed", "not_found"})
SAMPLE = 12


WALKED_FIRST: dict[str, tuple[str, ...]] = {
    "kind_of": ("ask_for_identity", "authorize_identity"),
    "consent": ("authorize_identity",),
    "_with_case": ("list_identity_requests", "decide_identity_request"),
    "asked_by": ("list_identity_requests",),
    "lock_by_code": ("execute_citizen",),
    "lock_own": ("execute_citizen",),
    "case_of_question": ("answer_unit_question",),
    "own_cases": ("list_own_cases",),
    "unit_questions": ("list_unit_questions",),
    "media_for_staff": ("authorize_media",),
    "media_for_code": ("authorize_media",),
    "media_for_citizen": ("authorize_media",),
    "media_for_units": ("authorize_media",),
    "_sent_along": ("list_unit_questions", "authorize_media"),
    "text_of": ("suggest_screening",),
    "earlier": ("suggest_screening",),
    "similar": ("suggest_screening",),
    "inspectors": ("list_skills",),
    "open_cases_of": ("hand_over",),
    "case_of_unit": ("report_recommendation",),
    "of_scope": ("list_recommendations",),
    "of_units": ("list_recommendations",),
    "read": ("read_letter",),
    "case_by_code": ("list_offered_slots",),
    "own_case": ("list_offered_slots",),
    "list_slots": ("list_slots",),
    "seen_by": ("get_search",),
    "one": ("get_search", "get_export"),
    "page": ("list_searches", "list_messages", "list_identity_requests"),
    "all_of": ("list_exports",),
    "drop": ("drop_export",),
    "module": ("get_case", "view_own_case", "view_by_code"),
}
"""Function of a store → where a condition that is missing from it is seen first."""


class Leak(AssertionError):
    """Somebody was told what DOMAIN.md does not grant them, or not told what it does."""


class Witness:
    """Holds what is told against what is granted."""

    def same(self, person: Person, where: str, told: Any, granted: Any) -> None:
        if told != granted:
            raise Leak(f"{where} tells {person.name} {told!r}, and granted is {granted!r}")


class Walk(Witness):
    """Walks one world. Stops at the first leak. `services` undoes whatever a command did. `thin`: of the cases that are asked
    for one by one, every so many only."""

    def __init__(self, world: World, services: Services, thin: int = 1) -> None:
        self._thin = thin
        self.world, self.services = world, services
        self.oracle: Oracle = world.oracle
        self.asked = 0

    def all(self, near: str = "") -> int:
        """Everything, by everybody; how many questions were asked. `near`: what a mutant's name says is walked first, and of
        its service alone."""
        service, _, name = near.partition("/")
        words = WALKED_FIRST.get(name.split(":")[1], ()) if name else ()
        of_service = [method for method in self.methods() if method.startswith(service)]
        for method in sorted(of_service, key=lambda method: not method.endswith(tuple(words)) if words else False):
            for person in self.world.people:
                getattr(self, method)(person)
        return self.asked

    @classmethod
    def methods(cls) -> list[str]:
        """What is walked, as service_rpc."""
        return [
            name
            for name in vars(cls)
            if name.partition("_")[0] in ("tracking", "insight", "notify", "intake", "accounts")
        ]

    # --- asking ---

    def ask(self, person: Person, name: str, request: Any, check: bool = True) -> tuple[Any, str | None]:
        """The answer, or the code of the error; neither may hold a word that is not for this person."""
        self.asked += 1
        service, _, method = name.partition(".")
        try:
            answer, code = self.services.ask(service, method, request), None
            told = answer.model_dump_json()
        except PeygirError as error:
            answer, code, told = None, error.code, f"{error} {error.params!r}"
        except (ValidationError, LookupError) as error:  # what was found is none of what was asked for
            raise Leak(f"{name} fails for {person.name}: {type(error).__name__}") from error
        if check:
            given = set(TRACE.findall(request.model_dump_json()))
            self.read(person, name, told, given)
        return answer, code

    def read(self, person: Person, where: str, told: str, given: Iterable[str] = ()) -> None:
        for word in self.oracle.found(person, told):
            if word.rpartition(" ")[2] not in given:
                raise Leak(f"{where} tells {person.name} {word}")

    def refused(self, person: Person, where: str, code: str | None, how: Iterable[str] = UNKNOWN) -> None:
        if code is None or code not in how:
            raise Leak(f"{where} answers {person.name} with {code or 'what was asked for'}")

    def hidden(self, person: Person) -> Sequence[CaseFacts]:
        """Cases that this person may not know of: of each unit, stage and handler some."""
        found: dict[Any, list[CaseFacts]] = {}
        for case in self.oracle.hidden(person):
            found.setdefault((case.unit, case.handler, case.stage), []).append(case)
        return [case for some in found.values() for case in some[:2]][:: self._thin]

    def actor(self, person: Person) -> Actor:
        """Nobody is played by a system's actor without rights: the bus asks for some actor."""
        return person.actor or Actor(kind=ActorKind.SYSTEM, id="nobody")

    def sees_cases(self, person: Person) -> bool:
        return bool(person.roles & SEES_CASES)

    def finds_cases(self, person: Person) -> bool:
        """In lists, counts and exports, be it masked."""
        return bool(person.roles & FINDS_CASES)

    def behind_the_mask(self, person: Person, filters: Any) -> bool:
        """Whether what is asked for is what this person is not shown."""
        masked = self.finds_cases(person) and not self.sees_cases(person)
        return masked and bool({"text", "handler"} & set(filters))

    # --- tracking: cases ---

    def tracking_get_case(self, person: Person) -> None:
        for case in self.hidden(person):
            _, code = self.ask(person, "tracking.get_case", GetCase(actor=self.actor(person), case_id=case.case_id))
            self.refused(person, "tracking.get_case", code)
        for case in self.oracle.known(person)[:: self._thin] if person.staff else []:
            found, code = self.ask(person, "tracking.get_case", GetCase(actor=self.actor(person), case_id=case.case_id))
            self.same(person, "tracking.get_case", code, None)
            linked = {str(one.case_id) for one in found.linked}
            granted = {one for one in case.row["links"] if self.oracle.knows(person, self.oracle.cases[UUID(one)])}
            self.same(person, "tracking.get_case: linked", linked, granted)
            into = case.row["merged_into"]
            seen = into if into and self.oracle.knows(person, self.oracle.cases[into]) else None
            self.same(person, "tracking.get_case: merged_into", found.merged_into, seen)

    def _filters(self, cases: Sequence[CaseFacts]) -> Iterable[tuple[dict[str, Any], Callable[[CaseFacts], bool]]]:
        """Filters with what they find."""
        yield {}, lambda case: True
        values_of: dict[str, set[Any]] = {
            "stage": {case.stage for case in cases},
            "kind": {"complaint", "information"},
            "outcome": {"upheld"},
            "handler": {case.handler for case in cases if case.handler},
        }
        for name, values in values_of.items():
            for value in values:
                yield {name: [value]}, partial(_has, name, value)
        for unit in ("off.a", "org.b", "desk.a"):
            yield {"unit": [unit], "below": False}, partial(_has, "unit", unit)
            yield {"unit": [unit]}, partial(self._below, unit)
        yield {"attached": ["image"]}, lambda case: True
        yield {"due_from": "2020-01-01", "stage": ["registered"]}, partial(_has, "stage", "registered")

    def _below(self, unit: str, case: CaseFacts) -> bool:
        return unit in self.oracle.upwards(case.unit)

    def tracking_list_cases(self, person: Person) -> None:
        known, every = self.oracle.listed(person), list(self.oracle.cases.values())
        for filters, holds in self._filters(every):
            found = self._page_by_page(person, **filters)
            if self.finds_cases(person) and not self.behind_the_mask(person, filters):
                granted = sorted(str(case.case_id) for case in known if holds(case))
                self.same(person, f"tracking.list_cases {filters}", found, granted)
        for sort in ("filed_at", "due_on", "-due_on") if self.finds_cases(person) else ():
            found = self._page_by_page(person, sort=sort)
            self.same(person, f"tracking.list_cases {sort}", found, sorted(str(case.case_id) for case in known))
        for case in [one for one in self.hidden(person) if not self.oracle.lists(person, one)][:SAMPLE]:
            for filters in ({"text": case.text.split()[0]}, {"number": [case.number]}):
                self.same(person, f"tracking.list_cases {filters}", self._page_by_page(person, **filters), [])
        for search_id, (owner, shared) in self.world.searches.items():
            if not self._may_run(person, owner, shared):
                request = searches.ListCases(actor=self.actor(person), search=search_id)
                self.refused(
                    person, "tracking.list_cases by search", self.ask(person, "tracking.list_cases", request)[1]
                )

    def _page_by_page(self, person: Person, **filters: Any) -> list[str]:
        found: list[str] = []
        after = None
        while True:
            request = searches.ListCases.model_validate(
                {"actor": self.actor(person), "after": after, "limit": 40, **filters}
            )
            page, code = self.ask(person, "tracking.list_cases", request)
            if code is not None:
                if self.finds_cases(person) and not self.behind_the_mask(person, filters):
                    raise Leak(f"tracking.list_cases refuses {person.name}: {code}")
                return []
            if self.behind_the_mask(person, filters):
                raise Leak(f"tracking.list_cases looks for {filters} behind the mask of {person.name}")
            found += [str(line.case_id) for line in page.items]
            after = page.next
            if after is None:
                return sorted(found)

    def tracking_count_found_cases(self, person: Person) -> None:
        known, every = self.oracle.listed(person), list(self.oracle.cases.values())
        wanted = list(self._filters(every))
        wanted += [({"text": case.text.split()[0]}, lambda _: False) for case in self.hidden(person)[:SAMPLE]]
        for filters, holds in wanted:
            request = searches.CountFoundCases.model_validate({"actor": self.actor(person), **filters})
            found, code = self.ask(person, "tracking.count_found_cases", request)
            if not self.finds_cases(person) or self.behind_the_mask(person, filters):
                self.refused(person, "tracking.count_found_cases", code)
                continue
            granted = sum(1 for case in known if holds(case))
            self.same(person, f"tracking.count_found_cases {filters}", found.count, granted)

    def tracking_execute(self, person: Person) -> None:
        known = [case for case in self.oracle.known(person) if case.stage == Stage.INVESTIGATING]
        for case in self.hidden(person):
            for version in (case.row["version"], 0):
                code = self._command(person, case, AddNote(text="x"), version)
                self.refused(person, "tracking.execute", code)
        if not (known and self.sees_cases(person)):
            return
        # Another case that is named by a command: there is no telling one that is hidden from one that is not there.
        self._command(person, known[0], AddNote(text="x"), 0)
        nowhere = self._command(person, known[0], LinkCase(to=uuid.uuid4()))
        for case in self.hidden(person)[:SAMPLE]:
            told = self._command(person, known[0], LinkCase(to=case.case_id))
            self.same(person, "tracking.execute: link_case", told, nowhere)

    def _command(self, person: Person, case: CaseFacts, command: Any, version: int | None = None) -> str | None:
        request = ExecuteCommand(
            actor=self.actor(person),
            case_id=case.case_id,
            expected_version=case.row["version"] if version is None else version,
            idempotency_key=uuid.uuid4().hex,
            command=command,
        )
        return self.ask(person, "tracking.execute", request)[1]

    def tracking_suggest_screening(self, person: Person) -> None:
        for case in self.hidden(person)[:SAMPLE]:
            request = SuggestScreening(actor=self.actor(person), case_id=case.case_id)
            self.refused(
                person, "tracking.suggest_screening", self.ask(person, "tracking.suggest_screening", request)[1]
            )
        if not person.roles & ASSIGNS:
            return
        some = [case.case_id for case in self.oracle.known(person) if case.stage == Stage.REGISTERED]
        for case_id in [*self.world.probes, *some[:3]]:
            request = SuggestScreening(actor=self.actor(person), case_id=case_id)
            told, code = self.ask(person, "tracking.suggest_screening", request)
            self.same(person, "tracking.suggest_screening", code, None)
            value = told.unit.value if told.unit else None
            if self.oracle.conflicted(person, value):
                raise Leak(f"tracking.suggest_screening tells {person.name} of cases about {value}")
            read = [one for one in self.oracle.known(person) if one.case_id != case_id and one.stage not in _UNREAD]
            if told.ground is not None and told.ground.of > len(read):
                raise Leak(f"tracking.suggest_screening counts for {person.name} {told.ground.of} of {len(read)}")

    def tracking_assign_many(self, person: Person) -> None:
        some = self.hidden(person)[:SAMPLE]
        seen = [CaseSeen(case_id=case.case_id, expected_version=case.row["version"]) for case in some]
        if not seen:
            return
        request = AssignMany(actor=self.actor(person), cases=seen, idempotency_key=uuid.uuid4().hex)
        told, code = self.ask(person, "tracking.assign_many", request)
        for one in told.items if code is None else ():
            self.refused(person, "tracking.assign_many", one.error)

    def tracking_hand_over(self, person: Person) -> None:
        for leaver in {case.handler for case in self.oracle.cases.values() if case.handler}:
            request = HandOver(actor=self.actor(person), leaver=leaver, idempotency_key=uuid.uuid4().hex)
            told, code = self.ask(person, "tracking.hand_over", request)
            if code is None:
                granted = {
                    case.case_id
                    for case in self.oracle.known(person)
                    if case.handler == leaver and case.stage in OPEN_STAGES
                }
                self.same(person, "tracking.hand_over", {one.case_id for one in told.items}, granted)
            elif person.roles & ASSIGNS:
                raise Leak(f"tracking.hand_over refuses {person.name}: {code}")

    def tracking_list_skills(self, person: Person) -> None:
        told, code = self.ask(person, "tracking.list_skills", ListSkills(actor=self.actor(person)))
        if not person.roles & ASSIGNS:
            self.refused(person, "tracking.list_skills", code)
            return
        in_hand = Counter(case.handler for case in self.oracle.known(person) if case.stage in OPEN_STAGES)
        for one in told.items:
            self.same(person, "tracking.list_skills", one.open_cases, in_hand[one.inspector])

    def tracking_set_skills(self, person: Person) -> None:
        some = next(case.handler for case in self.oracle.cases.values() if case.handler)
        request = SetSkills(actor=self.actor(person), inspector=some, grounds=["delay"])
        _, code = self.ask(person, "tracking.set_skills", request)
        if Role.HEAD not in person.roles:
            self.refused(person, "tracking.set_skills", code)

    # --- tracking: citizens and who holds a code ---

    def tracking_view_by_code(self, person: Person) -> None:
        # Who knows the code knows the case: here it is asked by a hash that belongs to none.
        _, code = self.ask(person, "tracking.view_by_code", ViewByCode(code_hashes=["0" * 64]))
        self.refused(person, "tracking.view_by_code", code)
        if person.code_hash:
            told, _ = self.ask(person, "tracking.view_by_code", ViewByCode(code_hashes=[person.code_hash]))
            self.same(
                person, "tracking.view_by_code", [told.case_id], [case.case_id for case in self.oracle.known(person)]
            )
            self._public(person, told)

    def _public(self, person: Person, case: Any) -> None:
        """Of what the office does for itself the citizen's timeline does not even tell that it was done."""
        self.same(person, "a citizen's timeline", {line.entry for line in case.timeline} & OFFICES_OWN, set())

    def tracking_list_own_cases(self, person: Person) -> None:
        told, code = self.ask(person, "tracking.list_own_cases", ListOwnCases(actor=self.actor(person)))
        if person.actor is None or person.actor.kind is not ActorKind.CITIZEN:
            self.refused(person, "tracking.list_own_cases", code)
            return
        granted = {case.case_id for case in self.oracle.known(person)}
        self.same(person, "tracking.list_own_cases", {one.case_id for one in told.items}, granted)

    def tracking_view_own_case(self, person: Person) -> None:
        for case in self._others(person):
            request = ViewOwnCase(actor=self.actor(person), case_id=case.case_id)
            self.refused(person, "tracking.view_own_case", self.ask(person, "tracking.view_own_case", request)[1])
        for case in self.oracle.known(person) if self._citizen(person) else ():
            request = ViewOwnCase(actor=self.actor(person), case_id=case.case_id)
            told, _ = self.ask(person, "tracking.view_own_case", request)
            self.same(person, "tracking.view_own_case", told and told.case_id, case.case_id)
            self._public(person, told)

    def tracking_execute_citizen(self, person: Person) -> None:
        for case in self._others(person):
            codes = [person.code_hash] if person.code_hash else []
            for command in (Withdraw(), SendEvidence(uploads=[uuid.uuid4().hex])):
                request = ExecuteCitizenCommand(
                    actor=self.actor(person),
                    code_hashes=codes,
                    case_id=case.case_id,
                    idempotency_key=uuid.uuid4().hex,
                    command=command,
                )
                _, code = self.ask(person, "tracking.execute_citizen", request)
                self.refused(person, "tracking.execute_citizen", code)
        if person.code_hash:
            request = ExecuteCitizenCommand(
                actor=self.actor(person),
                code_hashes=[person.code_hash],
                idempotency_key=uuid.uuid4().hex,
                command=AskVisit(),
            )
            told, code = self.ask(person, "tracking.execute_citizen", request)
            own = self.oracle.known(person)[0].case_id
            self.same(person, "tracking.execute_citizen", told.case_id if code is None else own, own)

    def tracking_list_offered_slots(self, person: Person) -> None:
        for case in self._others(person):
            request = ListOfferedSlots(actor=self.actor(person), case_id=case.case_id)
            self.refused(
                person, "tracking.list_offered_slots", self.ask(person, "tracking.list_offered_slots", request)[1]
            )
        nobodys = ListOfferedSlots(actor=Actor(kind=ActorKind.BEARER, id="0" * 64), code_hashes=["0" * 64])
        self.refused(person, "tracking.list_offered_slots", self.ask(person, "tracking.list_offered_slots", nobodys)[1])
        for case in self.oracle.known(person) if not person.staff else ():
            codes = [person.code_hash] if person.code_hash else []
            request = ListOfferedSlots(actor=self.actor(person), case_id=case.case_id, code_hashes=codes)
            told, _ = self.ask(person, "tracking.list_offered_slots", request)
            if case.stage == Stage.WITHDRAWN or not case.filed.visit_wanted:
                self.same(person, "tracking.list_offered_slots", told.items, [])

    def tracking_read_letter(self, person: Person) -> None:
        codes = [person.code_hash] if person.code_hash else []
        for case in [] if codes else self.hidden(person):
            request = ReadLetter(actor=self.actor(person), case_id=case.case_id)
            self.refused(person, "tracking.read_letter", self.ask(person, "tracking.read_letter", request)[1])
        for case in self.oracle.known(person):
            request = ReadLetter(actor=self.actor(person), case_id=case.case_id, code_hashes=codes)
            told, code = self.ask(person, "tracking.read_letter", request)
            if told is None:
                self.same(person, "tracking.read_letter", code, "no_letter")
            else:
                self.same(person, "tracking.read_letter", told.case_number, case.number)

    def _citizen(self, person: Person) -> bool:
        return person.actor is not None and person.actor.kind is ActorKind.CITIZEN

    def _others(self, person: Person) -> Sequence[CaseFacts]:
        """Cases that are not this person's own: of staff, all."""
        if person.staff:
            return [case for case in self.oracle.cases.values() if case.citizen_id][:SAMPLE]
        return self.hidden(person)[: SAMPLE * 2]

    # --- tracking: visits ---

    def tracking_list_slots(self, person: Person) -> None:
        told, code = self.ask(person, "tracking.list_slots", ListSlots(actor=self.actor(person)))
        if not person.roles & {Role.HEAD, Role.ADMINISTRATOR, Role.INSPECTOR}:
            self.refused(person, "tracking.list_slots", code)
            return
        shown = {(slot.slot_id, one.case_id) for slot in told.items for one in slot.cases}
        taken = "('booked', 'moved', 'held', 'no_show')"
        query = f"SELECT slot_id, case_id FROM visits WHERE slot_id IS NOT NULL AND state IN {taken}"
        keeps = person.roles & {Role.HEAD, Role.ADMINISTRATOR}
        granted = {
            (row["slot_id"], row["case_id"])
            for row in self.world.rows("tracking", query)
            if self.oracle.knows(person, self.oracle.cases[row["case_id"]])
        }
        self.same(person, "tracking.list_slots", shown, granted)
        if not keeps:
            self.same(person, "tracking.list_slots", {str(slot.inspector) for slot in told.items} - {person.id}, set())

    def _keepers(self, person: Person, name: str, request: Any, also: frozenset[Role] = frozenset()) -> None:
        """For head and administrator (and `also`); no case is in it."""
        _, code = self.ask(person, name, request)
        if not person.roles & ({Role.HEAD, Role.ADMINISTRATOR} | also):
            self.refused(person, name, code)

    def tracking_list_rooms(self, person: Person) -> None:
        self._keepers(person, "tracking.list_rooms", ListRooms(actor=self.actor(person)), frozenset({Role.INSPECTOR}))

    def tracking_add_room(self, person: Person) -> None:
        request = AddRoom(actor=self.actor(person), idempotency_key=uuid.uuid4().hex, name_fa="x", name_en="x")
        self._keepers(person, "tracking.add_room", request)

    def tracking_close_room(self, person: Person) -> None:
        self._keepers(person, "tracking.close_room", CloseRoom(actor=self.actor(person), room_id=uuid.uuid4()))

    def tracking_close_slot(self, person: Person) -> None:
        [slot] = [row["slot_id"] for row in self.world.rows("tracking", "SELECT slot_id FROM visit_slots LIMIT 1")]
        self._keepers(person, "tracking.close_slot", CloseSlot(actor=self.actor(person), slot_id=slot))

    def _slot(self, person: Person) -> dict[str, Any]:
        [row] = self.world.rows("tracking", "SELECT room_id, inspector, starts_at, ends_at FROM visit_slots LIMIT 1")
        return {"actor": self.actor(person), "idempotency_key": uuid.uuid4().hex, **row}

    def tracking_add_slot(self, person: Person) -> None:
        self._keepers(person, "tracking.add_slot", AddSlot(**self._slot(person)))

    def tracking_make_slots(self, person: Person) -> None:
        given = self._slot(person)
        day = given.pop("starts_at").date()
        del given["ends_at"]
        request = MakeSlots(**given, first_day=day, opens="08:00", closes="09:00", minutes=30)
        self._keepers(person, "tracking.make_slots", request)

    # --- tracking: searches and exports ---

    def _may_run(self, person: Person, owner: str, shared: str) -> bool:
        return self.sees_cases(person) and (owner == person.id or shared == "all" or shared in person.roles)

    def tracking_list_searches(self, person: Person) -> None:
        told, code = self.ask(
            person, "tracking.list_searches", searches.ListSearches(actor=self.actor(person), limit=100)
        )
        if not self.sees_cases(person):
            self.refused(person, "tracking.list_searches", code)
            return
        granted = {one for one, (owner, shared) in self.world.searches.items() if self._may_run(person, owner, shared)}
        self.same(person, "tracking.list_searches", {one.search_id for one in told.items}, granted)

    def tracking_get_search(self, person: Person) -> None:
        for search_id, (owner, shared) in self.world.searches.items():
            request = searches.GetSearch(actor=self.actor(person), search_id=search_id)
            _, code = self.ask(person, "tracking.get_search", request)
            self.same(person, "tracking.get_search", code is None, self._may_run(person, owner, shared))

    def tracking_change_search(self, person: Person) -> None:
        for search_id, (owner, _) in self.world.searches.items():
            request = searches.ChangeSearch(
                actor=self.actor(person), search_id=search_id, expected_version=1, name="taken"
            )
            _, code = self.ask(person, "tracking.change_search", request)
            if not self._may_run(person, owner, "nobody"):
                self.refused(person, "tracking.change_search", code)

    def tracking_drop_search(self, person: Person) -> None:
        for search_id, (owner, _) in self.world.searches.items():
            request = searches.DropSearch(actor=self.actor(person), search_id=search_id, expected_version=1)
            _, code = self.ask(person, "tracking.drop_search", request)
            if not self._may_run(person, owner, "nobody"):
                self.refused(person, "tracking.drop_search", code)

    def tracking_keep_search(self, person: Person) -> None:
        before = sum(1 for owner, _ in self.world.searches.values() if owner == person.id)
        request = searches.KeepSearch(
            actor=self.actor(person), name="x", filters=searches.Filter(), idempotency_key=uuid.uuid4().hex
        )
        _, code = self.ask(person, "tracking.keep_search", request)
        self.same(person, f"tracking.keep_search beside {before}", code is None, self.sees_cases(person))

    def tracking_list_exports(self, person: Person) -> None:
        told, code = self.ask(person, "tracking.list_exports", ListExports(actor=self.actor(person)))
        if not self.finds_cases(person):
            self.refused(person, "tracking.list_exports", code)
            return
        granted = {one for one, owner in self.world.exports.items() if owner == person.id}
        self.same(person, "tracking.list_exports", {one.export_id for one in told.items}, granted)
        for one in told.items:
            self.same(person, "tracking.list_exports", (one.state, one.error), ("done", None))

    def tracking_get_export(self, person: Person) -> None:
        for export_id, owner in self.world.exports.items():
            request = GetExport(actor=self.actor(person), export_id=export_id)
            _, code = self.ask(person, "tracking.get_export", request)
            self.same(person, "tracking.get_export", code is None, owner == person.id and self.finds_cases(person))

    def tracking_read_export(self, person: Person) -> None:
        for export_id, owner in self.world.exports.items():
            request = ReadExport(actor=self.actor(person), export_id=export_id)
            told, code = self.ask(person, "tracking.read_export", request)
            self.same(person, "tracking.read_export", code is None, owner == person.id and self.finds_cases(person))
            if told is not None:
                file = base64.b64decode(told.content).decode("utf-8-sig")
                self.read(person, "tracking.read_export", file)
                numbers = {word for word in TRACE.findall(file) if word[:2] == "14"}
                self.same(person, "tracking.read_export", numbers, {case.number for case in self.oracle.listed(person)})

    def tracking_drop_export(self, person: Person) -> None:
        for export_id, owner in self.world.exports.items():
            request = DropExport(actor=self.actor(person), export_id=export_id)
            _, code = self.ask(person, "tracking.drop_export", request)
            self.same(person, "tracking.drop_export", code is None, owner == person.id and self.finds_cases(person))

    def tracking_start_export(self, person: Person) -> None:
        for search_id, (owner, shared) in self.world.searches.items():
            request = StartExport(
                actor=self.actor(person), search=search_id, format="csv", idempotency_key=uuid.uuid4().hex
            )
            _, code = self.ask(person, "tracking.start_export", request)
            self.same(person, "tracking.start_export", code is None, self._may_run(person, owner, shared))

    # --- tracking: units, evidence, identities ---

    def tracking_list_unit_questions(self, person: Person) -> None:
        request = ListUnitQuestions(actor=self.actor(person), open_only=False)
        told, code = self.ask(person, "tracking.list_unit_questions", request)
        if Role.LIAISON not in person.roles:
            self.refused(person, "tracking.list_unit_questions", code)
            return
        self.same(
            person,
            "tracking.list_unit_questions",
            {one.question_id for one in told.items},
            {row["question_id"] for row in self._questions() if self.oracle.answers_for(person, row["unit"])},
        )

    def _questions(self) -> list[dict[str, Any]]:
        return self.world.rows("tracking", "SELECT question_id, unit, case_id FROM questions WHERE unit IS NOT NULL")

    def tracking_answer_unit_question(self, person: Person) -> None:
        for row in self.world.rows("tracking", "SELECT question_id, unit FROM questions"):
            request = AnswerUnitQuestion(
                actor=self.actor(person), question_id=row["question_id"], text="x", idempotency_key=uuid.uuid4().hex
            )
            _, code = self.ask(person, "tracking.answer_unit_question", request)
            if row["unit"] is None or not self.oracle.answers_for(person, row["unit"]):
                self.refused(person, "tracking.answer_unit_question", code)

    def tracking_list_recommendations(self, person: Person) -> None:
        request = ListRecommendations(actor=self.actor(person), open_only=False)
        told, code = self.ask(person, "tracking.list_recommendations", request)
        if not person.roles & (SEES_CASES | {Role.LIAISON}):
            self.refused(person, "tracking.list_recommendations", code)
            return
        granted = {
            one
            for one, (case_id, unit) in self.world.recommendations.items()
            if (
                self.oracle.answers_for(person, unit)
                if Role.LIAISON in person.roles
                else self.oracle.knows(person, self.oracle.cases[case_id])
            )
        }
        self.same(person, "tracking.list_recommendations", {one.recommendation_id for one in told.items}, granted)

    def tracking_report_recommendation(self, person: Person) -> None:
        for one, (_, unit) in self.world.recommendations.items():
            request = ReportRecommendation(
                actor=self.actor(person), recommendation_id=one, done=True, idempotency_key=uuid.uuid4().hex
            )
            _, code = self.ask(person, "tracking.report_recommendation", request)
            if not self.oracle.answers_for(person, unit):
                self.refused(person, "tracking.report_recommendation", code)

    def tracking_authorize_media(self, person: Person) -> None:
        # The case in the grant is for the gateway, which tells it to nobody.
        codes = [person.code_hash] if person.code_hash else []
        for case in [*self.oracle.known(person)[:: self._thin * 2], *self.hidden(person)[: SAMPLE * 2]]:
            for media_id, canary in case.media.items():
                granted = self.oracle.knows(person, case) and (
                    person.staff or canary.sort in (Sort.FILED, Sort.SENT_ALONG)
                )
                for named in (case.case_id, None):
                    request = AuthorizeMedia(actor=person.actor, code_hashes=codes, case_id=named, media_id=media_id)
                    self._granted(person, request, granted)
        for row in self._questions() if Role.LIAISON in person.roles else ():
            case = self.oracle.cases[row["case_id"]]
            for media_id, canary in case.media.items():
                of_it = canary.sort in (Sort.UNIT, Sort.SENT_ALONG) and canary.unit == row["unit"]
                granted = of_it and self.oracle.answers_for(person, row["unit"])
                request = AuthorizeMedia(actor=person.actor, question_id=row["question_id"], media_id=media_id)
                self._granted(person, request, granted)
        # By a question that was put to one's own unit nothing is had but what belongs to it.
        own = [row for row in self._questions() if self.oracle.answers_for(person, row["unit"])]
        for row in own[:1]:
            for case in self.hidden(person)[:SAMPLE]:
                for media_id in case.media if case.case_id != row["case_id"] else ():
                    request = AuthorizeMedia(actor=person.actor, question_id=row["question_id"], media_id=media_id)
                    self._granted(person, request, False)

    def _granted(self, person: Person, request: AuthorizeMedia, granted: bool) -> None:
        _, code = self.ask(person, "tracking.authorize_media", request, check=False)
        self.same(person, f"tracking.authorize_media {request.media_id}", code is None, granted)

    def tracking_authorize_identity(self, person: Person) -> None:
        consented = {
            row["case_id"]
            for row in self.world.rows("tracking", "SELECT * FROM identity_requests WHERE state = 'consented'")
            if str(row["asked_by"]) == person.id
        }
        for case in self.oracle.cases.values():
            request = AuthorizeIdentity(actor=self.actor(person), case_id=case.case_id)
            _, code = self.ask(person, "tracking.authorize_identity", request, check=False)
            if person.roles & OPENS_IDENTITIES and not self.oracle.conflicted(person, case.unit):
                expected = None if case.case_id in consented else "consent_needed"
                self.same(person, "tracking.authorize_identity", code, expected)
            else:
                self.refused(person, "tracking.authorize_identity", code)

    def tracking_ask_for_identity(self, person: Person) -> None:
        opens = person.roles & OPENS_IDENTITIES
        for case in self.oracle.cases.values():
            request = AskForIdentity(
                actor=self.actor(person),
                case_id=case.case_id,
                reason="walked",
                minutes=30,
                idempotency_key=uuid.uuid4().hex,
            )
            _, code = self.ask(person, "tracking.ask_for_identity", request, check=False)
            granted = bool(opens) and not self.oracle.conflicted(person, case.unit)
            self.same(person, "tracking.ask_for_identity", code is None, granted)

    def tracking_list_identity_requests(self, person: Person) -> None:
        for waiting_only in (False, True):
            request = ListIdentityRequests(actor=self.actor(person), waiting_only=waiting_only, limit=100)
            told, code = self.ask(person, "tracking.list_identity_requests", request, check=False)
            if not person.roles & OPENS_IDENTITIES:
                self.refused(person, "tracking.list_identity_requests", code)
                continue
            found = {one.request_id for one in told.items}
            self.same(person, "tracking.list_identity_requests", found, self._identity_requests(person, waiting_only))

    def tracking_decide_identity_request(self, person: Person) -> None:
        # The ids of cases in it are for those who decide, and no word of them is.
        granted = self._identity_requests(person) if Role.CUSTODIAN in person.roles else set()
        for row in self.world.rows("tracking", "SELECT * FROM identity_requests WHERE state = 'waiting'"):
            request = DecideIdentityRequest(actor=self.actor(person), request_id=row["request_id"], consent=False)
            _, code = self.ask(person, "tracking.decide_identity_request", request, check=False)
            may = row["request_id"] in granted and str(row["asked_by"]) != person.id
            self.same(person, "tracking.decide_identity_request", code is None, may)

    def _identity_requests(self, person: Person, waiting_only: bool = True) -> set[UUID]:
        """To custodians all, to heads their own; of cases about units they belong to none."""
        return {
            row["request_id"]
            for row in self.world.rows("tracking", "SELECT * FROM identity_requests")
            if person.roles & OPENS_IDENTITIES
            and (row["state"] == "waiting" or not waiting_only)
            and (Role.CUSTODIAN in person.roles or str(row["asked_by"]) == person.id)
            and not self.oracle.conflicted(person, self.oracle.cases[row["case_id"]].unit)
        }

    # --- insight ---

    def _counted(self, person: Person, unit: str | None) -> bool:
        """Whether cases about this unit are in this person's figures. Insight knows the unit of the token alone."""
        own = person.actor.unit if person.actor is not None and person.staff else None
        return unit is None or own is None or unit not in self.oracle.upwards(own)

    def insight_count_cases(self, person: Person) -> None:
        if not (person.actor and person.staff and person.actor.roles & EXACT):
            self._public_figures(person)
            return
        every = [case for case in self.oracle.cases.values() if self._counted(person, case.unit)]
        for name in ("unit", "ground", "kind", "stage"):
            for within in (None, "dep.a"):
                request = CountCases(actor=person.actor, by=[name], unit=within)
                told, _ = self.ask(person, "insight.count_cases", request)
                those = [case for case in every if within is None or within in self.oracle.upwards(case.unit)]
                granted = Counter(case.row[name] for case in those)
                counted = {cell.key[0]: cell.count for cell in told.cells}
                self.same(person, f"insight.count_cases {name}", counted, dict(granted))
                self.same(person, f"insight.count_cases {name}: total", told.total, len(those))

    def _public_figures(self, person: Person) -> None:
        """Of this world nothing was released, so nothing of it is told; and nothing fine can be asked for."""
        for name in ("unit", "ground", "kind", "stage", "month"):
            told, _ = self.ask(person, "insight.count_cases", CountCases(actor=person.actor, by=[name]))
            self.same(person, f"insight.count_cases {name}", (told.cells, told.total, told.until), ([], None, None))
        for by, more in ((["stage", "ground"], {}), (["day"], {}), (["kind"], {"unit": "dep.a"})):
            request = CountCases(actor=person.actor, by=by, **more)
            self.same(
                person, "insight.count_cases", self.ask(person, "insight.count_cases", request)[1], "invalid_field"
            )

    def insight_count_visits(self, person: Person) -> None:
        if not (person.actor and person.staff and person.actor.roles & EXACT):
            told, _ = self.ask(person, "insight.count_visits", CountVisits(actor=person.actor, by=["month"]))
            self.same(person, "insight.count_visits", (told.cells, told.until), ([], None))
            request = CountVisits(actor=person.actor, by=["unit"])
            self.same(
                person, "insight.count_visits", self.ask(person, "insight.count_visits", request)[1], "invalid_field"
            )
            return
        told, _ = self.ask(person, "insight.count_visits", CountVisits(actor=person.actor, by=["unit"]))
        asked = Counter(
            case.unit
            for row in self.world.rows("tracking", "SELECT case_id FROM visits")
            if self._counted(person, (case := self.oracle.cases[row["case_id"]]).unit)
        )
        self.same(person, "insight.count_visits", {cell.key[0]: cell.asked for cell in told.cells}, dict(asked))

    def insight_list_figures(self, person: Person) -> None:
        figures, _ = self.ask(person, "insight.list_figures", ListFigures(actor=person.actor))
        exact = bool(person.actor and person.staff and person.actor.roles & EXACT)
        for figure in figures.items:
            self.same(person, f"insight.list_figures {figure.name}", figure.exact, exact)

    def insight_count_figure(self, person: Person) -> None:
        """Every figure of the catalogue: no cell is of a unit in which this person has a conflict of interest."""
        exact = bool(person.actor and person.staff and person.actor.roles & EXACT)
        for figure in FIGURES:
            request = CountFigure(actor=person.actor, figure=figure.name, by=["unit" if exact else "month"])
            answer, code = self.ask(person, "insight.count_figure", request)
            where = f"insight.count_figure {figure.name}"
            if not exact and figure.publication is None:
                self.same(person, where, code, "not_allowed")
            elif not exact:
                self.same(person, where, (answer.cells, answer.until), ([], None))
            else:
                hidden = [cell.key[0] for cell in answer.cells if not self._counted(person, cell.key[0])]
                self.same(person, where, hidden, [])

    # --- notify ---

    def _messages(self, person: Person) -> set[UUID]:
        """What is written to this person: to a citizen of their own cases, to staff by name or role unless they have a
        conflict of interest, to a unit's liaison."""
        found = set()
        for row in self.world.rows("notify", "SELECT * FROM messages WHERE channel = 'inbox'"):
            case = self.oracle.cases.get(row["case_id"])
            if row["audience"] == "citizen":
                granted = not person.staff and case is not None and self.oracle.knows(person, case)
            elif row["role"] == "liaison":
                granted = self.oracle.answers_for(person, row["unit"])
            else:
                # By name: it was told while the case was theirs, and stays in their inbox.
                granted = str(row["staff_id"]) == person.id or row["role"] in person.roles & {
                    "head",
                    "screener",
                    "custodian",
                }
                granted = granted and bool(person.roles) and not (case and self.oracle.conflicted(person, case.unit))
            if granted:
                found.add(row["id"])
        return found

    def notify_list_messages(self, person: Person) -> None:
        granted = self._messages(person)
        found: set[UUID] = set()
        after = None
        codes = [person.code_hash] if person.code_hash else []
        while True:
            request = ListMessages(actor=person.actor, code_hashes=codes, after=after, limit=100)
            told, code = self.ask(person, "notify.list_messages", request, check=not person.staff)
            if told is None:
                self.refused(person, "notify.list_messages", code)
                break
            found |= {one.id for one in told.items}
            for one in told.items:
                case = self.oracle.cases.get(one.case_id) if one.case_id else None
                if case and self.oracle.conflicted(person, case.unit):
                    raise Leak(f"notify.list_messages tells {person.name} of {case.number}")
                allowed = {str(one.case_id), one.case_number}
                self.read(person, "notify.list_messages", one.text, [word for word in allowed if word])
            after = told.next
            if after is None:
                break
        self.same(person, "notify.list_messages", found, granted)

    def notify_mark_read(self, person: Person) -> None:
        granted = self._messages(person)
        rows = self.world.rows("notify", "SELECT id FROM messages ORDER BY id LIMIT 100")
        codes = [person.code_hash] if person.code_hash else []
        request = MarkRead(actor=person.actor, code_hashes=codes, ids=[row["id"] for row in rows])
        told, code = self.ask(person, "notify.mark_read", request, check=False)
        marked = {one.id for one in told.items} if code is None else set()
        self.same(person, "notify.mark_read", marked, granted & {row["id"] for row in rows})

    # --- what only some roles may ask for, and no case is in ---

    def _only(self, person: Person, name: str, request: BaseModel, *roles: Role) -> None:
        _, code = self.ask(person, name, request)
        if not person.roles & set(roles):
            self.refused(person, name, code)

    def notify_list_notification_texts(self, person: Person) -> None:
        request = ListNotificationTexts(actor=self.actor(person))
        self._only(person, "notify.list_notification_texts", request, Role.ADMINISTRATOR)

    def notify_change_notification_text(self, person: Person) -> None:
        request = ChangeNotificationText(
            actor=self.actor(person),
            idempotency_key=uuid.uuid4().hex,
            channel="inbox",
            name="decided",
            text_fa=None,
            text_en=None,
            expected_version=0,
        )
        self._only(person, "notify.change_notification_text", request, Role.ADMINISTRATOR)

    def notify_list_notification_text_history(self, person: Person) -> None:
        request = ListNotificationTextHistory(actor=self.actor(person))
        self._only(person, "notify.list_notification_text_history", request, Role.ADMINISTRATOR)

    def intake_get_configuration(self, person: Person) -> None:
        self._only(person, "intake.get_configuration", GetConfiguration(actor=self.actor(person)), Role.ADMINISTRATOR)

    def intake_change_configuration(self, person: Person) -> None:
        change = ChangeConfiguration(
            actor=self.actor(person),
            expected_version=0,
            idempotency_key=uuid.uuid4().hex,
            changes=[SetCalendar(holidays=[])],
        )
        self._only(person, "intake.change_configuration", change, Role.ADMINISTRATOR)

    def intake_list_configuration_history(self, person: Person) -> None:
        request = ListConfigurationHistory(actor=self.actor(person))
        self._only(person, "intake.list_configuration_history", request, Role.ADMINISTRATOR)

    def intake_open_identity(self, person: Person) -> None:
        # The gateway asks tracking first for the conflict of interest (authorize_identity); here the role counts.
        some = next(iter(self.oracle.cases))
        request = OpenIdentity(actor=self.actor(person), case_id=some, reason="walked")
        _, code = self.ask(person, "intake.open_identity", request, check=False)
        self.same(
            person,
            "intake.open_identity",
            code is None,
            bool(person.staff and self.actor(person).roles & OPENS_IDENTITIES),
        )

    def intake_read_own_name(self, person: Person) -> None:
        """A citizen's own name, to them alone; of others' cases nothing, and to nobody else an answer."""
        name = "intake.read_own_name"
        for case in [*self.hidden(person), *self.oracle.known(person)][: SAMPLE * 2]:
            request = ReadOwnName(actor=self.actor(person), case_id=case.case_id)
            own = self._citizen(person) and str(case.citizen_id) == self.actor(person).id
            told, code = self.ask(person, name, request, check=not own)
            if not self._citizen(person):
                self.same(person, name, code, "not_allowed")
            elif not own:
                self.same(person, name, told.name, None)
            elif told.name is not None:
                self.same(person, name, self.oracle.canaries[told.name].case, case.case_id)

    def accounts_list_staff(self, person: Person) -> None:
        request = ListStaff(actor=self.actor(person))
        self._only(person, "accounts.list_staff", request, Role.HEAD, Role.SCREENER, Role.ADMINISTRATOR)

    def accounts_add_staff(self, person: Person) -> None:
        request = AddStaff(
            actor=self.actor(person),
            idempotency_key=uuid.uuid4().hex,
            username="somebody",
            display_name="کسی",
            roles=[Role.HEAD],
        )
        self._only(person, "accounts.add_staff", request, Role.ADMINISTRATOR)

    def accounts_change_staff(self, person: Person) -> None:
        request = ChangeStaff(
            actor=self.actor(person),
            idempotency_key=uuid.uuid4().hex,
            staff_id=uuid.uuid4(),
            expected_version=1,
            display_name="کسی",
            roles=[Role.HEAD],
            unit=None,
            active=True,
        )
        self._only(person, "accounts.change_staff", request, Role.ADMINISTRATOR)

    def accounts_reset_staff_credentials(self, person: Person) -> None:
        request = ResetStaffCredentials(
            actor=self.actor(person), idempotency_key=uuid.uuid4().hex, staff_id=uuid.uuid4()
        )
        self._only(person, "accounts.reset_staff_credentials", request, Role.ADMINISTRATOR)

    def accounts_list_staff_changes(self, person: Person) -> None:
        request = ListStaffChanges(actor=self.actor(person))
        self._only(person, "accounts.list_staff_changes", request, Role.ADMINISTRATOR, Role.CUSTODIAN)

    def accounts_confirm_staff_change(self, person: Person) -> None:
        request = ConfirmStaffChange(actor=self.actor(person), idempotency_key=uuid.uuid4().hex, change_id=uuid.uuid4())
        self._only(person, "accounts.confirm_staff_change", request, Role.ADMINISTRATOR)

    def accounts_deny_staff_change(self, person: Person) -> None:
        request = DenyStaffChange(actor=self.actor(person), change_id=uuid.uuid4())
        self._only(person, "accounts.deny_staff_change", request, Role.ADMINISTRATOR)

    def accounts_list_staff_history(self, person: Person) -> None:
        request = ListStaffHistory(actor=self.actor(person))
        self._only(person, "accounts.list_staff_history", request, Role.ADMINISTRATOR)


_UNREAD = (Stage.REGISTERED, Stage.SCREENING, Stage.REFUSED)


def _has(name: str, value: Any, case: CaseFacts) -> bool:
    return bool(case.row[name] == value)
