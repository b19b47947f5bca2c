"""The composition root: each use case is given what it needs, one object for the process of each shared thing."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.base import now
from services.tracking.bulk.use_cases import BulkUseCases
from services.tracking.bulk.worker import BulkWorker
from services.tracking.calendars.use_cases import CalendarUseCases
from services.tracking.call_backs.use_cases import CallBackUseCases
from services.tracking.case.access import Access
from services.tracking.case.checkpoints import Checkpoints
from services.tracking.case.commands_at_once import CommandsAtOnce
from services.tracking.case.context import Clock, Contexts
from services.tracking.case.event_handlers import EventHandlers
from services.tracking.case.facts import FactsLoaders
from services.tracking.case.looks import Looks
from services.tracking.case.record import EffectWriters, Recorder
from services.tracking.case.scheduler import Scheduler
from services.tracking.case.shown_commands import ShownCommands
from services.tracking.case.use_cases import CaseUseCases
from services.tracking.citizens.replies import SmsReplies
from services.tracking.citizens.use_cases import CitizenUseCases
from services.tracking.colleagues import store as colleagues_store
from services.tracking.colleagues.use_cases import ColleagueUseCases
from services.tracking.decisions import store as decisions_store
from services.tracking.decisions.use_cases import RecommendationUseCases
from services.tracking.desk.use_cases import DeskUseCases
from services.tracking.evidence import store as evidence_store
from services.tracking.evidence.use_cases import EvidenceUseCases
from services.tracking.exports.rights import ExportRights
from services.tracking.exports.use_cases import ExportUseCases
from services.tracking.exports.worker import ExportWorker
from services.tracking.identities.use_cases import IdentityUseCases
from services.tracking.inquiry import store as inquiry_store
from services.tracking.inquiry.use_cases import InquiryUseCases
from services.tracking.letters import store as letters_store
from services.tracking.letters.use_cases import LetterUseCases
from services.tracking.macros.running import MacroRunner
from services.tracking.macros.use_cases import MacroUseCases
from services.tracking.merging import store as merging_store
from services.tracking.messages import store as messages_store
from services.tracking.promises.use_cases import PromiseUseCases
from services.tracking.reference.catalogue import CatalogueCopy
from services.tracking.referrals.use_cases import ReferralUseCases
from services.tracking.reopening import store as reopening_store
from services.tracking.responsibility import store as responsibility_store
from services.tracking.responsibility.use_cases import Responsibility
from services.tracking.responsibility.visits import FOLLOW_HANDLER
from services.tracking.retention import store as retention_store
from services.tracking.retention.use_cases import RetentionUseCases
from services.tracking.rule_previews.use_cases import RulePreviews
from services.tracking.screening import store as screening_store
from services.tracking.screening.use_cases import ScreeningUseCases
from services.tracking.search.use_cases import SearchUseCases
from services.tracking.settings import Settings
from services.tracking.visits import store as visits_store
from services.tracking.visits import views as visits_views
from services.tracking.visits.reminders import VisitReminders
from services.tracking.visits.use_cases import VisitUseCases


@dataclass(frozen=True)
class TrackingUseCases:
    """The use cases by capability."""

    events: EventHandlers
    cases: CaseUseCases
    commands_at_once: CommandsAtOnce
    citizens: CitizenUseCases
    replies: SmsReplies
    screening: ScreeningUseCases
    inquiry: InquiryUseCases
    recommendations: RecommendationUseCases
    evidence: EvidenceUseCases
    visits: VisitUseCases
    visit_reminders: VisitReminders
    letters: LetterUseCases
    calendars: CalendarUseCases
    searches: SearchUseCases
    exports: ExportUseCases
    export_worker: ExportWorker
    identities: IdentityUseCases
    referrals: ReferralUseCases
    colleagues: ColleagueUseCases
    looks: Looks
    desk: DeskUseCases
    retention: RetentionUseCases
    call_backs: CallBackUseCases
    scheduler: Scheduler
    responsibility: Responsibility
    checkpoints: Checkpoints
    rule_previews: RulePreviews
    macros: MacroUseCases
    bulk: BulkUseCases
    bulk_worker: BulkWorker
    promises: PromiseUseCases


EFFECT_WRITERS: EffectWriters = {
    **decisions_store.EFFECT_WRITERS,
    **evidence_store.EFFECT_WRITERS,
    **inquiry_store.EFFECT_WRITERS,
    **messages_store.EFFECT_WRITERS,
    **screening_store.EFFECT_WRITERS,
    **responsibility_store.EFFECT_WRITERS,
    **visits_store.EFFECT_WRITERS,
}
"""Of the effects of all capabilities."""

FACTS_LOADERS: FactsLoaders = {
    **colleagues_store.FACTS_LOADERS,
    **decisions_store.FACTS_LOADERS,
    **evidence_store.FACTS_LOADERS,
    **inquiry_store.FACTS_LOADERS,
    **reopening_store.FACTS_LOADERS,
    **screening_store.FACTS_LOADERS,
}
"""Of all commands that need facts; those of visits and of what citizens write are made with the settings."""


VIEWED_FACTS = (decisions_store.viewed_facts, reopening_store.viewed_facts, visits_views.viewed_facts)
"""Facts by which the view of a case says what can be done with it."""


def compose(settings: Settings, clock: Clock = now) -> TrackingUseCases:
    """All of them, for one process."""
    catalogue = CatalogueCopy(settings.deadlines, settings.weekend, (settings.inspection_unit, settings.mayor_unit))
    loaders = {
        **FACTS_LOADERS,
        **visits_store.facts_loaders(settings.visit_lead),
        **messages_store.facts_loaders(settings.citizen_limits),
    }
    contexts = Contexts(catalogue, clock, loaders)
    access = Access(catalogue)
    recorder = Recorder(
        EFFECT_WRITERS,
        on_entry=(merging_store.ENTRY_REACTIONS, letters_store.ENTRY_REACTIONS),
        cleared=(retention_store.texts_were_added, inquiry_store.reopened, reopening_store.end_is_taken_back),
        amendments=(visits_store.END_WITH_CASE, FOLLOW_HANDLER, colleagues_store.END_WITH_CASE),
    )
    shown_commands, looks = ShownCommands(contexts, VIEWED_FACTS), Looks()
    identities = IdentityUseCases(access, clock, settings.identity_consent, settings.identity_minutes_most)
    evidence = EvidenceUseCases(access, contexts, recorder)
    searches = SearchUseCases(access, catalogue, clock, settings.searches_most)
    rights = ExportRights(access)
    cases = CaseUseCases(access, contexts, recorder, shown_commands)
    at_once = CommandsAtOnce(catalogue, contexts, recorder, shown_commands)
    macro_runner = MacroRunner(cases, access, contexts)
    macros = MacroUseCases(access, macro_runner, clock, settings.macros_most)
    return TrackingUseCases(
        events=EventHandlers(catalogue, contexts, recorder, clock),
        cases=cases,
        commands_at_once=at_once,
        citizens=CitizenUseCases(contexts, recorder, evidence, settings.citizen_limits),
        replies=SmsReplies(catalogue, contexts, recorder),
        screening=ScreeningUseCases(access, contexts, recorder, clock),
        inquiry=InquiryUseCases(access, catalogue, contexts, recorder),
        recommendations=RecommendationUseCases(access, catalogue, contexts, recorder),
        evidence=evidence,
        visits=VisitUseCases(access, catalogue, clock, (settings.visit_opens, settings.visit_closes)),
        visit_reminders=VisitReminders(recorder, clock),
        letters=LetterUseCases(access),
        calendars=CalendarUseCases(access, clock),
        searches=searches,
        exports=ExportUseCases(rights, searches, clock, settings.exports_open),
        export_worker=ExportWorker(rights, catalogue, settings),
        identities=identities,
        referrals=ReferralUseCases(access, catalogue, contexts, recorder, identities),
        colleagues=ColleagueUseCases(access),
        looks=looks,
        desk=DeskUseCases(access, catalogue, recorder, clock, settings.desk_correction_days),
        retention=RetentionUseCases(catalogue, recorder, clock),
        call_backs=CallBackUseCases(access, recorder, clock, settings.call_back_size, settings.call_back_share),
        scheduler=Scheduler(catalogue, contexts, recorder, settings.mayor_unit),
        responsibility=Responsibility(catalogue, contexts, recorder),
        checkpoints=Checkpoints(),
        rule_previews=RulePreviews(access, catalogue, clock),
        macros=macros,
        bulk=BulkUseCases(access, searches, macros, catalogue, clock, settings),
        bulk_worker=BulkWorker(cases, at_once, macro_runner, settings),
        promises=PromiseUseCases(catalogue, clock),
    )
