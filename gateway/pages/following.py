"""Following up: the case by its code, or by the mobile it was filed with; answering, rating, objecting, withdrawing."""

from __future__ import annotations

import re
import secrets
from contextlib import suppress
from uuid import UUID

from starlette.responses import Response

from contracts.errors import (
    BadToken,
    NotAuthenticated,
    NotFound,
    PeygirError,
    SlotPast,
    SlotTaken,
    StatusUnavailable,
    StillRegistering,
    TooMany,
    UnknownSlot,
    WrongVisitState,
)
from contracts.media import MediaNote, UploadState, Variant
from contracts.tracking import AnswerQuestion, CitizenCommand, PublicCase, RaiseObjection, Rate, Withdraw
from contracts.visits import AskVisit, BookVisit, CancelVisit, MoveVisit
from gateway.cases.views import CaseView
from gateway.pages import draft as drafts
from gateway.pages import evidence, signing_in
from gateway.pages.cookies import TooMuch
from gateway.pages.draft import AnswerDraft, OpenCase
from gateway.pages.gateway_port import CaseKey, Visitor
from gateway.pages.shown import file_title, filed_rows
from gateway.pages.visit import Visit

CASE_KEPT = 60 * 60  # seconds
LONG, SHORT = 10_000, 1_000  # characters, as contracts/tracking has them
FORMS = {
    "/case/answer": {"answer_question"},
    "/case/rate": {"rate"},
    "/case/object": {"object"},
    "/case/withdraw": {"withdraw"},
}
RATED = ("informed_clearly", "treated_well", "on_time", "asked_improper")


async def follow(visit: Visit) -> Response:
    """The code is typed into a form and kept sealed with the visit: it is never in an address."""
    typed = visit.typed("code")
    if visit.request.method == "POST":
        if not typed:
            visit.wrong("code", "need_code")
        elif (code := await _find_code(visit, typed)) is not None:
            return _open(visit, OpenCase(code=code))
    return visit.page("follow", visit.say("follow_title"), typed=typed)


async def _find_code(visit: Visit, typed: str) -> str | None:
    """The code that was typed, when it is one; None with an error beside the field."""
    try:
        code = await visit.door.find_code(visit.visitor(), typed)
        with suppress(
            StillRegistering, StatusUnavailable
        ):  # the code is good: the case's page tells what is known of it
            await visit.door.case(visit.visitor(), CaseKey(code=code))
    except (NotFound, TooMany) as error:
        visit.refused("code", error)
        return None
    return code


async def case(visit: Visit) -> Response:
    opened = opened_case(visit)
    if opened is None:
        return visit.go("/follow")
    try:
        known = await visit.door.case(await visitor_of(visit, opened), case_key(opened))
    except StillRegistering:
        return visit.page("registering", visit.say("registering_title"))
    except StatusUnavailable as error:
        return visit.problem(error, visit.say("status_away_title"))
    except (NotFound, NotAuthenticated):
        return visit.go("/sign-in" if opened.code is None and visit.signed_in is None else "/follow")
    return visit.page(
        "case",
        visit.say("follow_title"),
        case=known,
        files=_files(visit, known),
        may=_forms_of(known),
        wrote=_wrote(visit, known),
    )


async def leave(visit: Visit) -> Response:
    """The case is closed in this browser."""
    if visit.request.method == "POST":
        visit.cookies.drop("case")
        visit.cookies.drop("answer")
        visit.cookies.drop_all("typed:/case")
    return visit.go("/")


