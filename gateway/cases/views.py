"""Answers as a person reads them: with names, Jalali dates and stages in the caller's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from backbone.persian.date_text import day_text, moment_text
from contracts import intake
from contracts.base import Answer, ListCode
from contracts.desk import FiledForMe, FiledForMeItem
from contracts.intake import AnswerTemplate, Article, Ground, ListedCause, ListedReason, OutsideBody, Unit
from contracts.letters import Letter
from contracts.notify import Message, MessagePage
from contracts.tracking import (
    Decision,
    FiledText,
    MergedOutcome,
    MergedRefusal,
    OwnCase,
    OwnCases,
    PublicCase,
    PublicEntry,
    SentAttachment,
    SimilarOwnCases,
)
from contracts.visits import OfferedSlot, OfferedSlots, Visit
from contracts.vocabulary import Language, RefusalReason, Role
from gateway.cases.command_forms import Command
from gateway.evidence.refusals import reason_text
from gateway.submissions.catalogue_cache import CatalogueCache
from texts.loading import area
from texts.office import office
from texts.vocabulary import KIND_NAMES, OUTCOME_NAMES, REFUSAL_NAMES, STAGE_NAMES, VISIT_STATE_NAMES

TEXTS = area("status")
_NEXT_STEPS = ("note_code", "follow_up", "send_evidence")


class EntryView(PublicEntry):
    at_text: str
    stage_text: str
    outcome_text: str | None = None
    corrected_text: str | None = None
    withdrawn_text: str | None = None
    can_correct_until_text: str | None = None


class MergedOutcomeView(MergedOutcome):
    outcome_text: str
    decided_text: str


class MergedRefusalView(MergedRefusal):
    refusal_text: str
    refused_text: str


class DecisionView(Decision):
    outcome_text: str
    decided_text: str
    objection_until_text: str | None = None


class AttachmentView(SentAttachment):
    """An attachment as the citizen who sent it sees it: `file_name` as their device called it, `reason_text` why it was
    refused, `uploaded_at_text` when it became part of the case, Jalali in Persian."""

    reason_text: str | None = None
    sent_text: str | None = None
    withdrawn_text: str | None = None
    can_withdraw_until_text: str | None = None
    uploaded_at_text: str | None = None


class FiledView(FiledText):
    happened_text: str | None = None
    corrected_text: str | None = None
    can_correct_until_text: str | None = None


class VisitView(Visit):
    """`…_text`: in the caller's language, the time Jalali in Persian; `place` the room's name in it."""

    state_text: str
    starts_text: str | None = None
    place: str | None = None


class OfferedSlotView(OfferedSlot):
    starts_text: str
    place: str


class OfferedSlotsView(Answer):
    items: list[OfferedSlotView]


class CaseView(PublicCase):
    """A case as its citizen sees it. `…_text`: in the caller's language, dates Jalali in Persian. `unit_name`,
    `ground_name`: the names in that language."""

    kind_text: str
    stage_text: str
    unit_name: str | None
    ground_name: str | None
    filed_text: str
    expected_text: str | None
    refusal_text: str | None = None
    filed: FiledView | None = None
    decision: DecisionView | None = None
    joined: MergedOutcomeView | None = None
    joined_refusal: MergedRefusalView | None = None
    attachments: list[AttachmentView] = []  # type: ignore[assignment]  # as the entries
    visits: list[VisitView] = []  # type: ignore[assignment]  # as the entries
    timeline: list[EntryView]  # type: ignore[assignment]  # each entry is the contract's, with more
    commands: list[Command] = []  # type: ignore[assignment]  # the same, complete


class Registering(Answer):
    """The code is good and its case is not there yet: a moment after filing."""

    stage: Literal["registering"] = "registering"
    stage_text: str


class Catalogue(Answer):
    """Everything a form needs. `version` grows with each change and is the ETag; `weekend`: days of the week, Monday 0."""

    version: int
    units: list[Unit]
    grounds: list[Ground]
    holidays: list[date]
    weekend: list[int]


class Configuration(intake.Catalogue):
    """All that the administrator sets. `version` grows with each change and is the ETag."""


class StaffLists(Answer):
    """What staff choose from; `root_causes`, `refusal_reasons` and `outside_bodies` that are closed are not among them."""

    refusal_reasons: list[ListedReason]
    root_causes: list[ListedCause]
    answer_templates: list[AnswerTemplate]
    outside_bodies: list[OutsideBody] = []


class ArticlePage(Answer):
    """Articles of the library, in its order. `next`: the cursor of the page after this one."""

    items: list[Article]
    next: ListCode | None = None


class FiledForMeItemView(FiledForMeItem):
    kind_text: str
    unit_name: str | None
    filed_text: str


class FiledForMeView(Answer):
    items: list[FiledForMeItemView]


class OwnCaseView(OwnCase):
    kind_text: str
    stage_text: str
    unit_name: str | None
    ground_name: str | None = None
    filed_text: str
    expected_text: str | None
    asked_text: str | None = None
    last_activity_text: str | None = None


class SimilarOwnCaseView(OwnCaseView):
    same_unit: bool
    same_ground: bool
    likeness: float


class SimilarOwnCasesView(Answer):
    """The most similar first, five at most. `text`: what to do instead of filing again; None when there is none."""

    items: list[SimilarOwnCaseView]
    text: str | None


class OwnContact(Answer):
    """`mobile_end`, `national_id_end`: the last four digits."""

    name: str | None
    mobile_end: str | None
    national_id_end: str | None


class OwnCasesView(Answer):
    """A page. `next`: the cursor of the page after this one."""

    items: list[OwnCaseView]
    next: str | None = None


class MessageView(Message):
    at_text: str


class MessagePageView(Answer):
    """A page of the inbox. `at_text`: in the reader's language, Jalali in Persian."""

    items: list[MessageView]
    next: str | None = None


