"""Commands that help an inspector along: reminders, a checklist, colleagues, links."""

from __future__ import annotations

from contracts.tracking import (
    AddCheck,
    AddCoHandler,
    AnswerConsultation,
    ConsultColleague,
    EndConsultation,
    LinkCase,
    Remind,
    RemoveCoHandler,
    TickCheck,
)
from gateway.api.case_commands import StaffCommandEndpoint
from gateway.api.inquiry.bodies import (
    AdviceBody,
    CheckBody,
    CoHandlerBody,
    ConsultationBody,
    LinkBody,
    ReminderBody,
    TickBody,
)

STAFF_COMMANDS = (
    StaffCommandEndpoint(
        path="reminders",
        operation_id="setReminder",
        summary="Be reminded on a day to come",
        description="A message in my inbox on that day.",
        command=Remind,
        body=ReminderBody,
    ),
    StaffCommandEndpoint(
        path="checklist",
        operation_id="addCheck",
        summary="Add to the checklist",
        description="At its end.",
        command=AddCheck,
        body=CheckBody,
    ),
    StaffCommandEndpoint(
        path="checklist/{item_id}",
        operation_id="tickCheck",
        summary="Tick an item of the checklist",
        description="Done, or not done after all.",
        command=TickCheck,
        body=TickBody,
    ),
    StaffCommandEndpoint(
        path="co-handlers",
        operation_id="addCoHandler",
        summary="Add a second inspector",
        description="By the case's inspector or a head. They see the case and may do what its inspector may, but for deciding "
        "who handles it; until they are removed, or the case ends.",
        command=AddCoHandler,
        body=CoHandlerBody,
    ),
    StaffCommandEndpoint(
        path="co-handlers/{inspector}/removal",
        operation_id="removeCoHandler",
        summary="Remove the second inspector",
        description="By the case's inspector or a head.",
        command=RemoveCoHandler,
    ),
    StaffCommandEndpoint(
        path="consultations",
        operation_id="consultColleague",
        summary="Ask another inspector for advice",
        description="The case stays with its inspector. Whoever is asked sees it until they have answered, and does nothing else "
        "with it.",
        command=ConsultColleague,
        body=ConsultationBody,
    ),
    StaffCommandEndpoint(
        path="consultations/{consultation_id}/answer",
        operation_id="answerConsultation",
        summary="Give advice on a case",
        description="By whoever was asked. It answers the case a last time: with the answer they see it no more.",
        command=AnswerConsultation,
        body=AdviceBody,
    ),
    StaffCommandEndpoint(
        path="consultations/{consultation_id}/end",
        operation_id="endConsultation",
        summary="Do without the advice",
        description="No answer is needed any more.",
        command=EndConsultation,
    ),
    StaffCommandEndpoint(
        path="links",
        operation_id="linkCase",
        summary="Link with another case",
        description="Each stays its own. Of the other only number and stage are shown, to who may know of it.",
        command=LinkCase,
        body=LinkBody,
    ),
)
