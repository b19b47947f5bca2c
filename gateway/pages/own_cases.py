"""A citizen's own cases by the mobile they were filed with: signing in, the list, signing out."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from starlette.responses import Response

from contracts.errors import AlreadyDecided, BadToken, UnknownCase
from gateway.pages import sign_in
from gateway.pages.draft import OpenCase
from gateway.pages.follow_up import open_case, opened_case
from gateway.pages.page_context import FieldError, PageContext


async def mine(context: PageContext) -> Response:
    """All cases filed with this mobile, and their messages."""
    token = await sign_in.access_token(context)
    if token is None:
        return context.redirect("/sign-in")
    visitor = context.visitor(token)
    try:
        cases, messages_of_all = await context.gateway.own_cases(visitor), await context.gateway.messages(visitor, None)
        waiting = await context.gateway.filed_for_me(visitor)
    except BadToken:
        context.session.drop("citizen")
        return context.redirect("/sign-in")
    return context.render("mine", context.text("mine_title"), cases=cases, messages=messages_of_all, waiting=waiting)


async def answer_filed(context: PageContext) -> Response:
    """What an operator filed is theirs, or it is not."""
    token = await sign_in.access_token(context)
    if token is None:
        return context.redirect("/sign-in")
    mine = bool(context.field_value("mine"))
    try:
        case_id = UUID(context.field_value("mine") or context.field_value("not_mine"))
    except ValueError:
        return context.redirect("/mine")
    if context.request.method == "POST":
        with suppress(UnknownCase, AlreadyDecided):  # the page shows what is left
            await context.gateway.answer_filed_for_me(context.visitor(token), case_id, mine)
    return context.redirect("/mine")


async def open_own(context: PageContext) -> Response:
    try:
        return open_case(context, OpenCase(case_id=UUID(context.field_value("case"))))
    except ValueError:
        return context.redirect("/mine")


async def mobile(context: PageContext) -> Response:
    if context.signed_in is not None and context.request.method != "POST":
        return context.redirect("/mine")
    if context.request.method == "POST" and await sign_in.send_code(context, context.field_value("mobile")):
        return context.redirect("/sign-in/code")
    typed = context.field_value("mobile")
    return context.render("mobile", context.text("mobile_title"), typed=typed, draft=None, before="/")


async def one_time_code(context: PageContext) -> Response:
    sent_to = sign_in.pending_mobile(context)
    if sent_to is None:
        return context.redirect("/sign-in")
    if context.request.method == "POST" and await sign_in.check_code(context, sent_to):
        opened = opened_case(context)
        return (
            context.redirect("/mine")
            if opened is None or opened.code is not None
            else open_case(context, opened, "/mine")
        )
    return _code_page(context, sent_to)


async def code_again(context: PageContext) -> Response:
    sent_to = sign_in.pending_mobile(context)
    if sent_to is None or context.request.method != "POST" or await sign_in.send_code(context, sent_to):
        return context.redirect("/sign-in/code")
    context.errors = [FieldError("code", error.text) for error in context.errors]
    return _code_page(context, sent_to)


async def sign_out(context: PageContext) -> Response:
    if context.request.method == "POST":
        await sign_in.sign_out(context)
    return context.redirect("/")


def _code_page(context: PageContext, sent_to: str) -> Response:
    return context.render("one_time_code", context.text("otp_title"), sent_to=sent_to, draft=None, before="/sign-in")
