"""The composition root: every part of the gateway, made once and connected. It knows nothing of HTTP."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from backbone.process.settings import secrets
from gateway.auth.account_changes import AccountChanges
from gateway.auth.browser_sessions import BrowserSessions
from gateway.auth.deputies import Deputies
from gateway.auth.session_revocations import SessionRevocations
from gateway.auth.staff_names import StaffNames
from gateway.auth.token_revocations import TokenRevocations
from gateway.auth.tokens import Caller, Tokens
from gateway.cases.call_references import CallReferences
from gateway.cases.case_cache import CaseCache, RecentCodes
from gateway.cases.citizen_cases import CitizenCases
from gateway.cases.command_forms import CommandForms
from gateway.cases.group_decisions import GroupDecisions
from gateway.checkpoints.publishing import Checkpoints, checkpoint_folder
from gateway.edge.admission import Admission
from gateway.edge.limits import Limits
from gateway.evidence.attachments import Attachments
from gateway.evidence.chunk_relay import ChunkRelay, object_store_client
from gateway.live.event_stream import EventStream
from gateway.live.presence import Presence
from gateway.office.facts import OfficeFacts
from gateway.papers.issuing import PaperIssuing
from gateway.rabbit.client import RabbitClient
from gateway.referrals.making import ReferralPackages
from gateway.settings import Settings
from gateway.submissions.catalogue_cache import CatalogueCache
from gateway.submissions.filing import Filing
from gateway.submissions.previews import Previews
from gateway.submissions.substitutes import Substitutes

if TYPE_CHECKING:
    # Given from outside: importing the pages here would be a circle.
    from gateway.pages.form_session_store import FormSessionStore


def derived_key(settings: Settings, purpose: bytes) -> bytes:
    """32 bytes for one purpose, made of the codes' own key: the same in every gateway."""
    return hmac.new(settings.code_derive_key.get_secret_value(), purpose, hashlib.sha256).digest()


class AppContainer:
    """The gateway's parts, one of each per process; `request.app.state.container`."""

    def __init__(self, settings: Settings, rabbit: RabbitClient, form_session_store: FormSessionStore) -> None:
        self.settings, self.rabbit = settings, rabbit
        self.mac_keys = secrets(settings.code_mac_keys)
        self.index_keys = secrets(settings.code_index_keys)
        self.account_changes = AccountChanges(rabbit)
        self.token_revocations = TokenRevocations(self.account_changes)
        self.deputies = Deputies(self.account_changes)
        self.session_revocations = SessionRevocations(rabbit)
        self.tokens = Tokens(
            secrets(settings.access_token_public_keys),
            settings.contact_key.get_secret_value(),
            self.token_revocations,
            self.session_revocations,
        )
        self.browser_sessions = BrowserSessions(
            rabbit,
            self.tokens,
            self.session_revocations,
            derived_key(settings, b"browser sessions"),
            self.index_keys,
            secure=settings.public_url.startswith("https:"),
        )
        self.catalogue_cache = CatalogueCache(settings.gateway_state_dir)
        self.substitutes = Substitutes(
            self.account_changes, self.catalogue_cache, (settings.inspection_unit, settings.mayor_unit)
        )
        self.office_facts = OfficeFacts(settings, rabbit, self.catalogue_cache)
        self.limits = Limits(settings)
        self.form_session_store = form_session_store
        self.admission = Admission(settings, self.limits)
        self.recent_codes = RecentCodes()
        self.previews = Previews(rabbit, self.catalogue_cache, self.substitutes)
        self.filing = Filing(settings, rabbit, self.catalogue_cache, self.tokens, self.recent_codes)
        self.case_cache = CaseCache(settings.cache_cases, settings.cache_bytes, settings.cache_seconds)
        self.command_forms = CommandForms(self.catalogue_cache)
        self.citizen_cases = CitizenCases(
            rabbit,
            self.case_cache,
            self.recent_codes,
            self.catalogue_cache,
            self.command_forms,
            settings.status_timeout,
        )
        self.call_references = CallReferences(settings.contact_key.get_secret_value())
        self.group_decisions = GroupDecisions(rabbit, self.case_cache)
        self.papers = PaperIssuing(settings, rabbit, self.catalogue_cache, self.filing.signer)
        self.referrals = ReferralPackages(settings, rabbit, self.filing.signer, self.papers.pdf_queue)
        self.checkpoints = Checkpoints(rabbit, self.filing.signer, checkpoint_folder(settings))
        self.event_stream = EventStream(settings, self.catalogue_cache, self.deputies, StaffNames(self.account_changes))
        self.presence = Presence(rabbit, self.event_stream)
        # Sends to presigned URLs only; the gateway holds no keys of the object store.
        self.object_store = object_store_client()
        self.chunk_relay = ChunkRelay(rabbit, self.object_store, self.admission.spend_megabytes)
        self.attachments = Attachments(rabbit, self.object_store)
        self.stopping = False
        rabbit.add_event_listener(self.catalogue_cache.handle_event)
        rabbit.add_event_listener(self.event_stream.handle_event)
        self.token_revocations.add_listener(self.event_stream.end_streams_of)
        self.session_revocations.add_listener(self.event_stream.end_session)
        self.event_stream.add_case_listener(self.case_cache.invalidate)
        self.event_stream.add_code_listener(self.recent_codes.mark_registered)
        self.event_stream.add_media_listener(self.case_cache.invalidate_media)
        rabbit.add_subscription_listener(self.case_cache.set_subscribed)
        rabbit.add_subscription_listener(self.recent_codes.set_subscribed)
        rabbit.add_connect_listener(lambda: self.catalogue_cache.refresh(rabbit))

    def mobile_hash(self, caller: Caller) -> str | None:
        """Of the mobile that this citizen has verified, as services store it; None where there is none."""
        mobile = self.tokens.mobile(caller)
        return None if mobile is None else self.filing.mobile_hash(mobile)

    def stop(self) -> None:
        """Ends the streams and stops being ready; requests in progress go on."""
        self.stopping = True
        self.account_changes.stop()
        self.session_revocations.stop()
        self.event_stream.end_all()

    @property
    def ready(self) -> bool:
        """Whether submissions are accepted."""
        return self.rabbit.connected and not self.stopping
