"""What citizens do with their case."""

from __future__ import annotations

from contracts.tracking import AnswerQuestion, RaiseObjection, Rate, SendEvidence, Withdraw
from gateway.api.case_commands import CitizenCommandEndpoint
from gateway.api.cases.bodies import EvidenceBody
from gateway.api.own_cases.bodies import AnswerBody, ObjectionBody, RatingBody, WithdrawalBody

CITIZEN_COMMANDS = (
    CitizenCommandEndpoint(
        path="answers",
        operation_id="answerQuestion",
        summary="Answer the office's question",
        description="The clock runs again.",
        command=AnswerQuestion,
        body=AnswerBody,
    ),
    CitizenCommandEndpoint(
        path="attachments",
        operation_id="sendEvidence",
        summary="Send more evidence, or better",
        description="At any time while the case is open, as many as `evidence_left` says. The stage stays, and the handler is "
        "told.",
        command=SendEvidence,
        body=EvidenceBody,
    ),
    CitizenCommandEndpoint(
        path="withdrawal",
        operation_id="withdraw",
        summary="Withdraw the case",
        description="Ends an open case.",
        command=Withdraw,
        body=WithdrawalBody,
    ),
    CitizenCommandEndpoint(
        path="objection",
        operation_id="object",
        summary="Object to the decision",
        description="Once, within the days that the decision names.",
        command=RaiseObjection,
        body=ObjectionBody,
    ),
    CitizenCommandEndpoint(
        path="rating",
        operation_id="rate",
        summary="Rate how the case was handled",
        description="After the decision: 1 to 5, and four questions.",
        command=Rate,
        body=RatingBody,
    ),
)
