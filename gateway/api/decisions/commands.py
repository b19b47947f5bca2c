"""Commands of the decision that needs four eyes, and of what it recommends."""

from __future__ import annotations

from contracts.tracking import Approve, Decide, Propose, ReturnProposal, SettleEarly, SettleRecommendation
from gateway.api.case_commands import StaffCommandEndpoint
from gateway.api.decisions.bodies import DecisionBody, EarlySettlementBody, ReturnedBody, SettlementBody
from gateway.submissions.catalogue_cache import CatalogueCache


def offered_root_causes(command: Decide | Propose, catalogue: CatalogueCache) -> Decide | Propose:
    """The same command, when each of its root causes is offered."""
    catalogue.check_offered("root_causes", catalogue.root_causes, command.root_causes)
    return command


STAFF_COMMANDS = (
    StaffCommandEndpoint(
        path="proposal",
        operation_id="proposeDecision",
        summary="Propose the decision",
        description="By the inspector, for the head to approve. The citizen goes on seeing that it is being investigated.",
        command=Propose,
        body=DecisionBody,
        prepare=offered_root_causes,
    ),
    StaffCommandEndpoint(
        path="approval",
        operation_id="approveDecision",
        summary="Approve the proposed decision",
        description="By a head who did not propose it. The citizen is told the outcome and its reasons.",
        command=Approve,
    ),
    StaffCommandEndpoint(
        path="return",
        operation_id="returnDecision",
        summary="Return the proposed decision",
        description="To the inspector, with what is still wanted.",
        command=ReturnProposal,
        body=ReturnedBody,
    ),
    StaffCommandEndpoint(
        path="early-settlement",
        operation_id="settleEarly",
        summary="Settle at first reading, with the citizen's word",
        description="Of a complaint or criticism whose citizen is known. The citizen is told, and may object; where the kind "
        "needs four eyes, it is a proposal for the head.",
        command=SettleEarly,
        body=EarlySettlementBody,
    ),
    StaffCommandEndpoint(
        path="recommendations/{recommendation_id}/settlement",
        operation_id="settleRecommendation",
        summary="Agree with the unit's report, or send it back",
        description="By the inspector of the case or the head.",
        command=SettleRecommendation,
        body=SettlementBody,
    ),
)
