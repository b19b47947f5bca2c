"""What every walk compares: what a person is told with what is granted to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from contracts.errors import PeygirError
from contracts.gateway import Actor
from contracts.vocabulary import ActorKind, Role
from tests.support.walk.oracle import TRACE, CaseFacts, Oracle, Person
from tests.support.walk.services import Services
from tests.support.walk.world import World

OFFICES_OWN = frozenset(
    {
        *("note_added", "evidence_added", "reminder_set", "check_added", "check_ticked", "linked"),
        *("decision_proposed", "proposal_returned", "duplicate_joined", "settlement_agreed"),
        *("co_handler_added", "co_handler_removed", "colleague_consulted", "consultation_answered"),
        *("consultation_ended", "referral_answered"),
    }
)
"""Entries of a timeline that are not for the citizen."""
SEES_CASES = frozenset({Role.HEAD, Role.SCREENER, Role.INSPECTOR, Role.SUBSTITUTE})
NOTES_CASES = SEES_CASES - {Role.SCREENER}
KEEPS_FOR_ROLES = frozenset({Role.HEAD, Role.ADMINISTRATOR})
FINDS_CASES = SEES_CASES | {Role.ANALYST}
ASSIGNS = frozenset({Role.HEAD, Role.SCREENER, Role.SUBSTITUTE})
OPENS_IDENTITIES = frozenset({Role.HEAD, Role.CUSTODIAN, Role.SUBSTITUTE})
EXACT = frozenset({Role.HEAD, Role.ANALYST, Role.ADMINISTRATOR, Role.SCREENER, Role.INSPECTOR})
UNKNOWN = frozenset({"unknown_case", "not_allowed", "not_found"})
SAMPLE = 12


class Leak(AssertionError):
    """Somebody was told what DOMAIN.md does not grant them, or not told what it does."""


class Witness:
    """Holds what is told against what is granted."""

    def same(self, person: Person, where: str, answered: Any, granted: Any) -> None:
        if answered != granted:
            raise Leak(f"{where} tells {person.name} {answered!r}, and granted is {granted!r}")


class ServiceWalk(Witness):
    """Calls the entrypoints of one area for one person each. Stops at the first leak. `services` undoes whatever a command did.
    `thin`: of the cases that are called for one by one, every so many only."""

    def __init__(self, world: World, services: Services, thin: int = 1) -> None:
        self._thin = thin
        self.world, self.services = world, services
        self.oracle: Oracle = world.oracle
        self.calls = 0

    @classmethod
    def methods(cls) -> list[str]:
        """What is walked, as service_rpc."""
        return [
            name
            for name in vars(cls)
            if name.partition("_")[0] in ("tracking", "insight", "notify", "intake", "accounts")
        ]

    def ask(self, person: Person, name: str, request: Any, check: bool = True) -> tuple[Any, str | None]:
        """The answer, or the code of the error; neither may hold a word that is not for this person."""
        self.calls += 1
        service, _, method = name.partition(".")
        try:
            answer, code = self.services.ask(service, method, request), None
            answer_text = answer.model_dump_json()
        except PeygirError as error:
            answer, code, answer_text = None, error.code, f"{error} {error.params!r}"
        except (ValidationError, LookupError) as error:  # what was found is none of what was asked for
            raise Leak(f"{name} fails for {person.name}: {type(error).__name__}") from error
        if check:
            given = set(TRACE.findall(request.model_dump_json()))
            self.read(person, name, answer_text, given)
        return answer, code

    def read(self, person: Person, where: str, answer_text: str, given: Iterable[str] = ()) -> None:
        for word in self.oracle.leaked_words(person, answer_text):
            if word.rpartition(" ")[2] not in given:
                raise Leak(f"{where} tells {person.name} {word}")

    def refused(self, person: Person, where: str, code: str | None, how: Iterable[str] = UNKNOWN) -> None:
        if code is None or code not in how:
            raise Leak(f"{where} answers {person.name} with {code or 'what was asked for'}")

    def hidden_cases(self, person: Person) -> Sequence[CaseFacts]:
        """Cases that this person may not know of: those that are always looked at, and of each unit, stage and handler some."""
        groups: dict[Any, list[CaseFacts]] = {}
        for case in self.oracle.hidden_cases(person):
            groups.setdefault((case.unit, case.handler, case.stage), []).append(case)
        return self._with_watched([case for some in groups.values() for case in some[:2]], self._thin)

    def known_cases(self, person: Person, thin: int = 1) -> Sequence[CaseFacts]:
        """Cases that this person may know of: those that are always looked at, and some. `thin`: times that of the walk."""
        return self._with_watched(self.oracle.known_cases(person), self._thin * thin)

    def _with_watched(self, cases: Sequence[CaseFacts], thin: int) -> list[CaseFacts]:
        watched = [case for case in cases if case.case_id in self.world.watched]
        return [*watched, *[case for case in cases if case.case_id not in self.world.watched][::thin]]

    def actor(self, person: Person) -> Actor:
        """Nobody is played by a system's actor without rights: RPC needs some actor."""
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

    def may_run(self, person: Person, owner: str, shared: str) -> bool:
        units = self.world.published_units
        of_one_unit = units.get(owner) is not None and units.get(owner) == units.get(person.id)
        shown = shared == "all" or shared in person.roles or (shared == "unit" and of_one_unit)
        return self.sees_cases(person) and (owner == person.id or shown)

    def is_citizen(self, person: Person) -> bool:
        return person.actor is not None and person.actor.kind is ActorKind.CITIZEN

    def others_cases(self, person: Person) -> Sequence[CaseFacts]:
        """Cases that are not this person's own: of staff, all."""
        if person.staff:
            return [case for case in self.oracle.cases.values() if case.citizen_id][:SAMPLE]
        return self.hidden_cases(person)[: SAMPLE * 2]

    def only_for(self, person: Person, name: str, request: BaseModel, *roles: Role) -> None:
        _, code = self.ask(person, name, request)
        if not person.roles & set(roles):
            self.refused(person, name, code)
