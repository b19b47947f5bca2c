"""Evidence: who may see it, what media reports of it, and informing citizens of files that are refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from backbone.storage import writes
from contracts.errors import UnknownCase
from contracts.gateway import Actor
from contracts.media import ClaimRefused, MediaAccepted, MediaDelayed, MediaNote, MediaRejected, UploadState
from contracts.tracking import AuthorizeMedia, MediaGrant
from contracts.vocabulary import OPEN_STAGES, ActorKind
from services.tracking.case import store as case_store
from services.tracking.case.access import Access, actor_id
from services.tracking.case.context import Contexts
from services.tracking.case.record import Recorder
from services.tracking.evidence import access, rules, store
from services.tracking.evidence.access import MediaOwner

BY_MEDIA = Actor(kind=ActorKind.SYSTEM, id="media")
MediaEvent = MediaAccepted | MediaRejected | MediaDelayed | ClaimRefused


class EvidenceUseCases:
    """The use cases of the gateway, which asks before each download, and of media's events."""

    def __init__(self, access: Access, contexts: Contexts, recorder: Recorder) -> None:
        self._access, self._contexts, self._recorder = access, contexts, recorder

    def authorize_media(self, connection: Connection, request: AuthorizeMedia) -> MediaGrant:
        """Whether this caller may see this media, and of which case it is; else UnknownCase."""
        owner = self._owner(connection, request)
        if owner is None:
            raise UnknownCase
        return MediaGrant(media_id=request.media_id, case_id=owner.case_id, label=owner.label)

    def _owner(self, connection: Connection, request: AuthorizeMedia) -> MediaOwner | None:
        actor, media_id = request.actor, request.media_id
        if request.code_hashes:
            return access.media_for_code(connection, media_id, request.code_hashes, request.case_id)
        if actor is None:
            return None
        if actor.kind is ActorKind.CITIZEN:
            citizen_id = actor_id(actor, ActorKind.CITIZEN)
            return access.media_for_citizen(connection, media_id, citizen_id, request.case_id)
        if request.question_id is not None:
            units = self._access.answered_units(connection, actor)
            return access.media_for_units(connection, media_id, units, request.question_id)
        return access.media_for_staff(connection, media_id, self._access.scope(connection, actor), request.case_id)

    def keep_media(self, connection: Connection, events: Sequence[MediaEvent]) -> list[str]:
        """What became of media, of cases open or not yet; the newest event counts, in whatever order they come. Of these those
        that are refused, to be reported."""
        refused = [event for event in events if isinstance(event, ClaimRefused)]
        reported = [_media_state(event) for event in events if not isinstance(event, ClaimRefused)]
        unreported = {event.media_id for event in refused} - {state["media_id"] for state in reported}
        withheld = [event.model_dump(include={"case_id", "media_id", "reason"}) for event in refused]
        states = [*store.ensuring_states(unreported), *store.keeping_states(reported)]
        writes.execute_all(connection, [*states, *store.withholding(withheld)])
        media = [event.media_id for event in events if not isinstance(event, MediaAccepted)]
        return store.refused(connection, media)

    def report_refusals(self, connection: Connection, media_ids: Sequence[str]) -> None:
        """Those of these that are refused are reported to the citizens who sent them, once; `store.ensure_states` came before."""
        if not media_ids:
            return
        for case_id, candidates in store.unreported_refusals(connection, media_ids).items():
            case = case_store.lock(connection, case_id)
            media, first = store.take_unreported(connection, case_id, candidates)
            if case is None or not media or case.stage not in OPEN_STAGES:
                continue
            context = self._contexts.of(connection, BY_MEDIA, case)
            change = rules.refuse_evidence(case, media, first)
            self._recorder.record(connection, change, BY_MEDIA, context.now)


def _media_state(event: MediaAccepted | MediaRejected | MediaDelayed) -> dict[str, Any]:
    row = {"media_id": event.media_id, "reported_at": event.occurred_at}
    nothing_yet = row | {"media_type": None, "size": None, "variants": [], "reason": None, "notes": []}
    nothing_yet |= {"duration_seconds": None, "width": None, "height": None, "peaks": None}
    if isinstance(event, MediaDelayed):
        return nothing_yet | {"state": UploadState.PROCESSING, "notes": [MediaNote.CHECK_DELAYED]}
    if isinstance(event, MediaRejected):
        return nothing_yet | {"state": UploadState.REJECTED, "reason": event.reason}
    return row | {
        "state": UploadState.ACCEPTED,
        "media_type": event.media_type,
        "size": event.size,
        "variants": [str(variant) for variant in event.variants],
        "reason": None,
        "notes": [str(note) for note in event.notes],
        "duration_seconds": event.duration_seconds,
        "width": event.width,
        "height": event.height,
        "peaks": event.peaks,
    }