async def answer(visit: Visit) -> Response:
    """`/case/answer` sends the answer, `/case/answer/more` sends one more file first."""
    known, away = await _may(visit, "answer_question")
    if away or known is None:
        return away or visit.go("/case")
    about = str(known.question.question_id) if known.question else ""
    draft = visit.cookies.read("answer", AnswerDraft, drafts.KEPT)
    if draft is None or draft.about != about:
        draft = AnswerDraft(about=about)
    more = visit.path.endswith("/more")
    if visit.request.method == "POST":
        sent = list(draft.files)
        if not await evidence.read_form_with_file(visit, sent):
            return visit.stale()
        text = visit.typed("text") if "text" in visit.form else draft.text
        draft = draft.model_copy(update={"text": text, "files": sent, "key": _form_key(visit, draft.key)})
        if len(draft.text) > LONG:
            visit.wrong("text", "too_long", limit=LONG)
        elif not draft.text and not more:
            visit.wrong("text", "need_answer")
        try:
            visit.cookies.write("answer", draft)
        except TooMuch:
            visit.wrong("text", "too_much")
        if not visit.errors and more:
            visit.accept()
            return visit.go("/case/answer")
        if not visit.errors:
            command = AnswerQuestion(text=draft.text, uploads=[file.id for file in draft.files])
            return await _execute(visit, command, "answer", draft.key, dropped="answer")
    elif more:
        return visit.go("/case/answer")
    limits = visit.door.limits
    return visit.page("answer", visit.say("answer_title"), case=known, draft=draft, limits=limits)


async def rate(visit: Visit) -> Response:
    known, away = await _may(visit, "rate")
    if away or known is None:
        return away or visit.go("/case")
    if visit.request.method == "POST":
        score = visit.typed("score")
        if score in ("1", "2", "3", "4", "5"):
            told = {question: {"yes": True, "no": False}.get(visit.typed(question)) for question in RATED}
            return await _execute(visit, Rate(score=int(score), **told), "rate", visit.typed("key"))
        visit.wrong("score", "need_score")
    return visit.page("rate", visit.say("rate_title"), questions=RATED, key=_form_key(visit))


async def object_(visit: Visit) -> Response:
    known, away = await _may(visit, "object")
    if away or known is None:
        return away or visit.go("/case")
    text = visit.typed("text")
    if visit.request.method == "POST":
        if not text:
            visit.wrong("text", "need_objection")
        elif len(text) > LONG:
            visit.wrong("text", "too_long", limit=LONG)
        else:
            return await _execute(visit, RaiseObjection(text=text), "object", visit.typed("key"))
    return visit.page("object", visit.say("object_title"), typed=text, key=_form_key(visit))


async def withdraw(visit: Visit) -> Response:
    known, away = await _may(visit, "withdraw")
    if away or known is None:
        return away or visit.go("/case")
    reason = visit.typed("text")
    if visit.request.method == "POST":
        if len(reason) <= SHORT:
            return await _execute(visit, Withdraw(reason=reason or None), "withdraw", visit.typed("key"))
        visit.wrong("text", "too_long", limit=SHORT)
    return visit.page("withdraw", visit.say("withdraw_title"), typed=reason, key=_form_key(visit))


async def ask_visit(visit: Visit) -> Response:
    return await _sure(visit, "ask", AskVisit())


async def cancel_visit(visit: Visit) -> Response:
    return await _sure(visit, "cancel", CancelVisit())


async def _sure(visit: Visit, action: str, command: CitizenCommand) -> Response:
    """Asks once more before it is done."""
    known, away = await _may(visit, f"{action}_visit")
    if away or known is None:
        return away or visit.go("/case")
    if visit.request.method == "POST":
        return await _execute(visit, command, f"{action}_visit", visit.typed("key"))
    return visit.page("visit_sure", visit.say(f"visit_{action}_title"), action=action, key=_form_key(visit))


