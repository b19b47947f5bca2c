"""Cases of tracking as staff find, read, screen and command them."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from contracts import searches
from contracts.calendars import GetCalendarFeed, MakeCalendarFeed, ReadCalendarFeed, RevokeCalendarFeed
from contracts.colleagues import ListColleagues
from contracts.screening import AssignMany, CaseSeen, HandOver, ListSkills, SetSkills, ShowWorkload, SuggestScreening
from contracts.tracking import AddNote, ExecuteCommand, GetCase, GetCaseAudience, LinkCase, Reopen
from contracts.vocabulary import OPEN_STAGES, Role, Stage
from tests.support.walk.oracle import CaseFacts, Person
from tests.support.walk.witness import ASSIGNS, SAMPLE, Leak, ServiceWalk
from tests.support.walk.world import feed_secret


class CasesWalk(ServiceWalk):
    """Cases of tracking as staff find, read, screen and command them."""

    def tracking_get_case(self, person: Person) -> None:
        for case in self.hidden_cases(person):
            _, code = self.ask(person, "tracking.get_case", GetCase(actor=self.actor(person), case_id=case.case_id))
            self.refused(person, "tracking.get_case", code)
        for case in self.known_cases(person) if person.staff else []:
            view, code = self.ask(person, "tracking.get_case", GetCase(actor=self.actor(person), case_id=case.case_id))
            self.same(person, "tracking.get_case", code, None)
            linked = {str(link.case_id) for link in view.linked}
            granted = {link for link in case.row["links"] if self.oracle.knows(person, self.oracle.cases[UUID(link)])}
            self.same(person, "tracking.get_case: linked", linked, granted)
            into = case.row["merged_into"]
            seen = into if into and self.oracle.knows(person, self.oracle.cases[into]) else None
            self.same(person, "tracking.get_case: merged_into", view.merged_into, seen)

    def tracking_get_case_audience(self, person: Person) -> None:
        """Asked by the gateway, to say who has a case before them: for whoever may know of it alone."""
        name = "tracking.get_case_audience"
        for case in self.hidden_cases(person):
            _, code = self.ask(person, name, GetCaseAudience(actor=self.actor(person), case_id=case.case_id))
            self.refused(person, name, code)
        for case in self.known_cases(person) if person.staff else []:
            request = GetCaseAudience(actor=self.actor(person), case_id=case.case_id)
            audience, code = self.ask(person, name, request)
            self.same(person, name, (code, audience.handler if audience else None), (None, case.handler))

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
        yield {"has_attachments": True}, lambda case: True
        yield {"handler": ["nobody"]}, lambda case: case.handler is None
        someone = next(case.handler for case in cases if case.handler)
        yield {"handler": ["nobody", someone]}, lambda case: case.handler in (None, someone)
        ids = {case.case_id for case in cases[:100]}
        yield {"ids": sorted(ids)}, lambda case: case.case_id in ids
        yield {"channel": ["web"]}, partial(_has, "channel", "web")
        yield {"waiting_for": ["citizen"]}, partial(_has, "stage", "awaiting_citizen")
        yield {"due_from": "2020-01-01", "stage": ["registered"]}, partial(_has, "stage", "registered")

    def _below(self, unit: str, case: CaseFacts) -> bool:
        return unit in self.oracle.upwards(case.unit)

    def tracking_list_cases(self, person: Person) -> None:
        known_cases, every = self.oracle.listed(person), list(self.oracle.cases.values())
        for filters, holds in self._filters(every):
            listed_ids = self._page_by_page(person, **filters)
            if self.finds_cases(person) and not self.behind_the_mask(person, filters):
                granted = sorted(str(case.case_id) for case in known_cases if holds(case))
                self.same(person, f"tracking.list_cases {filters}", listed_ids, granted)
        for sort in ("filed_at", "due_on", "-due_on", "-number", "changed_at") if self.finds_cases(person) else ():
            listed_ids = self._page_by_page(person, sort=sort)
            self.same(
                person, f"tracking.list_cases {sort}", listed_ids, sorted(str(case.case_id) for case in known_cases)
            )
        for case in [candidate for candidate in self.hidden_cases(person) if not self.oracle.lists(person, candidate)][
            :SAMPLE
        ]:
            for filters in ({"text": case.text.split()[0]}, {"number": [case.number]}):
                self.same(person, f"tracking.list_cases {filters}", self._page_by_page(person, **filters), [])
        for search_id, (owner, shared) in self.world.searches.items():
            if not self.may_run(person, owner, shared):
                request = searches.ListCases(actor=self.actor(person), search=search_id)
                self.refused(
                    person, "tracking.list_cases by search", self.ask(person, "tracking.list_cases", request)[1]
                )

    def _page_by_page(self, person: Person, **filters: Any) -> list[str]:
        case_ids: list[str] = []
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
            case_ids += [str(line.case_id) for line in page.items]
            after = page.next
            if after is None:
                return sorted(case_ids)

    def tracking_count_found_cases(self, person: Person) -> None:
        known_cases, every = self.oracle.listed(person), list(self.oracle.cases.values())
        wanted = list(self._filters(every))
        wanted += [({"text": case.text.split()[0]}, lambda _: False) for case in self.hidden_cases(person)[:SAMPLE]]
        for filters, holds in wanted:
            request = searches.CountFoundCases.model_validate({"actor": self.actor(person), **filters})
            counted, code = self.ask(person, "tracking.count_found_cases", request)
            if not self.finds_cases(person) or self.behind_the_mask(person, filters):
                self.refused(person, "tracking.count_found_cases", code)
                continue
            granted = sum(1 for case in known_cases if holds(case))
            self.same(person, f"tracking.count_found_cases {filters}", counted.count, granted)

    def tracking_count_many_found_cases(self, person: Person) -> None:
        known_cases, every = self.oracle.listed(person), list(self.oracle.cases.values())
        wanted = list(self._filters(every))[-19:]
        hidden = self.hidden_cases(person)
        wanted += [({"text": case.text.split()[0]}, lambda _: False) for case in hidden[:1]]
        named = [searches.NamedFilter.model_validate({"name": "n", "filters": filters}) for filters, _ in wanted]
        request = searches.CountManyFoundCases(actor=self.actor(person), counts=named)
        counts, code = self.ask(person, "tracking.count_many_found_cases", request)
        if not self.finds_cases(person):
            self.refused(person, "tracking.count_many_found_cases", code)
            return
        for item, (filters, holds) in zip(counts.items, wanted, strict=True):
            granted: Any = (sum(1 for case in known_cases if holds(case)), None)
            if self.behind_the_mask(person, filters):
                granted = (None, "not_allowed")
            self.same(person, f"tracking.count_many_found_cases {filters}", (item.count, item.error), granted)
        kept = list(self.world.searches.items())
        for place in range(0, len(kept), searches.MOST_COUNTS):
            some = kept[place : place + searches.MOST_COUNTS]
            asked = [searches.NamedFilter(name="n", search=search_id) for search_id, _ in some]
            by_search = searches.CountManyFoundCases(actor=self.actor(person), counts=asked)
            answer, _ = self.ask(person, "tracking.count_many_found_cases", by_search)
            runs = [item.error is None for item in answer.items]
            granted = [self.may_run(person, owner, shared) for _, (owner, shared) in some]
            self.same(person, "tracking.count_many_found_cases", runs, granted)

    def tracking_execute(self, person: Person) -> None:
        known_cases = [case for case in self.oracle.known_cases(person) if case.stage == Stage.INVESTIGATING]
        for case in self.hidden_cases(person):
            for version in (case.row["version"], 0):
                for command in (AddNote(text="x"), Reopen(reason="walked")):
                    self.refused(person, "tracking.execute", self._command(person, case, command, version))
        if not (known_cases and self.sees_cases(person)):
            return
        # Another case that is named by a command: there is no telling one that is hidden from one that is not there.
        self._command(person, known_cases[0], AddNote(text="x"), 0)
        nowhere = self._command(person, known_cases[0], LinkCase(to=uuid.uuid4()))
        for case in self.hidden_cases(person)[:SAMPLE]:
            refusal_code = self._command(person, known_cases[0], LinkCase(to=case.case_id))
            self.same(person, "tracking.execute: link_case", refusal_code, nowhere)

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
        for case in self.hidden_cases(person)[:SAMPLE]:
            request = SuggestScreening(actor=self.actor(person), case_id=case.case_id)
            self.refused(
                person, "tracking.suggest_screening", self.ask(person, "tracking.suggest_screening", request)[1]
            )
        if not person.roles & {*ASSIGNS, Role.INSPECTOR}:
            return
        seen = (Stage.REGISTERED, Stage.INVESTIGATING)
        some = [case.case_id for case in self.oracle.known_cases(person) if case.stage in seen]
        probes = [case_id for case_id in self.world.probes if self.oracle.knows(person, self.oracle.cases[case_id])]
        for case_id in [*probes, *some[:3]]:
            request = SuggestScreening(actor=self.actor(person), case_id=case_id)
            suggestions, code = self.ask(person, "tracking.suggest_screening", request)
            self.same(person, "tracking.suggest_screening", code, None)
            value = suggestions.unit.value if suggestions.unit else None
            if self.oracle.conflicted(person, value):
                raise Leak(f"tracking.suggest_screening tells {person.name} of cases about {value}")
            read = [
                other_case
                for other_case in self.oracle.known_cases(person)
                if other_case.case_id != case_id and other_case.stage not in _UNREAD
            ]
            if suggestions.ground is not None and suggestions.ground.of > len(read):
                raise Leak(
                    f"tracking.suggest_screening counts for {person.name} {suggestions.ground.of} of {len(read)}"
                )

    def tracking_assign_many(self, person: Person) -> None:
        some = self.hidden_cases(person)[:SAMPLE]
        seen = [CaseSeen(case_id=case.case_id, expected_version=case.row["version"]) for case in some]
        if not seen:
            return
        request = AssignMany(actor=self.actor(person), cases=seen, idempotency_key=uuid.uuid4().hex)
        results, code = self.ask(person, "tracking.assign_many", request)
        for item in results.items if code is None else ():
            self.refused(person, "tracking.assign_many", item.error)

    def tracking_hand_over(self, person: Person) -> None:
        for leaver in {case.handler for case in self.oracle.cases.values() if case.handler}:
            request = HandOver(actor=self.actor(person), leaver=leaver, idempotency_key=uuid.uuid4().hex)
            results, code = self.ask(person, "tracking.hand_over", request)
            if code is None:
                granted = {
                    case.case_id
                    for case in self.oracle.known_cases(person)
                    if case.handler == leaver and case.stage in OPEN_STAGES
                }
                self.same(person, "tracking.hand_over", {item.case_id for item in results.items}, granted)
            elif person.roles & ASSIGNS:
                raise Leak(f"tracking.hand_over refuses {person.name}: {code}")

    def tracking_list_skills(self, person: Person) -> None:
        skills, code = self.ask(person, "tracking.list_skills", ListSkills(actor=self.actor(person)))
        if not person.roles & ASSIGNS:
            self.refused(person, "tracking.list_skills", code)
            return
        in_hand = Counter(case.handler for case in self.oracle.known_cases(person) if case.stage in OPEN_STAGES)
        for item in skills.items:
            self.same(person, "tracking.list_skills", item.open_cases, in_hand[item.inspector])

    def tracking_show_workload(self, person: Person) -> None:
        workload, code = self.ask(person, "tracking.show_workload", ShowWorkload(actor=self.actor(person)))
        if Role.HEAD not in person.roles:
            self.refused(person, "tracking.show_workload", code)
            return
        in_hand = Counter(case.handler for case in self.oracle.known_cases(person) if case.stage in OPEN_STAGES)
        for item in workload.items:
            self.same(person, "tracking.show_workload", item.open_cases, in_hand[item.inspector])

    def tracking_make_calendar_feed(self, person: Person) -> None:
        request = MakeCalendarFeed(actor=self.actor(person), secret_hash="c" * 64)
        _, code = self.ask(person, "tracking.make_calendar_feed", request)
        if not self.sees_cases(person):
            self.refused(person, "tracking.make_calendar_feed", code)

    def tracking_get_calendar_feed(self, person: Person) -> None:
        feed, code = self.ask(person, "tracking.get_calendar_feed", GetCalendarFeed(actor=self.actor(person)))
        if not person.staff:
            self.refused(person, "tracking.get_calendar_feed", code)
        elif feed is not None:
            reads = self.sees_cases(person)
            self.same(person, "tracking.get_calendar_feed", feed.made_at is not None, reads)

    def tracking_revoke_calendar_feed(self, person: Person) -> None:
        _, code = self.ask(person, "tracking.revoke_calendar_feed", RevokeCalendarFeed(actor=self.actor(person)))
        if not person.staff:
            self.refused(person, "tracking.revoke_calendar_feed", code)

    def tracking_read_calendar_feed(self, person: Person) -> None:
        """By a secret that nobody has, and by their own: nothing of a case that is not theirs now."""
        _, code = self.ask(person, "tracking.read_calendar_feed", ReadCalendarFeed(secret_hash="d" * 64))
        self.refused(person, "tracking.read_calendar_feed", code)
        request = ReadCalendarFeed(secret_hash=feed_secret(person.id))
        # Read by the address alone: of two units that somebody belongs to, the one in a token is not known.
        _, code = self.ask(person, "tracking.read_calendar_feed", request, check=len(person.units) < 2)
        self.same(person, "tracking.read_calendar_feed", code is None, self.sees_cases(person))

    def tracking_list_colleagues(self, person: Person) -> None:
        found, code = self.ask(person, "tracking.list_colleagues", ListColleagues(actor=self.actor(person)))
        if not person.roles - {Role.LIAISON, Role.ANALYST}:
            self.refused(person, "tracking.list_colleagues", code)
            return
        active = sorted(other.id for other in self.world.people if other.roles)
        told = sorted(str(item.id) for item in found.items)
        self.same(person, "tracking.list_colleagues", bool(told) and set(told) <= set(active), True)
        for case in self.hidden_cases(person)[:SAMPLE]:
            for role in (Role.INSPECTOR, None):
                request = ListColleagues(actor=self.actor(person), case_id=case.case_id, role=role)
                _, code = self.ask(person, "tracking.list_colleagues", request)
                self.refused(person, "tracking.list_colleagues of a case", code)

    def tracking_set_skills(self, person: Person) -> None:
        some = next(case.handler for case in self.oracle.cases.values() if case.handler)
        request = SetSkills(actor=self.actor(person), inspector=some, grounds=["delay"])
        _, code = self.ask(person, "tracking.set_skills", request)
        if Role.HEAD not in person.roles:
            self.refused(person, "tracking.set_skills", code)


_UNREAD = (Stage.REGISTERED, Stage.SCREENING, Stage.REFUSED)


def _has(name: str, value: Any, case: CaseFacts) -> bool:
    return bool(case.row[name] == value)
