"""Tracking's entrypoints: parse, call, answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nameko.timer import timer
from sqlalchemy import Connection

from backbone.messaging.consumers import durable_event_handler
from backbone.messaging.rpc import rpc
from backbone.process.dependencies import UseCases
from backbone.process.timers import follow_up
from contracts.accounts import CitizenAccountDeleted, StaffChanged
from contracts.audit import (
    AuditedCase,
    FindAuditedCase,
    KeepCheckpoint,
    KeptCheckpoint,
    ReadLatestCheckpoint,
    ReadTimelineRoot,
    TimelineRoot,
)
from contracts.base import now
from contracts.calendars import (
    CalendarEntries,
    CalendarFeed,
    GetCalendarFeed,
    MakeCalendarFeed,
    ReadCalendarFeed,
    RevokeCalendarFeed,
)
from contracts.desk import SubmissionClaimed
from contracts.errors import StaleVersion
from contracts.exports import (
    DropExport,
    Dropped,
    Export,
    ExportChunk,
    ExportPage,
    GetExport,
    ListExports,
    ReadExport,
    StartExport,
)
from contracts.intake import CatalogueChanged, SubmissionRecoded, SubmissionRegistered
from contracts.leaves import LeaveChanged
from contracts.letters import CheckLetter, Letter, LetterStanding, ReadLetter
from contracts.media import ClaimRefused, MediaAccepted, MediaDelayed, MediaRejected
from contracts.notify import CitizenReplied
from contracts.promises import ListPromises, Promises
from contracts.rule_previews import PreviewRules, RulesPreview
from contracts.screening import (
    Assigned,
    AssignMany,
    HandOver,
    ListSkills,
    SetSkills,
    ShowWorkload,
    Skills,
    Suggestions,
    SuggestScreening,
    Workload,
)
from contracts.tracking import (
    AnswerUnitQuestion,
    AuthorizeMedia,
    CaseAudience,
    ExecuteCitizenCommand,
    ExecuteCommand,
    FindSimilarOwnCases,
    FollowedRecommendation,
    GetCase,
    GetCaseAudience,
    ListOwnCases,
    ListRecommendations,
    ListUnansweredUnits,
    ListUnitQuestions,
    MediaGrant,
    OwnCases,
    PublicCase,
    Recommendations,
    ReportRecommendation,
    SimilarOwnCases,
    StaffCase,
    UnansweredUnits,
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
from services.tracking.bulk.entrypoints import BulkEntrypoints
from services.tracking.colleagues.entrypoints import ColleagueEntrypoints
from services.tracking.composition import compose
from services.tracking.desk.entrypoints import DeskEntrypoints
from services.tracking.models import commands
from services.tracking.referrals.entrypoints import DisclosureEntrypoints
from services.tracking.search import renewal
from services.tracking.search.entrypoints import SearchEntrypoints

RENEWED_IN_A_ROW = 5


class Service(ColleagueEntrypoints, DeskEntrypoints, DisclosureEntrypoints, SearchEntrypoints, BulkEntrypoints):
    name = "tracking"
    command_tables = (commands,)
    use_cases = UseCases(compose)

    # --- events ---

    @durable_event_handler("tracking.registrations", batch=200, concurrency=2)
    def open_cases(self, events: list[SubmissionRegistered]) -> None:
        with self.db.statements() as connection:
            refused = self.use_cases.events.open_cases(connection, events)
        self._report(refused)

    @durable_event_handler("tracking.recoded", concurrency=1)
    def recode(self, event: SubmissionRecoded | SubmissionClaimed) -> None:
        with self.db.transaction() as connection:
            if isinstance(event, SubmissionRecoded):
                self.use_cases.desk.recode(connection, event)
            else:
                self.use_cases.desk.claim(connection, event)

    @durable_event_handler("tracking.catalogue", concurrency=1)
    def keep_catalogue(self, event: CatalogueChanged) -> None:
        with self.db.statements() as connection:
            self.use_cases.events.keep_catalogue(connection, event)

    @durable_event_handler("tracking.media", batch=100, concurrency=1)
    def keep_media(self, events: list[MediaAccepted | MediaRejected | MediaDelayed | ClaimRefused]) -> None:
        with self.db.statements() as connection:
            refused = self.use_cases.evidence.keep_media(connection, events)
        self._report(refused)

    def _report(self, refused: Sequence[str]) -> None:
        """In a transaction of its own: where it is not done, the event comes again, and finds them unreported still."""
        if refused:
            with self.db.transaction() as connection:
                self.use_cases.evidence.report_refusals(connection, refused)

    @durable_event_handler("tracking.staff", concurrency=1)
    def keep_staff(self, event: StaffChanged | LeaveChanged | CitizenAccountDeleted) -> None:
        with self.db.statements() as connection:
            self.use_cases.events.keep_staff(connection, event)

    @durable_event_handler("tracking.replies", concurrency=1)
    def take_reply(self, event: CitizenReplied) -> None:
        with self.db.statements() as connection:
            if self.use_cases.replies.take_at_once(connection, event):
                return
        with self.db.transaction() as connection:
            self.use_cases.replies.take(connection, event)

    @follow_up(pause=2)  # type: ignore[untyped-decorator]  # nameko is untyped
    def watch_the_calendar(self) -> bool:
        """What became due by a day that began, and by what was decided. Whether anything had."""
        scheduler, worked = self.use_cases.scheduler, False
        for work in (
            scheduler.reschedule,
            scheduler.raise_alarms,
            scheduler.escalate_recommendations,
            scheduler.send_reminders,
            scheduler.inform_merged_cases,
            scheduler.part_from_colleagues,
            scheduler.reckon_marks,
            self.use_cases.call_backs.draw,
        ):
            worked |= self._exhaust(work)
        return worked

    @follow_up(pause=2, rest=20)  # type: ignore[untyped-decorator]  # nameko is untyped
    def keep_somebody_responsible(self) -> bool:
        """What somebody has who may not have it any more, and visits on days that have become holidays."""
        responsibility, worked = self.use_cases.responsibility, False
        for work in (responsibility.settle, responsibility.call_off_on_holidays):
            worked |= self._exhaust(work)
        return worked

    @timer(interval=600)  # type: ignore[untyped-decorator]  # nameko is untyped
    def look_at_all_staff(self) -> None:
        with self.db.transaction() as connection:
            self.use_cases.responsibility.look_at_all(connection)

    @follow_up(pause=5, rest=20)  # type: ignore[untyped-decorator]  # nameko is untyped
    def report_missing_liaisons(self) -> bool:
        return self._exhaust(self.use_cases.responsibility.report_missing_liaisons)

    @follow_up(pause=10, rest=60)  # type: ignore[untyped-decorator]  # nameko is untyped
    def erase_what_was_kept_long_enough(self) -> bool:
        ended = self._exhaust(self.use_cases.retention.note_ends)
        return self._exhaust(self.use_cases.retention.erase) or ended

    @follow_up(pause=2, rest=600)  # type: ignore[untyped-decorator]  # nameko is untyped
    def renew_search_words(self) -> bool:
        """Some batches after an upgrade, with pauses: others write to the same rows."""
        for _ in range(RENEWED_IN_A_ROW):
            with self.db.transaction() as connection:
                if renewal.renew(connection) == 0:
                    return False
        return True

    def _exhaust(self, work: Callable[[Connection], int]) -> bool:
        """Works, a transaction at a time, until there is nothing left; whether there was anything."""
        worked = False
        while True:
            with self.db.transaction() as connection:
                if work(connection) == 0:
                    return worked
            worked = True

    @follow_up(pause=2)  # type: ignore[untyped-decorator]  # nameko is untyped
    def remind_of_visits(self) -> bool:
        return self.use_cases.visit_reminders.remind_due(self.db) > 0

    @follow_up(pause=1)  # type: ignore[untyped-decorator]  # nameko is untyped
    def make_exports(self) -> bool:
        return self.use_cases.export_worker.work(self.db)

    @timer(interval=60)  # type: ignore[untyped-decorator]  # nameko is untyped
    def purge_exports(self) -> None:
        with self.db.transaction() as connection:
            self.use_cases.export_worker.purge(connection)

    # --- staff ---

    @rpc
    def execute(self, request: ExecuteCommand) -> StaffCase:
        try:
            case = self.command(self.use_cases.cases.execute, request, self.use_cases.commands_at_once.execute)
        except StaleVersion:  # it holds the case
            self.readings.note(request.actor, "get_case", request.case_id)
            raise
        self.use_cases.looks.note(request.actor, case, now())
        return case

    @rpc
    def get_case(self, request: GetCase) -> StaffCase:
        with self.db.read() as connection:
            case = self.use_cases.cases.get_case(connection, request)
        self.readings.note(request.actor, "get_case", request.case_id)
        self.use_cases.looks.note(request.actor, case, now())
        return case

    @rpc
    def get_case_audience(self, request: GetCaseAudience) -> CaseAudience:
        with self.db.read() as connection:
            return self.use_cases.cases.get_audience(connection, request)

    @rpc
    def find_audited_case(self, request: FindAuditedCase) -> AuditedCase:
        with self.db.read() as connection:
            return self.use_cases.cases.find_audited(connection, request)

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
    def show_workload(self, request: ShowWorkload) -> Workload:
        with self.db.read() as connection:
            return self.use_cases.screening.show_workload(connection, request)

    @rpc
    def set_skills(self, request: SetSkills) -> Skills:
        return self.command(self.use_cases.screening.set_skills, request)

    @rpc
    def list_skills(self, request: ListSkills) -> Skills:
        with self.db.read() as connection:
            return self.use_cases.screening.list_skills(connection, request)

    # --- citizens, letters ---

    @rpc
    def view_by_code(self, request: ViewByCode) -> PublicCase:
        with self.db.read() as connection:
            return self.use_cases.citizens.view_by_code(connection, request)

    @rpc
    def list_own_cases(self, request: ListOwnCases) -> OwnCases:
        with self.db.read() as connection:
            return self.use_cases.citizens.list_own_cases(connection, request)

    @rpc
    def find_similar_own_cases(self, request: FindSimilarOwnCases) -> SimilarOwnCases:
        with self.db.read() as connection:
            return self.use_cases.citizens.find_similar_own_cases(connection, request)

    @rpc
    def view_own_case(self, request: ViewOwnCase) -> PublicCase:
        with self.db.read() as connection:
            view = self.use_cases.citizens.view_own_case(connection, request)
        with self.db.statements() as connection:
            self.use_cases.citizens.keep_look(connection, view)
        return view

    @rpc
    def execute_citizen(self, request: ExecuteCitizenCommand) -> PublicCase:
        return self.command(self.use_cases.citizens.execute_citizen, request)

    @rpc
    def read_letter(self, request: ReadLetter) -> Letter:
        with self.db.read() as connection:
            letter = self.use_cases.letters.read_letter(connection, request)
        self.readings.note(request.actor, "read_letter", request.case_id)
        return letter

    @rpc
    def check_letter(self, request: CheckLetter) -> LetterStanding:
        with self.db.read() as connection:
            return self.use_cases.letters.check_letter(connection, request)

    @rpc
    def preview_rules(self, request: PreviewRules) -> RulesPreview:
        with self.db.read() as connection:
            return self.use_cases.rule_previews.preview(connection, request)

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

    # --- calendars ---

    @rpc
    def make_calendar_feed(self, request: MakeCalendarFeed) -> CalendarFeed:
        return self.command(self.use_cases.calendars.make, request)

    @rpc
    def get_calendar_feed(self, request: GetCalendarFeed) -> CalendarFeed:
        with self.db.read() as connection:
            return self.use_cases.calendars.get(connection, request)

    @rpc
    def revoke_calendar_feed(self, request: RevokeCalendarFeed) -> CalendarFeed:
        return self.command(self.use_cases.calendars.revoke, request)

    @rpc
    def read_calendar_feed(self, request: ReadCalendarFeed) -> CalendarEntries:
        with self.db.read() as connection:
            return self.use_cases.calendars.read(connection, request)

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
    def read_export(self, request: ReadExport) -> ExportChunk:
        with self.db.read() as connection:
            return self.use_cases.exports.read_export(connection, request)

    # --- liaisons, evidence ---

    @rpc
    def list_unit_questions(self, request: ListUnitQuestions) -> UnitQuestions:
        with self.db.read() as connection:
            return self.use_cases.inquiry.list_unit_questions(connection, request)

    @rpc
    def list_promises(self, request: ListPromises) -> Promises:
        with self.db.read() as connection:
            return self.use_cases.promises.list_promises(connection, request)

    @rpc
    def list_unanswered_units(self, request: ListUnansweredUnits) -> UnansweredUnits:
        with self.db.read() as connection:
            return self.use_cases.inquiry.list_unanswered_units(connection, request)

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
            grant = self.use_cases.evidence.authorize_media(connection, request)
        if request.actor is not None:
            self.readings.note(request.actor, "authorize_media", request.case_id)
        return grant

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