async def choose_slot(visit: Visit) -> Response:
    """A time for the visit, or another one. What was taken meanwhile is said, and the times are shown anew."""
    known, away = await _may(visit, "book_visit", "move_visit")
    opened = opened_case(visit)
    if away or known is None or opened is None:
        return away or visit.go("/case")
    books = "book_visit" in known.visit_can
    if visit.request.method == "POST":
        try:
            slot_id = UUID(visit.typed("slot"))
            command = BookVisit(slot_id=slot_id) if books else MoveVisit(slot_id=slot_id)
            visitor = await visitor_of(visit, opened)
            await visit.door.execute(visitor, case_key(opened), secrets.token_urlsafe(24), command)
        except ValueError:
            visit.wrong("slot", "need_slot")
        except (SlotTaken, SlotPast, UnknownSlot) as error:
            visit.refused("slot", error)
        except WrongVisitState:  # a second click: the case page shows what the first one did
            return visit.go("/case")
        else:
            visit.accept(had_effect=True)
            return visit.go("/case", "book_visit")
    slots = await visit.door.offered_slots(await visitor_of(visit, opened), case_key(opened))
    return visit.page("visit_slot", visit.say("visit_slot_title"), slots=slots, key=_form_key(visit))


async def messages(visit: Visit) -> Response:
    opened = opened_case(visit)
    if opened is None:
        return visit.go("/follow")
    found = await visit.door.messages(await visitor_of(visit, opened), case_key(opened))
    return visit.page("messages", visit.say("messages_title"), messages=found)


async def file(visit: Visit) -> Response:
    """A file of the opened case, when it may be seen with it."""
    opened = opened_case(visit)
    if opened is None:
        return visit.go("/follow")
    media_id, wanted = visit.request.path_params["media_id"], visit.request.path_params.get("variant", "evidence")
    if not re.fullmatch(r"[A-Za-z0-9_-]{22,64}", media_id) or wanted not in set(Variant):
        raise NotFound
    return await visit.door.download(
        await visitor_of(visit, opened), case_key(opened), media_id, Variant(wanted), visit.request
    )


# --- by mobile ------------------------------------------------------------------------------------------------------


async def mine(visit: Visit) -> Response:
    """All that was filed with this mobile, and what was told about it."""
    token = await signing_in.access_token(visit)
    if token is None:
        return visit.go("/sign-in")
    visitor = visit.visitor(token)
    try:
        cases, told = await visit.door.own_cases(visitor), await visit.door.messages(visitor, None)
    except BadToken:
        visit.cookies.drop("citizen")
        return visit.go("/sign-in")
    return visit.page("mine", visit.say("mine_title"), cases=cases, messages=told)


async def open_own(visit: Visit) -> Response:
    try:
        return _open(visit, OpenCase(case_id=UUID(visit.typed("case"))))
    except ValueError:
        return visit.go("/mine")


async def sign_in(visit: Visit) -> Response:
    if visit.signed_in is not None and visit.request.method != "POST":
        return visit.go("/mine")
    if visit.request.method == "POST" and await signing_in.send_code(visit, visit.typed("mobile")):
        return visit.go("/sign-in/code")
    typed = visit.typed("mobile")
    return visit.page("mobile", visit.say("mobile_title"), typed=typed, draft=None, before="/")


async def sign_in_code(visit: Visit) -> Response:
    sent_to = signing_in.pending(visit)
    if sent_to is None:
        return visit.go("/sign-in")
    if visit.request.method == "POST" and await signing_in.check_code(visit, sent_to):
        opened = opened_case(visit)
        return visit.go("/mine") if opened is None or opened.code is not None else _open(visit, opened, "/mine")
    return _code_page(visit, sent_to)


async def sign_in_again(visit: Visit) -> Response:
    sent_to = signing_in.pending(visit)
    if sent_to is None or visit.request.method != "POST" or await signing_in.send_code(visit, sent_to):
        return visit.go("/sign-in/code")
    visit.errors = [type(said)("code", said.text) for said in visit.errors]
    return _code_page(visit, sent_to)


async def sign_out(visit: Visit) -> Response:
    if visit.request.method == "POST":
        await signing_in.leave(visit)
    return visit.go("/")


def _code_page(visit: Visit, sent_to: str) -> Response:
    return visit.page("one_time_code", visit.say("otp_title"), sent_to=sent_to, draft=None, before="/sign-in")


# --- what they share ------------------------------------------------------------------------------------------------


def opened_case(visit: Visit) -> OpenCase | None:
    return visit.cookies.read("case", OpenCase, CASE_KEPT)


