"""Following up: the case by its code; answering, rating, objecting, withdrawing."""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import wraps
from uuid import UUID

from starlette.responses import Response

from contracts.errors import (
    NotAuthenticated,
    NotFound,
    PeygirError,
    SlotOnHoliday,
    SlotPast,
    SlotTaken,
    StatusUnavailable,
    StillRegistering,
    TooMany,
    UnknownSlot,
    WrongVisitState,
)
from contracts.media import MediaNote, UploadState, Variant
from contracts.text_limits import LONGEST_SHORT_TEXT, LONGEST_TEXT
from contracts.tracking import AnswerQuestion, CitizenCommand, PublicCase, RaiseObjection, Rate, SendMessage, Withdraw
from contracts.visits import AskVisit, BookVisit, CancelVisit, MoveVisit
from gateway.cases.views import CaseView
from gateway.pages import draft as drafts
from gateway.pages import evidence, sign_in
from gateway.pages.draft import AnswerDraft, OpenCase
from gateway.pages.filed_content import file_title, filed_rows
from gateway.pages.form_session import SessionFull
from gateway.pages.gateway_port import CaseKey, Visitor
from gateway.pages.page_context import PageContext, StaleForm

Page = Callable[[PageContext], Awaitable[Response]]
CasePage = Callable[[PageContext, CaseView], Awaitable[Response]]
CASE_KEPT = 60 * 60  # seconds
LONG, SHORT = LONGEST_TEXT, LONGEST_SHORT_TEXT
FORMS = {
    "/case/answer": {"answer_question"},
    "/case/rate": {"rate"},
    "/case/object": {"object"},
    "/case/write": {"send_message"},
    "/case/withdraw": {"withdraw"},
}
RATED = ("informed_clearly", "treated_well", "on_time", "asked_improper")


async def _case_allowing(context: PageContext, *actions: str) -> tuple[CaseView | None, Response | None]:
    """The case, when one of these actions is possible now; else a redirect."""
    opened = opened_case(context)
    if opened is None:
        return None, context.redirect("/follow")
    try:
        view = await context.gateway.case(await visitor_of(context, opened), case_key(opened))
    except (StillRegistering, NotFound, NotAuthenticated):
        return None, context.redirect("/case")
    possible = _possible(view)
    return (view, None) if possible.intersection(actions) else (None, context.redirect("/case"))


def _when_possible(action: str) -> Callable[[CasePage], Page]:
    """Marks the page of an action: it is called with the case when the action is possible now; else there is a redirect."""

    def mark(page: CasePage) -> Page:
        @wraps(page)
        async def show(context: PageContext) -> Response:
            view, elsewhere = await _case_allowing(context, action)
            return elsewhere or context.redirect("/case") if view is None else await page(context, view)

        return show

    return mark


async def follow(context: PageContext) -> Response:
    """The code is typed into a form and kept encrypted in the form session: it is never in an address."""
    typed = context.field_value("code")
    if context.request.method == "POST":
        if not typed:
            context.add_error("code", "need_code")
        elif (code := await _find_code(context, typed)) is not None:
            return open_case(context, OpenCase(code=code))
    return context.render("follow", context.text("follow_title"), typed=typed)


async def _find_code(context: PageContext, typed: str) -> str | None:
    """The code that was typed, when it is one; None with an error beside the field."""
    try:
        code = await context.gateway.find_code(context.visitor(), typed)
        with suppress(
            StillRegistering, StatusUnavailable
        ):  # the code is good: the case's page shows what is known of it
            await context.gateway.case(context.visitor(), CaseKey(code=code))
    except (NotFound, TooMany) as error:
        context.add_problem("code", error)
        return None
    return code


async def case(context: PageContext) -> Response:
    opened = opened_case(context)
    if opened is None:
        return context.redirect("/follow")
    try:
        view = await context.gateway.case(await visitor_of(context, opened), case_key(opened))
    except StillRegistering:
        return context.render("registering", context.text("registering_title"))
    except StatusUnavailable as error:
        return context.problem_page(error, context.text("status_away_title"))
    except (NotFound, NotAuthenticated):
        return context.redirect("/sign-in" if opened.code is None and context.signed_in is None else "/follow")
    return context.render(
        "case",
        context.text("follow_title"),
        case=view,
        files=_files(context, view),
        may=_forms_of(view),
        wrote=_filed_content(context, view),
    )


async def leave(context: PageContext) -> Response:
    """The case is closed in this browser."""
    if context.request.method == "POST":
        context.session.drop("case")
        context.session.drop("answer")
        context.session.drop_all("typed:/case")
    return context.redirect("/")


