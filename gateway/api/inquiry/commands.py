"""Commands that help an inspector along: reminders, a checklist, links."""

from __future__ import annotations

from contracts.tracking import AddCheck, LinkCase, Remind, TickCheck
from gateway.api.case_commands import StaffCommandEndpoint
from gateway.api.inquiry.bodies import CheckBody, LinkBody, ReminderBody, TickBody

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
        path="links",
        operation_id="linkCase",
        summary="Link with another case",
        description="Each stays its own. Of the other only number and stage are shown, to who may know of it.",
        command=LinkCase,
        body=LinkBody,
    ),
)
