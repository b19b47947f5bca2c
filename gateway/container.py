"""The composition root: every part of the gateway, made once and connected. It knows nothing of HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backbone.process.settings import secrets
from gateway.auth.session_revocations import SessionRevocations
from gateway.auth.token_revocations import TokenRevocations
from gateway.auth.tokens import Tokens
from gateway.cases.case_cache import CaseCache, RecentCodes
from gateway.cases.citizen_cases import CitizenCases
from gateway.checkpoints.publishing import Checkpoints, checkpoint_folder
from gateway.edge.admission import Admission
from gateway.edge.limits import Limits
from gateway.evidence.attachments import Attachments
from gateway.evidence.chunk_relay import ChunkRelay, object_store_client
from gateway.live.event_stream import EventStream
from gateway.papers.issuing import PaperIssuing
from gateway.rabbit.client import RabbitClient
from gateway.settings import Settings
from gateway.submissions.catalogue_cache import CatalogueCache
from gateway.submissions.filing import Filing

if TYPE_CHECKING:
    # Given from outside: importing the pages here would be a circle.
    from gateway.pages.form_session_store import FormSessionStore


class AppContainer:
    """The gateway's parts, one of each per process; `request.app.state.container`."""

    def __init__(self, settings: Settings, rabbit: RabbitClient, form_session_store: FormSessionStore) -> None:
        self.settings, self.rabbit = settings, rabbit
        self.mac_keys = secrets(settings.code_mac_keys)
        self.index_keys = secrets(settings.code_index_keys)
        self.token_revocations = TokenRevocations(rabbit)
        self.session_revocations = SessionRevocations(rabbit)
        self.tokens = Tokens(
            secrets(settings.access_token_public_keys),
            settings.contact_key.get_secret_value(),
            self.token_revocations,
            self.session_revocations,
        )
        self.catalogue_cache = CatalogueCache(settings.gateway_state_dir)
        self.limits = Limits(settings)
        self.form_session_store = form_session_store
        self.admission = Admission(settings, self.limits)
        self.recent_codes = RecentCodes()
        self.filing = Filing(settings, rabbit, self.catalogue_cache, self.tokens, self.recent_codes)
        self.case_cache = CaseCache(settings.cache_cases, settings.cache_bytes, settings.cache_seconds)
        self.citizen_cases = CitizenCases(
            rabbit, self.case_cache, self.recent_codes, self.catalogue_cache, settings.status_timeout
        )
        self.papers = PaperIssuing(settings, rabbit, self.catalogue_cache, self.filing.signer)
        self.checkpoints = Checkpoints(rabbit, self.filing.signer, checkpoint_folder(settings))
        self.event_stream = EventStream(settings, self.catalogue_cache)
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

    def stop(self) -> None:
        """Ends the streams and stops being ready; requests in progress go on."""
        self.stopping = True
        self.token_revocations.stop()
        self.session_revocations.stop()
        self.event_stream.end_all()

    @property
    def ready(self) -> bool:
        """Whether submissions are accepted."""
        return self.rabbit.connected and not self.stopping
