"""Saved searches and exports."""

from __future__ import annotations

import base64
import uuid

from contracts import searches
from contracts.exports import DropExport, GetExport, ListExports, ReadExport, StartExport
from tests.support.walk.oracle import TRACE, Person
from tests.support.walk.witness import ServiceWalk


class SearchesWalk(ServiceWalk):
    """Saved searches and exports."""

    def tracking_list_searches(self, person: Person) -> None:
        kept, code = self.ask(
            person, "tracking.list_searches", searches.ListSearches(actor=self.actor(person), limit=100)
        )
        if not self.sees_cases(person):
            self.refused(person, "tracking.list_searches", code)
            return
        granted = {
            search_id
            for search_id, (owner, shared) in self.world.searches.items()
            if self.may_run(person, owner, shared)
        }
        self.same(person, "tracking.list_searches", {item.search_id for item in kept.items}, granted)
        own = self.world.pins.get(person.id)
        positions = {(item.search_id, item.position) for item in kept.items if item.position is not None}
        self.same(person, "tracking.list_searches: pinned", positions, {(own, 1)} if own else set())
        request = searches.ListSearches(actor=self.actor(person), pinned=True)
        pinned, _ = self.ask(person, "tracking.list_searches", request)
        self.same(
            person, "tracking.list_searches: pinned", [item.search_id for item in pinned.items], [own] if own else []
        )

    def tracking_get_search(self, person: Person) -> None:
        for search_id, (owner, shared) in self.world.searches.items():
            request = searches.GetSearch(actor=self.actor(person), search_id=search_id)
            _, code = self.ask(person, "tracking.get_search", request)
            self.same(person, "tracking.get_search", code is None, self.may_run(person, owner, shared))

    def tracking_pin_searches(self, person: Person) -> None:
        for search_id, (owner, shared) in self.world.searches.items():
            request = searches.PinSearches(actor=self.actor(person), searches=[search_id])
            answer, code = self.ask(person, "tracking.pin_searches", request)
            self.same(person, "tracking.pin_searches", code is None, self.may_run(person, owner, shared))
            if answer is not None:
                pinned = [(item.search_id, item.position) for item in answer.items]
                self.same(person, "tracking.pin_searches", pinned, [(search_id, 1)])

    def tracking_change_search(self, person: Person) -> None:
        for search_id, (owner, _) in self.world.searches.items():
            request = searches.ChangeSearch(
                actor=self.actor(person), search_id=search_id, expected_version=1, name="taken"
            )
            _, code = self.ask(person, "tracking.change_search", request)
            if not self.may_run(person, owner, "nobody"):
                self.refused(person, "tracking.change_search", code)

    def tracking_drop_search(self, person: Person) -> None:
        for search_id, (owner, _) in self.world.searches.items():
            request = searches.DropSearch(actor=self.actor(person), search_id=search_id, expected_version=1)
            _, code = self.ask(person, "tracking.drop_search", request)
            if not self.may_run(person, owner, "nobody"):
                self.refused(person, "tracking.drop_search", code)

    def tracking_keep_search(self, person: Person) -> None:
        before = sum(1 for owner, _ in self.world.searches.values() if owner == person.id)
        request = searches.KeepSearch(
            actor=self.actor(person), name="x", filters=searches.Filter(), idempotency_key=uuid.uuid4().hex
        )
        _, code = self.ask(person, "tracking.keep_search", request)
        self.same(person, f"tracking.keep_search beside {before}", code is None, self.sees_cases(person))

    def tracking_list_exports(self, person: Person) -> None:
        exports, code = self.ask(person, "tracking.list_exports", ListExports(actor=self.actor(person)))
        if not self.finds_cases(person):
            self.refused(person, "tracking.list_exports", code)
            return
        granted = {export_id for export_id, owner in self.world.exports.items() if owner == person.id}
        self.same(person, "tracking.list_exports", {item.export_id for item in exports.items}, granted)
        for item in exports.items:
            self.same(person, "tracking.list_exports", (item.state, item.error), ("done", None))

    def tracking_get_export(self, person: Person) -> None:
        for export_id, owner in self.world.exports.items():
            request = GetExport(actor=self.actor(person), export_id=export_id)
            _, code = self.ask(person, "tracking.get_export", request)
            self.same(person, "tracking.get_export", code is None, owner == person.id and self.finds_cases(person))

    def tracking_read_export(self, person: Person) -> None:
        for export_id, owner in self.world.exports.items():
            request = ReadExport(actor=self.actor(person), export_id=export_id)
            export, code = self.ask(person, "tracking.read_export", request)
            self.same(person, "tracking.read_export", code is None, owner == person.id and self.finds_cases(person))
            if export is not None:
                file = base64.b64decode(export.content).decode("utf-8-sig")
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
            self.same(person, "tracking.start_export", code is None, self.may_run(person, owner, shared))
