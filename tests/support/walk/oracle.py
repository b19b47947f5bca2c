"""Who may know what, written from DOMAIN.md alone (The people, The life of a case): no service's code is asked.

The world of a walk is a set of cases, each with words of its own ("canaries"). A canary belongs to one case and to one
`Sort` of word; `may_know` says who may read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from contracts.gateway import Actor
from contracts.vocabulary import ActorKind, Role, Stage

TRACE = re.compile(
    r"zq[0-9]{6}x|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b14[0-9]{2}-[0-9]{6}\b|\b[0-9a-f]{64}\b"
    r"|\b[0-9]{4}(?:[  -]?[0-9]{4}){3}\b"
)
"""What a canary looks like, wherever it stands: a word of a case, an id, a number, a hash of a code, a code."""


ASCII_DIGITS = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩", "0123456789" * 2)


class Sort(StrEnum):
    """What kind of word of a case it is."""

    CASE = "case"  # its id and number, that there is such a case
    FILED = "filed"  # what the citizen wrote, and files the citizen gave
    TO_CITIZEN = "to_citizen"  # what the office wrote to the citizen, or the citizen to it
    OFFICE = "office"  # notes, minutes, reminders, checklists, proposals, the office's own files
    UNIT = "unit"  # a question to a unit, its answer, a recommendation to it
    SENT_ALONG = "sent_along"  # a file of the citizen's that was sent to a unit with its question
    CITIZEN = "citizen"  # who complained: their id, their code and its hash
    IDENTITY = "identity"  # their sealed name
    STAFF = "staff"  # who of the staff: not for citizens, not for units, not for analysts
    SLOT = "slot"  # a time of the visits' calendar: no case's


@dataclass
class CaseFacts:
    """What the oracle has to know of a case. `unit`, `handler`, `stage`, as they are at the end of its story."""

    case_id: UUID
    code_hash: str
    unit: str | None
    citizen_id: UUID | None
    text: str
    filed: Any
    code: str = ""
    number: str = ""
    handler: UUID | None = None
    colleagues: frozenset[str] = frozenset()
    stage: Stage = Stage.REGISTERED
    row: Mapping[str, Any] = field(default_factory=dict)
    questions: list[UUID] = field(default_factory=list)
    media: dict[str, Canary] = field(default_factory=dict)


@dataclass(frozen=True)
class Canary:
    """One word. `case` None: of no case. `unit`: which one was written to, for `UNIT` and `SENT_ALONG`."""

    case: UUID | None
    sort: Sort
    unit: str | None = None


@dataclass(frozen=True)
class Person:
    """Somebody who asks. `actor` None: nobody. `units`: those a member of staff belongs to, be it by the token or by what
    accounts told; `active`: not dismissed; `code_hash`: of the code that a bearer holds; `version`: of the account, when the
    token was made; `deputy_of`: the ids of those who are away and have them as deputy."""

    name: str
    actor: Actor | None
    units: frozenset[str] = frozenset()
    active: bool = True
    code_hash: str | None = None
    version: int = 1
    deputy_of: frozenset[str] = frozenset()

    @property
    def staff(self) -> bool:
        return self.actor is not None and self.actor.kind is ActorKind.STAFF

    @property
    def roles(self) -> frozenset[Role]:
        return self.actor.roles if self.actor is not None and self.staff and self.active else frozenset()

    @property
    def id(self) -> str:
        return self.actor.id if self.actor is not None else ""


class Oracle:
    """DOMAIN.md, asked. `parents`: unit → the one above it; `office`: the unit of the inspection itself."""

    def __init__(self, parents: Mapping[str, str | None], office: str) -> None:
        self._parents = dict(parents)
        self._about_inspection = self.upwards(office)
        self.cases: dict[UUID, CaseFacts] = {}
        self.canaries: dict[str, Canary] = {}
        self.consents: set[tuple[str, UUID]] = set()
        """Who may open which identity: asked for, and consented to by somebody else."""

    def upwards(self, unit: str | None) -> set[str]:
        """The unit and all above it."""
        ancestors: set[str] = set()
        while unit is not None:
            ancestors.add(unit)
            unit = self._parents.get(unit)
        return ancestors

    def conflicted(self, person: Person, unit: str | None) -> bool:
        """Who belongs to the unit complained about, or to any unit below it."""
        return unit is not None and any(unit in self.upwards(own) for own in person.units)

    def knows(self, person: Person, case: CaseFacts) -> bool:
        """Whether this person may know that there is such a case."""
        if person.actor is None:
            return False
        if person.actor.kind is ActorKind.CITIZEN:
            return str(case.citizen_id) == person.actor.id
        if person.actor.kind is ActorKind.BEARER:
            return case.code_hash == person.code_hash
        if self.conflicted(person, case.unit):
            return False
        if person.roles & {Role.SCREENER, Role.HEAD} or self.stands_in(person, case):
            return True
        handles = bool(person.roles & {Role.INSPECTOR, Role.SUBSTITUTE})
        return handles and not {str(case.handler), *case.colleagues}.isdisjoint({person.id, *person.deputy_of})

    def stands_in(self, person: Person, case: CaseFacts) -> bool:
        """Whether this person is a substitute for the case: one about the inspection itself, or a unit above it."""
        return Role.SUBSTITUTE in person.roles and case.unit in self._about_inspection

    def is_head(self, person: Person, case: CaseFacts) -> bool:
        """Whether this person is head for the case, as which they may know of it."""
        return self.knows(person, case) and (Role.HEAD in person.roles or self.stands_in(person, case))

    def filed_at_desk(self, person: Person, case: CaseFacts) -> bool:
        """Whether this operator filed the case for its citizen, and may find it among what they filed."""
        consent = case.filed.consent
        own = consent is not None and str(consent.recorded_by) == person.id and Role.OPERATOR in person.roles
        return own and person.active and not self.conflicted(person, case.unit)

    def reads_filed(self, person: Person, case: CaseFacts) -> bool:
        """Whether this person may read what was filed with the case: also who handles the one that it was merged into."""
        if self.knows(person, case):
            return True
        if not person.staff or self.conflicted(person, case.unit):
            return False
        into = case.row.get("merged_into") if case.stage == Stage.MERGED else None
        while into is not None:
            other = self.cases[into]
            if self.knows(person, other):
                return True
            into = other.row.get("merged_into")
        return False

    def lists(self, person: Person, case: CaseFacts) -> bool:
        """Whether this person may find the case in a list, a count or an export: an analyst does, masked."""
        masked = Role.ANALYST in person.roles and not self.conflicted(person, case.unit)
        return self.knows(person, case) or (masked and Role.INSPECTOR not in person.roles)

    def listed(self, person: Person) -> list[CaseFacts]:
        """All cases that this person may find."""
        return [case for case in self.cases.values() if self.lists(person, case)]

    def known_cases(self, person: Person) -> list[CaseFacts]:
        """All cases that this person may know of."""
        return [case for case in self.cases.values() if self.knows(person, case)]

    def hidden_cases(self, person: Person) -> list[CaseFacts]:
        """All others."""
        return [case for case in self.cases.values() if not self.knows(person, case)]

    def answers_for(self, person: Person, unit: str | None) -> bool:
        """Whether this liaison answers for the unit: their own or one below it. The last word of accounts counts."""
        return Role.LIAISON in person.roles and any(own in self.upwards(unit) for own in person.units)

    def opens(self, person: Person, case: CaseFacts) -> bool:
        """Whether this person may open who complained."""
        return (person.id, case.case_id) in self.consents and self.may_ask_to_open(person, case)

    def may_ask_to_open(self, person: Person, case: CaseFacts) -> bool:
        """Whether this person opens it once a custodian consents."""
        opener = bool(person.roles & {Role.HEAD, Role.CUSTODIAN}) or self.stands_in(person, case)
        return opener and not self.conflicted(person, case.unit)

    def may_ask_for_identity(self, person: Person, case: CaseFacts) -> bool:
        """Whether this person asks a custodian: to open it, or as an inspector of the case, so that a head does."""
        inspects = Role.INSPECTOR in person.roles and self.knows(person, case)
        opens = person.roles & {Role.HEAD, Role.CUSTODIAN, Role.SUBSTITUTE}
        return self.may_ask_to_open(person, case) or (inspects and not opens)

    def may_know(self, person: Person, canary: Canary) -> bool:
        """Whether this word may stand in an answer to this person."""
        if canary.sort is Sort.SLOT:
            return person.actor is not None
        if canary.sort is Sort.STAFF:
            return person.staff and person.roles != {Role.ANALYST}
        case = self.cases[canary.case] if canary.case is not None else None
        if canary.sort is Sort.IDENTITY:
            # Also their own name to a citizen who is signed in; the holder of a code may be anybody.
            own = person.actor is not None and person.actor.kind is ActorKind.CITIZEN
            return case is not None and (self.opens(person, case) or (own and self.knows(person, case)))
        if case is None or canary.sort is Sort.CITIZEN:
            # Who complained is sealed: staff open that by another endpoint, with reason and consent.
            return case is not None and not person.staff and self.knows(person, case)
        if canary.sort is Sort.CASE and (self.lists(person, case) or self.filed_at_desk(person, case)):
            return True
        if canary.sort in (Sort.UNIT, Sort.SENT_ALONG) and self.answers_for(person, canary.unit):
            return True
        if canary.sort in (Sort.CASE, Sort.FILED, Sort.SENT_ALONG) and self.reads_filed(person, case):
            return True
        if not self.knows(person, case):
            return False
        return person.staff or canary.sort not in (Sort.OFFICE, Sort.UNIT)

    def leaked_words(self, person: Person, text: str) -> Iterator[str]:
        """The canaries in a text that this person may not read."""
        for word in set(TRACE.findall(text.translate(ASCII_DIGITS))):
            canary = self.canaries.get(word) or self.canaries.get(re.sub("[  -]", "", word))
            if canary is not None and word != person.id and not self.may_know(person, canary):
                case = self.cases[canary.case] if canary.case is not None else None
                yield f"{canary.sort} of {case.number if case else 'nobody'}: {word}"
