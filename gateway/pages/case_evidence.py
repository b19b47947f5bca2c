"""Evidence for a case that is open already: one file at a time, as often as it takes."""

from __future__ import annotations

from starlette.responses import Response

from contracts.errors import NotAuthenticated, NotFound, PeygirError, StillRegistering
from contracts.tracking import SendEvidence
from gateway.pages import evidence
from gateway.pages.draft import SentFile
from gateway.pages.following import case_key, opened_case, visitor_of
from gateway.pages.visit import Visit


async def send(visit: Visit) -> Response:
    """The file belongs to the case as soon as it has come; the case page says what became of it."""
    opened = opened_case(visit)
    if opened is None:
        return visit.go("/follow")
    visitor, key = await visitor_of(visit, opened), case_key(opened)
    try:
        case = await visit.door.case(visitor, key)
    except (StillRegistering, NotFound, NotAuthenticated):
        return visit.go("/case")
    if not case.evidence_left:
        return visit.go("/case")
    if visit.request.method == "POST":
        sent: list[SentFile] = []
        if not await evidence.read_form_with_file(visit, sent):
            return visit.stale()
        if not sent and not visit.errors:
            visit.wrong("file", "need_file")
        for file in sent:
            # The upload is new with each form that is sent: its id is what makes a repetition one.
            try:
                await visit.door.execute(visitor, key, f"evidence-{file.id}", SendEvidence(uploads=[file.id]))
            except PeygirError as error:
                if error.status not in (409, 412):  # it is over meanwhile: the case page shows that
                    raise
                return visit.go("/case")
            visit.accept(had_effect=True)
            return visit.go("/case", "evidence")
    title = visit.say("case_evidence_title")
    return visit.page("case_evidence", title, left=case.evidence_left, limits=visit.door.limits)
