"""Papers: the letter of the opened case and the receipt as PDF, and the page that says whether one is genuine."""

from __future__ import annotations

from starlette.responses import Response

from contracts.errors import NoLetter, NotAuthenticated, NotFound, StillRegistering
from gateway.api.papers.views import paper_view
from gateway.pages.draft import Done
from gateway.pages.filing import DONE_KEPT
from gateway.pages.following import case_key, opened_case, visitor_of
from gateway.pages.visit import Visit
from gateway.papers.signatures import INVALID_RECEIPT, MAX_LENGTH, parse_receipt, signature_line_in


async def letter(visit: Visit) -> Response:
    """The letter, when there is one; else the case page says how far it is."""
    opened = opened_case(visit)
    if opened is None:
        return visit.go("/follow")
    try:
        response = await visit.door.letter(await visitor_of(visit, opened), case_key(opened), visit.request)
    except (NoLetter, StillRegistering, NotFound, NotAuthenticated):
        return visit.go("/case")
    return response


async def receipt(visit: Visit) -> Response:
    filed = visit.cookies.read("done", Done, DONE_KEPT)
    if filed is None:
        return visit.go("/follow")
    return await visit.door.receipt(visit.visitor(), filed.payload, filed.signature, visit.request)


async def verify(visit: Visit) -> Response:
    """`/verify` takes what is typed or pasted, be it a receipt's JSON; `/verify/SEAL` is what a QR code holds: a path, since
    these pages work without script, and a change of language keeps a path and no more."""
    seal = visit.request.path_params.get("seal")
    typed = signature_line_in(visit.typed("seal"))
    if (receipt := parse_receipt(visit.typed("seal"))) is not None:
        typed = await visit.door.seal_of(visit.visitor(), receipt) or INVALID_RECEIPT
    if visit.request.method == "POST":
        if 0 < len(typed) <= MAX_LENGTH and typed.isascii():
            visit.accept()
            return visit.go(f"/verify/{typed}")
        visit.wrong("seal", "need_seal")
    found = None if seal is None else paper_view(await visit.door.check_paper(visit.visitor(), seal), visit.language)
    return visit.page("verify", visit.say("verify_title"), found=found, typed=visit.typed("seal"))