class CodeOnItsWay(Answer):
    """`mobile`: its last four digits."""

    mobile: str


class DeletedAccountView(Answer):
    """`gone`: what is no more; `kept`: what the law keeps, and for how long, a sentence each."""

    gone: str
    kept: list[str]


class Me(Answer):
    """Who is signed in. `mobile`: of a citizen, its last four digits."""

    id: UUID
    kind: Literal["citizen", "staff"]
    name: str | None
    roles: list[Role]
    unit: str | None
    mobile: str | None


def case_view(
    case: PublicCase,
    lang: Language,
    catalogue_cache: CatalogueCache,
    file_names: Mapping[str, str] | None = None,
    commands: Sequence[Mapping[str, Any]] = (),
) -> CaseView:
    """`case` for a person who reads `lang`. `file_names`: by media id, what their device called the files they sent; `commands`:
    its commands, as `CommandForms` completes them."""
    given = {
        name: getattr(case, name)
        for name in PublicCase.model_fields
        if name
        not in ("timeline", "filed", "decision", "joined", "joined_refusal", "visits", "attachments", "commands")
    }
    return CaseView.model_construct(
        **given,
        kind_text=KIND_NAMES[case.kind][lang],
        stage_text=STAGE_NAMES[case.stage][lang],
        unit_name=case.unit_name_fa if lang is Language.FA else case.unit_name_en,
        ground_name=ground_name(case.ground, lang, catalogue_cache),
        filed_text=moment_text(case.filed_at, lang),
        expected_text=_optional_day_text(case.expected_on, lang),
        refusal_text=refusal_text(case, lang, catalogue_cache.refusal_reasons),
        filed=_filed(case.filed, lang),
        decision=_decision(case.decision, lang),
        joined=_merged_outcome(case.joined, lang),
        joined_refusal=_merged_refusal(case.joined_refusal, lang, catalogue_cache.refusal_reasons),
        attachments=[_attachment(attachment, lang, file_names or {}) for attachment in case.attachments],
        visits=[visit_view(visit, lang) for visit in case.visits],
        commands=[Command.model_validate(command) for command in commands],
        timeline=[
            EntryView.model_construct(
                **dict(entry),
                at_text=moment_text(entry.at, lang),
                stage_text=STAGE_NAMES[entry.stage][lang],
                outcome_text=OUTCOME_NAMES[entry.outcome][lang] if entry.outcome else None,
                corrected_text=_optional_moment_text(entry.corrected_at, lang),
                withdrawn_text=_optional_moment_text(entry.withdrawn_at, lang),
                can_correct_until_text=_optional_moment_text(entry.can_correct_until, lang),
            )
            for entry in case.timeline
        ],
    )


