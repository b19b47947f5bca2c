"""Evidence for a case that is open already: one file at a time, as often as it takes."""

from __future__ import annotations

from starlette.responses import Response

from contracts.errors import NotAuthenticated, NotFound, PeygirError, StillRegistering
from contracts.tracking import SendEvidence
from gateway.pages import evidence
from gateway.pages.draft import SentFile
from gateway.pages.follow_up import case_key, opened_case, visitor_of
from gateway.pages.page_context import PageContext, StaleForm


async def send(context: PageContext) -> Response:
    """The file belongs to the case as soon as it has come; the case page shows what became of it."""
    opened = opened_case(context)
    if opened is None:
        return context.redirect("/follow")
    visitor, key = await visitor_of(context, opened), case_key(opened)
    try:
        case = await context.gateway.case(visitor, key)
    except (StillRegistering, NotFound, NotAuthenticated):
        return context.redirect("/case")
    if not case.evidence_left:
        return context.redirect("/case")
    if context.request.method == "POST":
        sent: list[SentFile] = []
        if not await evidence.read_form_with_file(context, sent):
            raise StaleForm
        if not sent and not context.errors:
            context.add_error("file", "need_file")
        for file in sent:
            # The upload is new with each form that is sent: its id is what makes a repetition one.
            try:
                await context.gateway.execute(visitor, key, f"evidence-{file.id}", SendEvidence(uploads=[file.id]))
            except PeygirError as error:
                if error.status not in (409, 412):  # it is over meanwhile: the case page shows that
                    raise
                return context.redirect("/case")
            context.accept(had_effect=True)
            return context.redirect("/case", "evidence")
    title = context.text("case_evidence_title")
    return context.render("case_evidence", title, left=case.evidence_left, limits=context.gateway.limits)
