"""Entrypoints of what leaves the office about a case: opened identities, and referrals; a part of tracking's service."""

from __future__ import annotations

from backbone.messaging.rpc import rpc
from backbone.process.audited_service import AuditedService
from contracts.identities import (
    AskForIdentity,
    DecideIdentityRequest,
    IdentityRequest,
    IdentityRequests,
    ListIdentityRequests,
)
from contracts.referrals import (
    ListReferrals,
    PrepareReferral,
    RecordReferral,
    RecordReferralAnswer,
    Referral,
    ReferralDraft,
    Referrals,
)
from contracts.tracking import AuthorizeIdentity, IdentityGrant
from services.tracking.composition import TrackingUseCases


class DisclosureEntrypoints(AuditedService):
    """What is asked of tracking before something leaves the office. `use_cases`: the service's."""

    use_cases: TrackingUseCases

    # --- identities ---

    @rpc
    def authorize_identity(self, request: AuthorizeIdentity) -> IdentityGrant:
        return self.command(self.use_cases.identities.authorize, request)

    @rpc
    def ask_for_identity(self, request: AskForIdentity) -> IdentityRequest:
        return self.command(self.use_cases.identities.request, request)

    @rpc
    def decide_identity_request(self, request: DecideIdentityRequest) -> IdentityRequest:
        return self.command(self.use_cases.identities.decide, request)

    @rpc
    def list_identity_requests(self, request: ListIdentityRequests) -> IdentityRequests:
        with self.db.read() as connection:
            return self.use_cases.identities.requests(connection, request)

    # --- referrals ---

    @rpc
    def prepare_referral(self, request: PrepareReferral) -> ReferralDraft:
        return self.command(self.use_cases.referrals.prepare, request)

    @rpc
    def record_referral(self, request: RecordReferral) -> Referral:
        return self.command(self.use_cases.referrals.record, request)

    @rpc
    def list_referrals(self, request: ListReferrals) -> Referrals:
        with self.db.read() as connection:
            return self.use_cases.referrals.referrals(connection, request)

    @rpc
    def record_referral_answer(self, request: RecordReferralAnswer) -> Referral:
        return self.command(self.use_cases.referrals.record_answer, request)
