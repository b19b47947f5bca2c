"""Tracking's entrypoints: parse, call, answer."""

from __future__ import annotations

from datetime import timedelta

from nameko.timer import timer

from backbone.messaging.consumers import durable_event_handler
from backbone.messaging.rpc import rpc
from backbone.process.audited_service import AuditedService
from backbone.process.dependencies import UseCases
from contracts import searches as searches_contracts
from contracts.accounts import StaffChanged
from contracts.audit import KeepCheckpoint, KeptCheckpoint, ReadLatestCheckpoint, ReadTimelineRoot, TimelineRoot
from contracts.base import now
from contracts.exports import (
    DropExport,
    Dropped,
    Export,
    ExportPage,
    ExportPiece,
    GetExport,
    ListExports,
    ReadExport,
    StartExport,
)
from contracts.identities import (
    AskForIdentity,
    DecideIdentityRequest,
    IdentityRequest,
    IdentityRequests,
    ListIdentityRequests,
)
from contracts.intake import CatalogueChanged, SubmissionRecoded, SubmissionRegistered
from contracts.letters import Letter, ReadLetter
from contracts.media import ClaimRefused, MediaAccepted, MediaDelayed, MediaRejected
from contracts.notify import CitizenReplied
from contracts.screening import (
    Assigned,
    AssignMany,
    HandOver,
    ListSkills,
    SetSkills,
    Skills,
    Suggestions,
    SuggestScreening,
)
from contracts.tracking import (
    AnswerUnitQuestion,
    AuthorizeIdentity,
    AuthorizeMedia,
    ExecuteCitizenCommand,
    ExecuteCommand,
    FollowedRecommendation,
    GetCase,
    IdentityGrant,
    ListOwnCases,
    ListRecommendations,
    ListUnitQuestions,
    MediaGrant,
    OwnCases,
    PublicCase,
    Recommendations,
    ReportRecommendation,
    StaffCase,
    UnitQuestion,
    UnitQuestions,
    ViewByCode,
    ViewOwnCase,
)
from contracts.visits import (
    AddRoom,
    AddSlot,
    CloseRoom,
    CloseSlot,
    ListOfferedSlots,
    ListRooms,
    ListSlots,
    MakeSlots,
    OfferedSlots,
    Room,
    Rooms,
    Slot,
    Slots,
)
from services.tracking.case.idempotency import prune_commands
from services.tracking.composition import compose

KEYS_KEPT = timedelta(days=30)