def own_cases_view(cases: OwnCases, lang: Language, catalogue_cache: CatalogueCache) -> OwnCasesView:
    items = [OwnCaseView(**_own_case_fields(case, lang, catalogue_cache)) for case in cases.items]
    return OwnCasesView(items=items, next=cases.next)


def similar_own_cases_view(
    cases: SimilarOwnCases, lang: Language, catalogue_cache: CatalogueCache
) -> SimilarOwnCasesView:
    items = [SimilarOwnCaseView(**_own_case_fields(case, lang, catalogue_cache)) for case in cases.items]
    return SimilarOwnCasesView(items=items, text=TEXTS.text(lang, "similar_own") if items else None)


def _own_case_fields(case: OwnCase, lang: Language, catalogue_cache: CatalogueCache) -> dict[str, Any]:
    return {
        **dict(case),
        "kind_text": KIND_NAMES[case.kind][lang],
        "stage_text": STAGE_NAMES[case.stage][lang],
        "unit_name": case.unit_name_fa if lang is Language.FA else case.unit_name_en,
        "filed_text": moment_text(case.filed_at, lang),
        "ground_name": ground_name(case.ground, lang, catalogue_cache),
        "expected_text": _optional_day_text(case.expected_on, lang),
        "asked_text": _optional_moment_text(case.question.asked_at if case.question else None, lang),
        "last_activity_text": _optional_moment_text(case.last_activity_at, lang),
    }


def deleted_account_view(lang: Language) -> DeletedAccountView:
    kept = [TEXTS.text(lang, f"account_deleted.{part}") for part in ("cases", "identity", "audit")]
    return DeletedAccountView(gone=TEXTS.text(lang, "account_deleted.gone"), kept=kept)


def message_page_view(page: MessagePage, lang: Language) -> MessagePageView:
    items = [MessageView(**dict(message), at_text=moment_text(message.at, lang)) for message in page.items]
    return MessagePageView(items=items, next=page.next)


def new_code_step(by_sms: bool, lang: Language) -> str:
    """What an operator does about a code that replaced another."""
    return TEXTS.text(lang, "new_code_by_sms" if by_sms else "new_code_on_paper")


def filed_for_me_view(filed: FiledForMe, lang: Language) -> FiledForMeView:
    return FiledForMeView(
        items=[
            FiledForMeItemView(
                **dict(item),
                kind_text=KIND_NAMES[item.kind][lang],
                unit_name=item.unit_name_fa if lang is Language.FA else item.unit_name_en,
                filed_text=moment_text(item.filed_at, lang),
            )
            for item in filed.items
        ]
    )


def visit_view(visit: Visit, lang: Language) -> VisitView:
    return VisitView.model_construct(
        **dict(visit),
        state_text=VISIT_STATE_NAMES[visit.state][lang],
        starts_text=moment_text(visit.starts_at, lang) if visit.starts_at else None,
        place=visit.place_fa if lang is Language.FA else visit.place_en,
    )


def offered_slots_view(slots: OfferedSlots, lang: Language) -> OfferedSlotsView:
    return OfferedSlotsView(
        items=[
            OfferedSlotView(
                **dict(slot),
                starts_text=moment_text(slot.starts_at, lang),
                place=slot.place_fa if lang is Language.FA else slot.place_en,
            )
            for slot in slots.items
        ]
    )


def next_steps(by_sms: bool, lang: Language) -> list[str]:
    """What a citizen does after filing. `by_sms`: the code goes to their mobile, too."""
    steps = [*_NEXT_STEPS, *(["code_by_sms"] if by_sms else [])]
    return [TEXTS.text(lang, f"next_step.{step}") for step in steps]


