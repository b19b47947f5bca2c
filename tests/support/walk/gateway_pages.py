"""The walk's plain pages: every one, as a browser asks for it that has opened a case or is signed in."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response

from contracts.vocabulary import ActorKind
from gateway.pages.draft import OpenCase, SignedIn
from gateway.pages.form_session import FormSession
from gateway.pages.installation import cookie_key
from gateway.pages.routes import PAGES
from tests.support.walk.gateway_walk import GatewayWalk, Operation
from tests.support.walk.oracle import CaseFacts, Person, Sort

_FILE = "/case/files/{media_id:str}"


async def walk_pages(walk: GatewayWalk) -> None:
    """By everybody who comes to them: staff do not."""
    for person in walk.world.people:
        if not person.staff:
            for case, cookie in await _opened(walk, person):
                for path in PAGES:
                    await _page(walk, person, path, case, cookie)


async def _opened(walk: GatewayWalk, person: Person) -> list[tuple[CaseFacts | None, str]]:
    """What this person's browser has open: nothing; the case of a code; by a changed cookie's word, any case."""
    if person.actor is None:
        return [(None, "")]
    if person.actor.kind is ActorKind.BEARER:
        [own] = walk.oracle.known_cases(person)
        return [(own, await _cookies(walk, case=OpenCase(code=own.code)))]
    signed_in = SignedIn(
        access_token=walk.keys.citizen(sub=person.actor.id),
        refresh_token="none",
        mobile="+989120000000",
        expires_at=4e9,
    )
    cases = [*walk.known_cases(person), *walk.hidden_cases(person)]
    return [(case, await _cookies(walk, case=OpenCase(case_id=case.case_id), citizen=signed_in)) for case in cases]


async def _page(walk: GatewayWalk, person: Person, path: str, case: CaseFacts | None, cookie: str) -> None:
    files = list((case or next(iter(walk.oracle.cases.values()))).media) if "media_id" in path else [""]
    operation = Operation(f"page {path}", "GET", path)
    for file in files:
        at = path.replace(":str", "").format(kind="complaint", code="day", media_id=file, variant="thumbnail", seal="x")
        answer = await walk.send(operation, person, at, headers={"Cookie": cookie})
        if case is None or path not in ("/case", _FILE):
            continue
        granted = walk.oracle.knows(person, case)
        if path == _FILE:
            granted = granted and case.media[file].sort in (Sort.FILED, Sort.SENT_ALONG)
        walk.same(person, operation.name, answer.status_code == 200, granted)


async def _cookies(walk: GatewayWalk, **values: Any) -> str:
    """As the pages would have set them."""
    request = cast(Request, SimpleNamespace(cookies={}))
    made, answer = FormSession(request, cookie_key(walk.settings), walk.container.form_session_store), Response()
    for name, value in values.items():
        made.write(name, value)
    await made.save()
    made.set_cookies(answer)
    return "; ".join(line.partition(";")[0] for line in answer.headers.getlist("set-cookie"))
