"""What citizens do with their case."""

from __future__ import annotations

from contracts.tracking import (
    AnswerQuestion,
    CorrectFiled,
    CorrectMessage,
    RaiseObjection,
    Rate,
    SendEvidence,
    SendMessage,
    Withdraw,
    WithdrawEvidence,
    WithdrawMessage,
)
from gateway.api.case_commands import CitizenCommandEndpoint
from gateway.api.cases.bodies import EvidenceBody
from gateway.api.own_cases.bodies import (
    AnswerBody,
    EvidenceWithdrawalBody,
    FiledCorrectionBody,
    MessageBody,
    MessageCorrectionBody,
    MessageWithdrawalBody,
    ObjectionBody,
    RatingBody,
    WithdrawalBody,
)

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
        path="attachments/withdrawal",
        operation_id="withdrawEvidence",
        summary="Take a file back",
        description="Until its `can_withdraw_until`; then 409 `too_late`. It can be opened by the code no more. The office "
        "goes on seeing it, marked, where somebody may have seen it already; else it sees that a file was taken back.",
        command=WithdrawEvidence,
        body=EvidenceWithdrawalBody,
    ),
    CitizenCommandEndpoint(
        path="messages",
        operation_id="sendMessage",
        summary="Write to the office",
        description="At any time while the case is open, without having been asked, as often as `messages_left` says; then 409 "
        "`messages_full`. The stage stays, and the handler is told. It answers no question: that is what `answers` is for.",
        command=SendMessage,
        body=MessageBody,
    ),
    CitizenCommandEndpoint(
        path="messages/correction",
        operation_id="correctMessage",
        summary="Correct a message",
        description="Until its `can_correct_until`, while the case is open; then 409 `too_late`. The office reads both texts.",
        command=CorrectMessage,
        body=MessageCorrectionBody,
    ),
    CitizenCommandEndpoint(
        path="messages/withdrawal",
        operation_id="withdrawMessage",
        summary="Take a message back",
        description="As long as it may be corrected. The office goes on reading it, marked, where somebody may have read "
        "it already; else it sees that a message was taken back.",
        command=WithdrawMessage,
        body=MessageWithdrawalBody,
    ),
    CitizenCommandEndpoint(
        path="filed/correction",
        operation_id="correctFiled",
        summary="Correct what was filed",
        description="Its text, its place: until `filed.can_correct_until`, and no longer than until the first reading "
        "begins; then 409 `too_late`. The office reads what it said before as well, and the receipt goes on vouching for that.",
        command=CorrectFiled,
        body=FiledCorrectionBody,
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
