"""Commands of screening, inquiry and decision."""

from __future__ import annotations

from contracts.tracking import (
    AddEvidence,
    AddNote,
    AskCitizen,
    AskUnit,
    Assign,
    Close,
    Correct,
    Decide,
    Merge,
    Refuse,
    Reopen,
    ReturnToScreening,
    StartScreening,
)
from gateway.api.case_commands import StaffCommandEndpoint
from gateway.api.cases.bodies import (
    AddedEvidenceBody,
    AssignmentBody,
    CorrectionBody,
    MergeBody,
    NoteBody,
    QuestionBody,
    RefusalBody,
    UnitQuestionBody,
    WayBackBody,
)
from gateway.api.decisions.bodies import DecisionBody
from gateway.api.decisions.commands import offered_root_causes
from gateway.submissions.catalogue_cache import CatalogueCache


def offered_refusal(command: Refuse, catalogue: CatalogueCache) -> Refuse:
    """The refusal, with the address that is listed with its reason when the screener gives none."""
    catalogue.check_offered("reason", catalogue.refusal_reasons, [command.reason])
    listed = catalogue.refusal_reasons.get(command.reason)
    if command.address is None and listed is not None and listed.address_fa:
        return command.model_copy(update={"address": listed.address_fa})
    return command


STAFF_COMMANDS = (
    StaffCommandEndpoint(
        path="screening",
        operation_id="startScreening",
        summary="Begin the first reading",
        description="By a screener.",
        command=StartScreening,
    ),
    StaffCommandEndpoint(
        path="corrections",
        operation_id="correctCase",
        summary="Set kind, unit, ground or urgency right",
        description="Only what is given changes, until a decision is made. Not to a unit that the handler belongs to.",
        command=Correct,
        body=CorrectionBody,
    ),
    StaffCommandEndpoint(
        path="refusal",
        operation_id="refuseCase",
        summary="Refuse, with a listed reason",
        description="The citizen is told the reason and where to turn to: the address that is listed with the reason, when none "
        "is given. A reason that the administrator has closed is refused.",
        command=Refuse,
        body=RefusalBody,
        prepare=offered_refusal,
    ),
    StaffCommandEndpoint(
        path="merge",
        operation_id="mergeCase",
        summary="Merge into the case it duplicates",
        description="The other case must be open.",
        command=Merge,
        body=MergeBody,
    ),
    StaffCommandEndpoint(
        path="assignment",
        operation_id="assignCase",
        summary="Assign to an inspector",
        description="Accepts a screened case, hands over one, or gives an objection to another inspector.",
        command=Assign,
        body=AssignmentBody,
    ),
    StaffCommandEndpoint(
        path="return-to-screening",
        operation_id="returnToScreening",
        summary="Screen the case again",
        description="When kind, unit or ground turns out to be wrong. Nobody handles it then, and no answer is "
        "waited for. From the review of an objection by the head alone; the decision is then void.",
        command=ReturnToScreening,
        body=WayBackBody,
    ),
    StaffCommandEndpoint(
        path="reopening",
        operation_id="reopenCase",
        summary="Take back a mistake of the office",
        description="By the head: a refusal, a decision, a closing or a merge. The case is screened again and owed anew "
        "from today; its letter is void. 409 when its texts were erased already.",
        command=Reopen,
        body=WayBackBody,
    ),
    StaffCommandEndpoint(
        path="citizen-questions",
        operation_id="askCitizen",
        summary="Ask the citizen",
        description="The clock stops until the answer.",
        command=AskCitizen,
        body=QuestionBody,
    ),
    StaffCommandEndpoint(
        path="unit-questions",
        operation_id="askUnit",
        summary="Ask a unit",
        description="Its liaison sees the question and what is sent along, never the case.",
        command=AskUnit,
        body=UnitQuestionBody,
    ),
    StaffCommandEndpoint(
        path="notes",
        operation_id="addNote",
        summary="Write an internal note",
        description="Never seen by the citizen or a unit.",
        command=AddNote,
        body=NoteBody,
    ),
    StaffCommandEndpoint(
        path="evidence",
        operation_id="addEvidence",
        summary="Add attachments",
        description="Uploads of the tus endpoint, by their ids. A redacted version names its original (`redacts`); what the unit "
        "sees is chosen with its question.",
        command=AddEvidence,
        body=AddedEvidenceBody,
    ),
    StaffCommandEndpoint(
        path="decision",
        operation_id="decideCase",
        summary="Decide",
        description="The citizen is told the outcome and its reasons. A root cause that the administrator has closed is "
        "refused.",
        command=Decide,
        body=DecisionBody,
        prepare=offered_root_causes,
    ),
    StaffCommandEndpoint(
        path="closing",
        operation_id="closeCase",
        summary="Close",
        description="After the decision or refusal.",
        command=Close,
    ),
)
