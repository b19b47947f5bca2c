"""Entrypoints about colleagues, and what each of them has seen: a part of tracking's service."""

from __future__ import annotations

from backbone.messaging.rpc import rpc
from backbone.process.audited_service import AuditedService
from backbone.process.timers import follow_up
from contracts.base import now
from contracts.colleagues import Colleagues, ListColleagues
from services.tracking.case.looks import prune
from services.tracking.composition import TrackingUseCases


class ColleagueEntrypoints(AuditedService):
    """What staff ask of each other. `use_cases`: the service's."""

    use_cases: TrackingUseCases

    # --- what each has seen ---

    @follow_up(pause=1)  # type: ignore[untyped-decorator]  # nameko is untyped
    def keep_looks(self) -> None:
        if self.use_cases.looks.wait:
            with self.db.statements() as connection:
                self.use_cases.looks.save(connection)

    @follow_up(pause=3_600, rest=3_600)  # type: ignore[untyped-decorator]  # nameko is untyped
    def prune_looks(self) -> None:
        with self.db.transaction() as connection:
            prune(connection, now())

    # --- whom to name ---

    @rpc
    def list_colleagues(self, request: ListColleagues) -> Colleagues:
        with self.db.read() as connection:
            return self.use_cases.colleagues.list_colleagues(connection, request)
