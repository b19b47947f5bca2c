"""The composition root: each use case is given what it needs, one object for the process of each shared thing."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.base import now
from services.tracking.case.access import Access
from services.tracking.case.checkpoints import Checkpoints
from services.tracking.case.context import Clock, Contexts
from services.tracking.case.event_handlers import EventHandlers
from services.tracking.case.facts import FactsLoaders
from services.tracking.case.record import EffectWriters, Recorder
from services.tracking.case.scheduler import Scheduler
from services.tracking.case.use_cases import CaseUseCases
from services.tracking.citizens.use_cases import CitizenUseCases
from services.tracking.decisions import store as decisions_store
from services.tracking.decisions.use_cases import RecommendationUseCases
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
from services.tracking.merging import store as merging_store
from services.tracking.reference.catalogue import CatalogueCopy
from services.tracking.retention import store as retention_store
from services.tracking.retention.use_cases import RetentionUseCases
from services.tracking.screening import store as screening_store
from services.tracking.screening.use_cases import ScreeningUseCases
from services.tracking.search.use_cases import SearchUseCases
from services.tracking.settings import Settings
from services.tracking.visits import store as visits_store
from services.tracking.visits.reminders import VisitReminders
from services.tracking.visits.use_cases import VisitUseCases


@dataclass(frozen=True)
class TrackingUseCases:
    """The use cases by capability."""

    events: EventHandlers
    cases: CaseUseCases
    citizens: CitizenUseCases
    screening: ScreeningUseCases
    inquiry: InquiryUseCases
    recommendations: RecommendationUseCases
    evidence: EvidenceUseCases
    visits: VisitUseCases
    visit_reminders: VisitReminders
    letters: LetterUseCases
    searches: SearchUseCases
    exports: ExportUseCases
    export_worker: ExportWorker
    identities: IdentityUseCases
    retention: RetentionUseCases
    scheduler: Scheduler
    checkpoints: Checkpoints


EFFECT_WRITERS: EffectWriters = {
    **decisions_store.EFFECT_WRITERS,
    **evidence_store.EFFECT_WRITERS,
    **inquiry_store.EFFECT_WRITERS,
    **visits_store.EFFECT_WRITERS,
}
"""Of the effects of all capabilities."""

FACTS_LOADERS: FactsLoaders = {
    **decisions_store.FACTS_LOADERS,
    **evidence_store.FACTS_LOADERS,
    **inquiry_store.FACTS_LOADERS,
    **screening_store.FACTS_LOADERS,
}
"""Of all commands that need facts; those of visits are made with the settings."""


def compose(settings: Settings, clock: Clock = now) -> TrackingUseCases:
    """All of them, for one process."""
    catalogue = CatalogueCopy(settings.deadlines, settings.weekend)
    loaders = {**FACTS_LOADERS, **visits_store.facts_loaders(settings.visit_lead)}
    contexts = Contexts(catalogue, clock, loaders)
    access = Access(catalogue)
    recorder = Recorder(
        EFFECT_WRITERS,
        on_entry=(merging_store.ENTRY_REACTIONS, letters_store.ENTRY_REACTIONS),
        on_change=(retention_store.texts_were_added,),
        amendments=(visits_store.end_visit_with_case,),
    )
    evidence = EvidenceUseCases(access, contexts, recorder)
    searches = SearchUseCases(access, catalogue, clock, settings.searches_most)
    rights = ExportRights(access)
    return TrackingUseCases(
        events=EventHandlers(catalogue, contexts, recorder, evidence, clock),
        cases=CaseUseCases(access, contexts, recorder),
        citizens=CitizenUseCases(contexts, recorder, evidence),
        screening=ScreeningUseCases(access, contexts, recorder, clock),
        inquiry=InquiryUseCases(access, contexts, recorder),
        recommendations=RecommendationUseCases(access, catalogue, contexts, recorder),
        evidence=evidence,
        visits=VisitUseCases(access, catalogue, clock, (settings.visit_opens, settings.visit_closes)),
        visit_reminders=VisitReminders(recorder, clock),
        letters=LetterUseCases(access),
        searches=searches,
        exports=ExportUseCases(rights, searches, clock, settings.exports_open),
        export_worker=ExportWorker(rights, catalogue, settings),
        identities=IdentityUseCases(access, clock, settings.identity_consent, settings.identity_minutes_most),
        retention=RetentionUseCases(catalogue, recorder, clock),
        scheduler=Scheduler(catalogue, contexts, recorder, settings.mayor_unit),
        checkpoints=Checkpoints(),
    )