def _open(visit: Visit, opened: OpenCase, otherwise: str = "/case") -> Response:
    """Opens a case; on to the form that was filled in for it and not sent, if there is one."""
    visit.cookies.write("case", opened)
    visit.accept()
    visit.is_about(opened)
    unsent = visit.unsent()
    return visit.go(unsent[0].path, "kept") if unsent else visit.go(otherwise)


def case_key(opened: OpenCase) -> CaseKey:
    return CaseKey(code=opened.code, case_id=opened.case_id)


async def visitor_of(visit: Visit, opened: OpenCase) -> Visitor:
    """With a token only where the case is opened by it: a code alone says nothing of who holds it."""
    return visit.visitor(await signing_in.access_token(visit) if opened.code is None else None)


async def _may(visit: Visit, *actions: str) -> tuple[CaseView | None, Response | None]:
    """The case, when one of these can be done with it now; else where to go."""
    opened = opened_case(visit)
    if opened is None:
        return None, visit.go("/follow")
    try:
        known = await visit.door.case(await visitor_of(visit, opened), case_key(opened))
    except (StillRegistering, NotFound, NotAuthenticated):
        return None, visit.go("/case")
    possible = {*known.can, *known.visit_can}
    return (known, None) if possible.intersection(actions) else (None, visit.go("/case"))


async def _execute(visit: Visit, command: CitizenCommand, said: str, key: str, dropped: str = "") -> Response:
    """Has its effect once, and what was typed is kept until it has. `dropped`: what else is done with then."""
    opened = opened_case(visit)
    assert opened is not None
    key = key if 8 <= len(key) <= 100 else secrets.token_urlsafe(24)
    try:
        await visit.door.execute(await visitor_of(visit, opened), case_key(opened), key, command)
    except PeygirError as error:
        if error.status in (409, 412):  # it has moved on meanwhile: the case page shows to where
            return visit.go("/case")
        raise
    visit.accept(had_effect=True)
    visit.cookies.drop(dropped)
    return visit.go("/case", said)


def _form_key(visit: Visit, otherwise: str = "") -> str:
    key = visit.typed("key")
    return key if 8 <= len(key) <= 100 else otherwise or secrets.token_urlsafe(24)


def _forms_of(case: PublicCase) -> set[str]:
    """Addresses of the forms that can be sent for this case now."""
    possible = {*case.can, *case.visit_can}
    return {path for path, actions in FORMS.items() if possible.intersection(actions)}


def _player(media_type: str | None) -> str | None:
    """The element of a page that plays it, where one does."""
    kind = (media_type or "").partition("/")[0]
    return kind if kind in {"audio", "video"} else None


def _wrote(visit: Visit, case: PublicCase) -> dict[str, object] | None:
    """What the citizen filed, for the page; None where it is not kept any more."""
    if case.filed is None:
        return None
    catalogue = visit.door.catalogue()
    grounds = catalogue.grounds if catalogue else []
    ground = next((one for one in grounds if one.code == case.ground), None)
    name = visit.name(ground) if ground else ""
    return {"text": case.filed.text, "ground": name, "rows": filed_rows(visit, case.filed, ground)}


def _files(visit: Visit, case: CaseView) -> list[dict[str, object]]:
    """For the page: each attachment with its name, whether it can be opened, and its picture."""
    return [
        {
            "title": file_title(visit, one),
            "id": one.media_id,
            "ready": one.state is UploadState.ACCEPTED,
            "rejected": one.state is UploadState.REJECTED,
            "removed": one.state is UploadState.REMOVED,
            "reason": one.reason_text,
            "thumbnail": Variant.THUMBNAIL in one.variants,
            "playable": Variant.PLAYABLE in one.variants,
            "player": _player(one.media_type),
            "size": one.size,
            "from_office": one.from_office,
            "notes": one.notes,
            "delayed": MediaNote.CHECK_DELAYED in one.notes,
        }
        for one in case.attachments
    ]