@_when_possible("answer_question")
async def answer(context: PageContext, view: CaseView) -> Response:
    """`/case/answer` sends the answer, `/case/answer/more` sends one more file first."""
    about = str(view.question.question_id) if view.question else ""
    draft = context.session.read("answer", AnswerDraft, drafts.KEPT)
    if draft is None or draft.about != about:
        draft = AnswerDraft(about=about)
    more = context.path.endswith("/more")
    if context.request.method == "POST":
        sent = list(draft.files)
        if not await evidence.read_form_with_file(context, sent):
            raise StaleForm
        text = context.field_value("text") if "text" in context.form else draft.text
        draft = draft.model_copy(update={"text": text, "files": sent, "key": _form_key(context, draft.key)})
        if len(draft.text) > LONG:
            context.add_error("text", "too_long", limit=LONG)
        elif not draft.text and not more:
            context.add_error("text", "need_answer")
        try:
            context.session.write("answer", draft)
        except SessionFull:
            context.add_error("text", "too_much")
        if not context.errors and more:
            context.accept()
            return context.redirect("/case/answer")
        if not context.errors:
            command = AnswerQuestion(text=draft.text, uploads=[file.id for file in draft.files])
            return await _execute(context, command, "answer", draft.key, dropped="answer")
    elif more:
        return context.redirect("/case/answer")
    limits = context.gateway.limits
    return context.render("answer", context.text("answer_title"), case=view, draft=draft, limits=limits)


@_when_possible("rate")
async def rate(context: PageContext, view: CaseView) -> Response:
    if context.request.method == "POST":
        score = context.field_value("score")
        if score in ("1", "2", "3", "4", "5"):
            answers = {question: {"yes": True, "no": False}.get(context.field_value(question)) for question in RATED}
            return await _execute(context, Rate(score=int(score), **answers), "rate", context.field_value("key"))
        context.add_error("score", "need_score")
    return context.render("rate", context.text("rate_title"), questions=RATED, key=_form_key(context))


@_when_possible("object")
async def object_(context: PageContext, view: CaseView) -> Response:
    text = context.field_value("text")
    if context.request.method == "POST":
        if not text:
            context.add_error("text", "need_objection")
        elif len(text) > LONG:
            context.add_error("text", "too_long", limit=LONG)
        else:
            return await _execute(context, RaiseObjection(text=text), "object", context.field_value("key"))
    return context.render("object", context.text("object_title"), typed=text, key=_form_key(context))


@_when_possible("send_message")
async def write(context: PageContext, view: CaseView) -> Response:
    """A message to the office that nobody asked for."""
    text = context.field_value("text")
    if context.request.method == "POST":
        if not text:
            context.add_error("text", "need_message")
        elif len(text) > LONG:
            context.add_error("text", "too_long", limit=LONG)
        else:
            return await _execute(context, SendMessage(text=text), "write", context.field_value("key"))
    return context.render("write", context.text("write_title"), typed=text, key=_form_key(context))


@_when_possible("withdraw")
async def withdraw(context: PageContext, view: CaseView) -> Response:
    reason = context.field_value("text")
    if context.request.method == "POST":
        if len(reason) <= SHORT:
            return await _execute(context, Withdraw(reason=reason or None), "withdraw", context.field_value("key"))
        context.add_error("text", "too_long", limit=SHORT)
    return context.render("withdraw", context.text("withdraw_title"), typed=reason, key=_form_key(context))


async def ask_visit(context: PageContext) -> Response:
    return await _confirm(context, "ask", AskVisit())


async def cancel_visit(context: PageContext) -> Response:
    return await _confirm(context, "cancel", CancelVisit())


async def _confirm(context: PageContext, action: str, command: CitizenCommand) -> Response:
    """Asks for confirmation first."""
    view, elsewhere = await _case_allowing(context, f"{action}_visit")
    if elsewhere or view is None:
        return elsewhere or context.redirect("/case")
    if context.request.method == "POST":
        return await _execute(context, command, f"{action}_visit", context.field_value("key"))
    return context.render("visit_sure", context.text(f"visit_{action}_title"), action=action, key=_form_key(context))


async def choose_slot(context: PageContext) -> Response:
    """A time for the appointment, or another one. A time that was taken meanwhile is reported, and the times are shown anew."""
    view, elsewhere = await _case_allowing(context, "book_visit", "move_visit")
    opened = opened_case(context)
    if elsewhere or view is None or opened is None:
        return elsewhere or context.redirect("/case")
    books = "book_visit" in view.visit_can
    if context.request.method == "POST":
        try:
            slot_id = UUID(context.field_value("slot"))
            command = BookVisit(slot_id=slot_id) if books else MoveVisit(slot_id=slot_id)
            visitor = await visitor_of(context, opened)
            await context.gateway.execute(visitor, case_key(opened), secrets.token_urlsafe(24), command)
        except ValueError:
            context.add_error("slot", "need_slot")
        except (SlotTaken, SlotPast, SlotOnHoliday, UnknownSlot) as error:
            context.add_problem("slot", error)
        except WrongVisitState:  # a second click: the case page shows what the first one did
            return context.redirect("/case")
        else:
            context.accept(had_effect=True)
            return context.redirect("/case", "book_visit")
    slots = await context.gateway.offered_slots(await visitor_of(context, opened), case_key(opened))
    return context.render("visit_slot", context.text("visit_slot_title"), slots=slots, key=_form_key(context))


