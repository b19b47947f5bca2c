"""Papers: the letter of the opened case and the receipt as PDF, and the page that checks whether one is genuine."""

from __future__ import annotations

from starlette.responses import Response

from contracts.errors import NoLetter, NotAuthenticated, NotFound, StillRegistering
from gateway.api.papers.views import paper_view
from gateway.pages.draft import Done
from gateway.pages.filing import DONE_KEPT
from gateway.pages.follow_up import case_key, opened_case, visitor_of
from gateway.pages.page_context import PageContext
from gateway.papers.signatures import INVALID_RECEIPT, MAX_LENGTH, parse_receipt, signature_line_in


async def letter(context: PageContext) -> Response:
    """The letter, when there is one; else the case page shows how far it is."""
    opened = opened_case(context)
    if opened is None:
        return context.redirect("/follow")
    try:
        response = await context.gateway.letter(await visitor_of(context, opened), case_key(opened), context.request)
    except (NoLetter, StillRegistering, NotFound, NotAuthenticated):
        return context.redirect("/case")
    return response


async def receipt(context: PageContext) -> Response:
    filed = context.session.read("done", Done, DONE_KEPT)
    if filed is None:
        return context.redirect("/follow")
    return await context.gateway.receipt(context.visitor(), filed.payload, filed.signature, context.request)


async def verify(context: PageContext) -> Response:
    """`/verify` takes what is typed or pasted, be it a receipt's JSON; `/verify/SEAL` is what a QR code holds: a path, since
    these pages work without script, and a change of language keeps a path and no more."""
    seal = context.request.path_params.get("seal")
    typed = signature_line_in(context.field_value("seal"))
    if (receipt := parse_receipt(context.field_value("seal"))) is not None:
        typed = await context.gateway.seal_of(context.visitor(), receipt) or INVALID_RECEIPT
    if context.request.method == "POST":
        if 0 < len(typed) <= MAX_LENGTH and typed.isascii():
            context.accept()
            return context.redirect(f"/verify/{typed}")
        context.add_error("seal", "need_seal")
    paper = (
        None
        if seal is None
        else paper_view(await context.gateway.check_paper(context.visitor(), seal), context.language)
    )
    return context.render("verify", context.text("verify_title"), paper=paper, typed=context.field_value("seal"))
