"""The addresses of the plain pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from gateway.pages import case_evidence, details, filing, following, papers
from gateway.pages.attend import attend
from gateway.pages.gateway_port import GatewayPort
from gateway.pages.typed import form_path
from gateway.pages.visit import FOLDER, HEADERS, Page, Site, Visit, style, style_path

WITH_FILES = frozenset({"/file/evidence", "/file/evidence/more", "/case/answer", "/case/answer/more", "/case/evidence"})
"""Their POST carries a file: no limit on the body but the file's own, which the page itself holds."""


async def home(visit: Visit) -> Response:
    return visit.page("home", visit.say("home_title"))


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
    "/file/questions/{code:str}": details.question,
    "/file/text": filing.text,
    "/file/place": details.place,
    "/file/date": details.date,
    "/file/people": details.people,
    "/file/reference": details.reference,
    "/file/evidence": filing.files,
    "/file/evidence/more": filing.files,
    "/file/evidence/remove": filing.remove_file,
    "/file/identity": filing.identity,
    "/file/review": filing.review,
    "/file/done": filing.done,
    "/file/receipt": filing.receipt,
    "/file/receipt/pdf": papers.receipt,
    "/follow": following.follow,
    "/case": following.case,
    "/case/leave": following.leave,
    "/case/letter": papers.letter,
    "/case/answer": following.answer,
    "/case/answer/more": following.answer,
    "/case/evidence": case_evidence.send,
    "/case/rate": following.rate,
    "/case/object": following.object_,
    "/case/withdraw": following.withdraw,
    "/case/visit/ask": following.ask_visit,
    "/case/visit/time": following.choose_slot,
    "/case/visit/cancel": following.cancel_visit,
    "/case/messages": following.messages,
    "/case/files/{media_id:str}": following.file,
    "/case/files/{media_id:str}/{variant:str}": following.file,
    "/verify": papers.verify,
    "/verify/{seal:str}": papers.verify,
    "/mine": following.mine,
    "/mine/open": following.open_own,
    "/mine/leave": following.sign_out,
    "/sign-in": following.sign_in,
    "/sign-in/code": following.sign_in_code,
    "/sign-in/code/again": following.sign_in_again,
}


def router(door: GatewayPort, site: Site, address: Callable[[Request], str]) -> APIRouter:
    """Routes of every page. `address`: of a visitor."""
    routes = APIRouter()
    for path in PAGES:
        routes.add_route(path, _endpoint(path, door, site, address), ["GET", "POST"], include_in_schema=False)
    routes.add_route(style_path(), _style, ["GET"], include_in_schema=False)
    routes.add_route("/pages/icon.svg", _icon, ["GET"], include_in_schema=False)
    return routes


def _endpoint(
    path: str, door: GatewayPort, site: Site, address: Callable[[Request], str]
) -> Callable[[Request], Awaitable[Response]]:
    page, shows, reads_form = PAGES[path], PAGES[form_path(path)], path not in WITH_FILES

    async def endpoint(request: Request) -> Response:
        return await attend(Visit(request, door, site, address(request)), page, shows, reads_form)

    return endpoint


async def _style(request: Request) -> Response:
    return _kept(style(), "text/css; charset=utf-8")


async def _icon(request: Request) -> Response:
    return _kept((FOLDER / "static" / "icon.svg").read_bytes(), "image/svg+xml")


def _kept(content: bytes, media_type: str) -> Response:
    headers = {**HEADERS, "Cache-Control": "public, max-age=31536000, immutable"}
    return Response(content, media_type=media_type, headers=headers)
