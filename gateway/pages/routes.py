"""The addresses of the plain pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from gateway.pages import case_evidence, filing, follow_up, formatting, optional_details, own_cases, papers
from gateway.pages.gateway_port import GatewayPort
from gateway.pages.page_context import FOLDER, HEADERS, Page, PageContext, SiteSettings, style, style_path
from gateway.pages.request_handling import handle_request
from gateway.pages.unsaved_input import form_path

WITH_FILES = frozenset({"/file/evidence", "/file/evidence/more", "/case/answer", "/case/answer/more", "/case/evidence"})
"""Their POST carries a file: no limit on the body but the file's own, which the page itself holds."""


async def home(context: PageContext) -> Response:
    return context.render("home", context.text("home_title"), sms_number=formatting.sms_number(context.language))


PAGES: dict[str, Page] = {
    "/": home,
    "/file/{kind:str}/start": filing.begin,
    "/file/kind": filing.kind,
    "/file/forget": filing.forget,
    "/file/mobile": filing.mobile,
    "/file/code": filing.one_time_code,
    "/file/code/again": filing.code_again,
    "/file/name": filing.name,
    "/file/unit": filing.unit,
    "/file/ground": filing.ground,
    "/file/questions/{code:str}": optional_details.question,
    "/file/text": filing.text,
    "/file/place": optional_details.place,
    "/file/date": optional_details.date,
    "/file/people": optional_details.people,
    "/file/reference": optional_details.reference,
    "/file/evidence": filing.files,
    "/file/evidence/more": filing.files,
    "/file/evidence/remove": filing.remove_file,
    "/file/identity": filing.identity,
    "/file/review": filing.review,
    "/file/done": filing.done,
    "/file/receipt": filing.receipt,
    "/file/receipt/pdf": papers.receipt,
    "/follow": follow_up.follow,
    "/case": follow_up.case,
    "/case/leave": follow_up.leave,
    "/case/letter": papers.letter,
    "/case/answer": follow_up.answer,
    "/case/answer/more": follow_up.answer,
    "/case/evidence": case_evidence.send,
    "/case/rate": follow_up.rate,
    "/case/object": follow_up.object_,
    "/case/write": follow_up.write,
    "/case/withdraw": follow_up.withdraw,
    "/case/visit/ask": follow_up.ask_visit,
    "/case/visit/time": follow_up.choose_slot,
    "/case/visit/cancel": follow_up.cancel_visit,
    "/case/messages": follow_up.messages,
    "/case/files/{media_id:str}": follow_up.file,
    "/case/files/{media_id:str}/{variant:str}": follow_up.file,
    "/verify": papers.verify,
    "/verify/{seal:str}": papers.verify,
    "/mine": own_cases.mine,
    "/mine/open": own_cases.open_own,
    "/mine/filed": own_cases.answer_filed,
    "/mine/leave": own_cases.sign_out,
    "/sign-in": own_cases.mobile,
    "/sign-in/code": own_cases.one_time_code,
    "/sign-in/code/again": own_cases.code_again,
}


def router(gateway: GatewayPort, site: SiteSettings, address: Callable[[Request], str]) -> APIRouter:
    """Routes of every page. `address`: of a visitor."""
    routes = APIRouter()
    for path in PAGES:
        routes.add_route(path, _endpoint(path, gateway, site, address), ["GET", "POST"], include_in_schema=False)
    routes.add_route(style_path(), _style, ["GET"], include_in_schema=False)
    routes.add_route("/pages/icon.svg", _icon, ["GET"], include_in_schema=False)
    return routes


def _endpoint(
    path: str, gateway: GatewayPort, site: SiteSettings, address: Callable[[Request], str]
) -> Callable[[Request], Awaitable[Response]]:
    page, form_page, reads_form = PAGES[path], PAGES[form_path(path)], path not in WITH_FILES

    async def endpoint(request: Request) -> Response:
        return await handle_request(PageContext(request, gateway, site, address(request)), page, form_page, reads_form)

    return endpoint


async def _style(request: Request) -> Response:
    return _cacheable(style(), "text/css; charset=utf-8")


async def _icon(request: Request) -> Response:
    return _cacheable((FOLDER / "static" / "icon.svg").read_bytes(), "image/svg+xml")


def _cacheable(content: bytes, media_type: str) -> Response:
    headers = {**HEADERS, "Cache-Control": "public, max-age=31536000, immutable"}
    return Response(content, media_type=media_type, headers=headers)