def elsewhere_text(lang: Language) -> str:
    """Where whoever files about the inspection itself can turn to while nobody else may handle it; the office's own words, if it
    has any."""
    return office().elsewhere[lang] or TEXTS.text(lang, "next_step.elsewhere")


def registering(lang: Language) -> Registering:
    """The state of a good code whose case is not there yet."""
    return Registering(stage_text=TEXTS.text(lang, "registering"))


def _optional_day_text(day: date | None, lang: Language) -> str | None:
    return None if day is None else day_text(day, lang)


def _optional_moment_text(moment: datetime | None, lang: Language) -> str | None:
    return None if moment is None else moment_text(moment, lang)


def _attachment(attachment: SentAttachment, lang: Language, file_names: Mapping[str, str]) -> AttachmentView:
    fields = {**dict(attachment), "file_name": file_names.get(attachment.media_id, attachment.file_name)}
    return AttachmentView.model_construct(
        **fields,
        reason_text=reason_text(attachment.reason, lang),
        sent_text=_optional_moment_text(attachment.sent_at, lang),
        withdrawn_text=_optional_moment_text(attachment.withdrawn_at, lang),
        can_withdraw_until_text=_optional_moment_text(attachment.can_withdraw_until, lang),
        uploaded_at_text=_optional_moment_text(attachment.uploaded_at, lang),
    )


def _filed(filed: FiledText | None, lang: Language) -> FiledView | None:
    if filed is None:
        return None
    day = date.fromisoformat(filed.happened_on) if filed.happened_on else None
    return FiledView.model_construct(
        **dict(filed),
        happened_text=_optional_day_text(day, lang),
        corrected_text=_optional_moment_text(filed.corrected_at, lang),
        can_correct_until_text=_optional_moment_text(filed.can_correct_until, lang),
    )


def _decision(decision: Decision | None, lang: Language) -> DecisionView | None:
    if decision is None:
        return None
    return DecisionView.model_construct(
        **dict(decision),
        outcome_text=OUTCOME_NAMES[decision.outcome][lang],
        decided_text=moment_text(decision.decided_at, lang),
        objection_until_text=_optional_day_text(decision.objection_until, lang),
    )


def _merged_outcome(outcome: MergedOutcome | None, lang: Language) -> MergedOutcomeView | None:
    if outcome is None:
        return None
    return MergedOutcomeView.model_construct(
        **dict(outcome),
        outcome_text=OUTCOME_NAMES[outcome.outcome][lang],
        decided_text=moment_text(outcome.decided_at, lang),
    )


def _merged_refusal(
    refusal: MergedRefusal | None, lang: Language, reasons: Mapping[str, ListedReason]
) -> MergedRefusalView | None:
    if refusal is None:
        return None
    return MergedRefusalView.model_construct(
        **dict(refusal),
        refusal_text=refusal_text(refusal, lang, reasons) or refusal.refusal_reason,
        refused_text=moment_text(refusal.refused_at, lang),
    )


def refusal_text(
    case: PublicCase | MergedRefusal | Letter, lang: Language, reasons: Mapping[str, ListedReason]
) -> str | None:
    """What the reason was called that day; of a case refused before that was kept, what it is called now."""
    reason = case.refusal_reason
    if reason is None:
        return None
    named = case.refusal_name_fa if lang is Language.FA else case.refusal_name_en
    if named is not None:
        return named
    listed = reasons.get(reason)
    if listed is not None:
        return listed.name_fa if lang is Language.FA else listed.name_en
    return REFUSAL_NAMES[RefusalReason(reason)][lang] if reason in set(RefusalReason) else reason


def ground_name(code: str, lang: Language, catalogue_cache: CatalogueCache) -> str | None:
    """None for one that the cached catalogue does not have."""
    ground = catalogue_cache.grounds.get(code)
    if ground is None:
        return None
    return ground.name_fa if lang is Language.FA else ground.name_en