class Service(AuditedService):
    name = "tracking"
    use_cases = UseCases(compose)

    # --- events ---

    @durable_event_handler("tracking.registrations", batch=200, concurrency=2)
    def open_cases(self, events: list[SubmissionRegistered]) -> None:
        with self.db.transaction() as connection:
            self.use_cases.events.open_cases(connection, events)

    @durable_event_handler("tracking.recoded", concurrency=1)
    def recode(self, event: SubmissionRecoded) -> None:
        with self.db.transaction() as connection:
            self.use_cases.events.recode(connection, event)

    @durable_event_handler("tracking.catalogue", concurrency=1)
    def keep_catalogue(self, event: CatalogueChanged) -> None:
        with self.db.transaction() as connection:
            self.use_cases.events.keep_catalogue(connection, event)

    @durable_event_handler("tracking.media", batch=100, concurrency=1)
    def keep_media(self, events: list[MediaAccepted | MediaRejected | MediaDelayed | ClaimRefused]) -> None:
        with self.db.transaction() as connection:
            self.use_cases.evidence.keep_media(connection, events)

    @durable_event_handler("tracking.staff", concurrency=1)
    def keep_staff(self, event: StaffChanged) -> None:
        with self.db.transaction() as connection:
            self.use_cases.events.keep_staff(connection, event)

    @durable_event_handler("tracking.replies", concurrency=1)
    def take_reply(self, event: CitizenReplied) -> None:
        with self.db.transaction() as connection:
            self.use_cases.events.take_reply(connection, event)

    @timer(interval=3600)  # type: ignore[untyped-decorator]  # nameko is untyped
    def forget_old_keys(self) -> None:
        with self.db.transaction() as connection:
            prune_commands(connection, now() - KEYS_KEPT)

    @timer(interval=2)  # type: ignore[untyped-decorator]  # nameko is untyped
    def watch_the_calendar(self) -> None:
        scheduler = self.use_cases.scheduler
        for work in (
            scheduler.reschedule,
            scheduler.raise_alarms,
            scheduler.escalate_recommendations,
            scheduler.send_reminders,
            scheduler.inform_merged_cases,
        ):
            while True:
                with self.db.transaction() as connection:
                    if work(connection) == 0:
                        break

    @timer(interval=10)  # type: ignore[untyped-decorator]  # nameko is untyped
    def erase_what_was_kept_long_enough(self) -> None:
        for work in (self.use_cases.retention.note_ends, self.use_cases.retention.erase):
            while True:
                with self.db.transaction() as connection:
                    if work(connection) == 0:
                        break

    @timer(interval=2)  # type: ignore[untyped-decorator]  # nameko is untyped
    def remind_of_visits(self) -> None:
        self.use_cases.visit_reminders.remind_due(self.db)

    @timer(interval=1)  # type: ignore[untyped-decorator]  # nameko is untyped
    def make_exports(self) -> None:
        self.use_cases.export_worker.work(self.db)

    @timer(interval=60)  # type: ignore[untyped-decorator]  # nameko is untyped
    def purge_exports(self) -> None:
        with self.db.transaction() as connection:
            self.use_cases.export_worker.purge(connection)

    # --- staff ---

    @rpc
    def execute(self, request: ExecuteCommand) -> StaffCase:
        return self.command(self.use_cases.cases.execute, request)

    @rpc
    def get_case(self, request: GetCase) -> StaffCase:
        with self.db.read() as connection:
            return self.use_cases.cases.get_case(connection, request)

    @rpc
    def suggest_screening(self, request: SuggestScreening) -> Suggestions:
        with self.db.read() as connection:
            return self.use_cases.screening.suggest_screening(connection, request)

    @rpc
    def assign_many(self, request: AssignMany) -> Assigned:
        return self.command(self.use_cases.screening.assign_many, request)

    @rpc
    def hand_over(self, request: HandOver) -> Assigned:
        return self.command(self.use_cases.screening.hand_over, request)

    @rpc
    def set_skills(self, request: SetSkills) -> Skills:
        return self.command(self.use_cases.screening.set_skills, request)

    @rpc
    def list_skills(self, request: ListSkills) -> Skills:
        with self.db.read() as connection:
            return self.use_cases.screening.list_skills(connection, request)

    # --- citizens ---

    @rpc
    def view_by_code(self, request: ViewByCode) -> PublicCase:
        with self.db.read() as connection:
            return self.use_cases.citizens.view_by_code(connection, request)

    @rpc
    def list_own_cases(self, request: ListOwnCases) -> OwnCases:
        with self.db.read() as connection:
            return self.use_cases.citizens.list_own_cases(connection, request)

    @rpc
    def view_own_case(self, request: ViewOwnCase) -> PublicCase:
        with self.db.read() as connection:
            return self.use_cases.citizens.view_own_case(connection, request)

    @rpc
    def execute_citizen(self, request: ExecuteCitizenCommand) -> PublicCase:
        return self.command(self.use_cases.citizens.execute_citizen, request)

    # --- letters ---

    @rpc
    def read_letter(self, request: ReadLetter) -> Letter:
        with self.db.read() as connection:
            return self.use_cases.letters.read_letter(connection, request)

    # --- visits ---

    @rpc
    def list_offered_slots(self, request: ListOfferedSlots) -> OfferedSlots:
        with self.db.read() as connection:
            return self.use_cases.visits.list_offered_slots(connection, request)

    @rpc
    def list_rooms(self, request: ListRooms) -> Rooms:
        with self.db.read() as connection:
            return self.use_cases.visits.list_rooms(connection, request)

    @rpc
    def add_room(self, request: AddRoom) -> Room:
        return self.command(self.use_cases.visits.add_room, request)

    @rpc
    def close_room(self, request: CloseRoom) -> Room:
        return self.command(self.use_cases.visits.close_room, request)

    @rpc
    def list_slots(self, request: ListSlots) -> Slots:
        with self.db.read() as connection:
            return self.use_cases.visits.list_slots(connection, request)

    @rpc
    def add_slot(self, request: AddSlot) -> Slot:
        return self.command(self.use_cases.visits.add_slot, request)

    @rpc
    def make_slots(self, request: MakeSlots) -> Slots:
        return self.command(self.use_cases.visits.make_slots, request)

    @rpc
    def close_slot(self, request: CloseSlot) -> Slot:
        return self.command(self.use_cases.visits.close_slot, request)

    # --- lists and searches ---

    @rpc
    def list_cases(self, request: searches_contracts.ListCases) -> searches_contracts.CasePage:
        with self.db.read() as connection:
            return self.use_cases.searches.list_cases(connection, request)

    @rpc
    def count_found_cases(self, request: searches_contracts.CountFoundCases) -> searches_contracts.CaseCount:
        with self.db.read() as connection:
            return self.use_cases.searches.count_found_cases(connection, request)

    @rpc
    def keep_search(self, request: searches_contracts.KeepSearch) -> searches_contracts.Search:
        return self.command(self.use_cases.searches.keep_search, request)

    @rpc
    def list_searches(self, request: searches_contracts.ListSearches) -> searches_contracts.SearchPage:
        with self.db.read() as connection:
            return self.use_cases.searches.list_searches(connection, request)

    @rpc
    def get_search(self, request: searches_contracts.GetSearch) -> searches_contracts.Search:
        with self.db.read() as connection:
            return self.use_cases.searches.get_search(connection, request)

    @rpc
    def change_search(self, request: searches_contracts.ChangeSearch) -> searches_contracts.Search:
        return self.command(self.use_cases.searches.change_search, request)

    @rpc
    def drop_search(self, request: searches_contracts.DropSearch) -> searches_contracts.Dropped:
        return self.command(self.use_cases.searches.drop_search, request)

    # --- exports ---

    @rpc
    def start_export(self, request: StartExport) -> Export:
        return self.command(self.use_cases.exports.start_export, request)

    @rpc
    def list_exports(self, request: ListExports) -> ExportPage:
        with self.db.read() as connection:
            return self.use_cases.exports.list_exports(connection, request)

    @rpc
    def get_export(self, request: GetExport) -> Export:
        with self.db.read() as connection:
            return self.use_cases.exports.get_export(connection, request)

    @rpc
    def drop_export(self, request: DropExport) -> Dropped:
        return self.command(self.use_cases.exports.drop_export, request)

    @rpc
    def read_export(self, request: ReadExport) -> ExportPiece:
        with self.db.read() as connection:
            return self.use_cases.exports.read_export(connection, request)

    # --- liaisons, evidence, identities ---

    @rpc
    def list_unit_questions(self, request: ListUnitQuestions) -> UnitQuestions:
        with self.db.read() as connection:
            return self.use_cases.inquiry.list_unit_questions(connection, request)

    @rpc
    def answer_unit_question(self, request: AnswerUnitQuestion) -> UnitQuestion:
        return self.command(self.use_cases.inquiry.answer_unit_question, request)

    @rpc
    def list_recommendations(self, request: ListRecommendations) -> Recommendations:
        with self.db.read() as connection:
            return self.use_cases.recommendations.list_recommendations(connection, request)

    @rpc
    def report_recommendation(self, request: ReportRecommendation) -> FollowedRecommendation:
        return self.command(self.use_cases.recommendations.report_recommendation, request)

    @rpc
    def authorize_media(self, request: AuthorizeMedia) -> MediaGrant:
        with self.db.read() as connection:
            return self.use_cases.evidence.authorize_media(connection, request)

    @rpc
    def authorize_identity(self, request: AuthorizeIdentity) -> IdentityGrant:
        return self.command(self.use_cases.identities.authorize, request)

    @rpc
    def ask_for_identity(self, request: AskForIdentity) -> IdentityRequest:
        return self.command(self.use_cases.identities.ask, request)

    @rpc
    def decide_identity_request(self, request: DecideIdentityRequest) -> IdentityRequest:
        return self.command(self.use_cases.identities.decide, request)

    @rpc
    def list_identity_requests(self, request: ListIdentityRequests) -> IdentityRequests:
        with self.db.read() as connection:
            return self.use_cases.identities.requests(connection, request)

    # --- checkpoints ---

    @rpc
    def read_timeline_root(self, request: ReadTimelineRoot) -> TimelineRoot:
        with self.db.read() as connection:
            return self.use_cases.checkpoints.timeline_root(connection, request)

    @rpc
    def keep_checkpoint(self, request: KeepCheckpoint) -> KeptCheckpoint:
        with self.db.transaction() as connection:
            return self.use_cases.checkpoints.keep(connection, request)

    @rpc
    def read_latest_checkpoint(self, request: ReadLatestCheckpoint) -> KeptCheckpoint:
        with self.db.read() as connection:
            return self.use_cases.checkpoints.latest(connection, request)