async def messages(context: PageContext) -> Response:
    opened = opened_case(context)
    if opened is None:
        return context.redirect("/follow")
    messages_of_case = await context.gateway.messages(await visitor_of(context, opened), case_key(opened))
    return context.render("messages", context.text("messages_title"), messages=messages_of_case)


async def file(context: PageContext) -> Response:
    """A file of the opened case, when it may be seen with it."""
    opened = opened_case(context)
    if opened is None:
        return context.redirect("/follow")
    media_id, variant = context.request.path_params["media_id"], context.request.path_params.get("variant", "evidence")
    if not re.fullmatch(r"[A-Za-z0-9_-]{22,64}", media_id) or variant not in set(Variant):
        raise NotFound
    return await context.gateway.download(
        await visitor_of(context, opened), case_key(opened), media_id, Variant(variant), context.request
    )


# --- shared by the pages ------------------------------------------------------------------------------------------------


def opened_case(context: PageContext) -> OpenCase | None:
    return context.session.read("case", OpenCase, CASE_KEPT)


def open_case(context: PageContext, opened: OpenCase, otherwise: str = "/case") -> Response:
    """Opens a case; on to the form that was filled in for it and not sent, if there is one."""
    context.session.write("case", opened)
    context.accept()
    context.bind_forms_to(opened)
    unsent = context.unsubmitted_forms()
    return context.redirect(unsent[0].path, "kept") if unsent else context.redirect(otherwise)


def case_key(opened: OpenCase) -> CaseKey:
    return CaseKey(code=opened.code, case_id=opened.case_id)


async def visitor_of(context: PageContext, opened: OpenCase) -> Visitor:
    """With a token only where the case is opened by it: a code alone does not identify its holder."""
    return context.visitor(await sign_in.access_token(context) if opened.code is None else None)


async def _execute(context: PageContext, command: CitizenCommand, notice: str, key: str, dropped: str = "") -> Response:
    """Has its effect once, and what was typed is kept until it has. `notice`: the message shown afterwards; `dropped`:
    the value of the session that is removed then."""
    opened = opened_case(context)
    assert opened is not None
    key = key if 8 <= len(key) <= 100 else secrets.token_urlsafe(24)
    try:
        await context.gateway.execute(await visitor_of(context, opened), case_key(opened), key, command)
    except PeygirError as error:
        if error.status in (409, 412):  # its stage changed meanwhile: the case page shows it
            return context.redirect("/case")
        raise
    context.accept(had_effect=True)
    context.session.drop(dropped)
    return context.redirect("/case", notice)


def _form_key(context: PageContext, otherwise: str = "") -> str:
    key = context.field_value("key")
    return key if 8 <= len(key) <= 100 else otherwise or secrets.token_urlsafe(24)


def _possible(case: PublicCase) -> set[str]:
    """What can be done with the case now."""
    return {*case.can, *case.visit_can, *(["send_message"] if case.messages_left else [])}


def _forms_of(case: PublicCase) -> set[str]:
    """Addresses of the forms that can be sent for this case now."""
    possible = _possible(case)
    return {path for path, actions in FORMS.items() if possible.intersection(actions)}


def _player(media_type: str | None) -> str | None:
    """The element of a page that plays it, where one does."""
    kind = (media_type or "").partition("/")[0]
    return kind if kind in {"audio", "video"} else None


def _filed_content(context: PageContext, case: PublicCase) -> dict[str, object] | None:
    """What the citizen filed, for the page; None where it is not kept any more."""
    if case.filed is None:
        return None
    catalogue = context.gateway.catalogue()
    grounds = catalogue.grounds if catalogue else []
    ground = next((ground for ground in grounds if ground.code == case.ground), None)
    name = context.name(ground) if ground else ""
    return {"text": case.filed.text, "ground": name, "rows": filed_rows(context, case.filed, ground)}


def _files(context: PageContext, case: CaseView) -> list[dict[str, object]]:
    """For the page: each attachment with its name, whether it can be opened, and its picture."""
    return [
        {
            "title": file_title(context, attachment),
            "id": attachment.media_id,
            "ready": attachment.state is UploadState.ACCEPTED,
            "rejected": attachment.state is UploadState.REJECTED,
            "withdrawn": attachment.withdrawn_at is not None,
            "removed": attachment.state is UploadState.REMOVED,
            "reason": attachment.reason_text,
            "thumbnail": Variant.THUMBNAIL in attachment.variants,
            "playable": Variant.PLAYABLE in attachment.variants,
            "player": _player(attachment.media_type),
            "size": attachment.size,
            "from_office": attachment.from_office,
            "notes": attachment.notes,
            "delayed": MediaNote.CHECK_DELAYED in attachment.notes,
        }
        for attachment in case.attachments
    ]
