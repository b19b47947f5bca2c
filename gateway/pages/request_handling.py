"""One request from its first byte to its answer: who may post, what was typed, what is saved, and what is shown if it fails.

Whatever becomes of a posted form, what was typed is not lost. It is saved in the form session before the page's code runs, and
discarded when that reports that it had its effect (`PageContext.accept`). After an error the form is shown again with it;
where the form cannot be shown, the text itself is.
"""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.responses import Response

from backbone.process import logs
from contracts.errors import NotAllowed, NotFound, PeygirError, Unavailable
from gateway.edge.problems import TooSlow
from gateway.pages import unsaved_input
from gateway.pages.form_session import SessionFull
from gateway.pages.form_session_store import StoreUnavailable
from gateway.pages.multipart import fields_of
from gateway.pages.page_context import Page, PageContext, StaleForm, clean
from gateway.pages.request_origin import Origin
from gateway.pages.unsaved_input import Form, SubmittedForms, UnsavedForm

log = logs.get("pages")


class ForeignForm(NotAllowed):
    """A form that another site sent."""

    code = "foreign_form"


class FormOfAnotherCase(StaleForm):
    """A form of one case, while another one is open."""

    code = "form_of_another_case"


class InputNotSaved(Unavailable):
    """The store of form sessions is full or unreachable."""

    code = "draft_not_kept"


async def handle_request(context: PageContext, page: Page, form_page: Page, reads_form: bool) -> Response:
    """The answer of `page`. `form_page`: the page with the form that is posted to it; `reads_form` False: it reads its own."""
    await context.load()
    if context.request.method == "POST":
        response = await _handle_post(context, page, form_page, reads_form)
    else:
        response = await _handle_get(context, page)
    context.session.set_cookies(response)
    return response


async def refuse(context: PageContext, error: PeygirError) -> Response:
    """The answer to a request that is refused before its page runs. What was typed is shown, and saved for a visitor who
    has a session already: a flood of requests makes no new records."""
    await context.load()
    if context.request.method == "POST" and context.origin is not Origin.FOREIGN:
        if context.request.headers.get("content-type", "").lower().startswith("application/x-www-form-urlencoded"):
            with suppress(PeygirError, ValueError):
                await context.read_form()
        else:
            context.form = _cleaned(await fields_of(context.request, to_its_end=False))
        if context.session.names("") and context.session.accepts_form_token(context.field_value("token")):
            await _save_input(context)
    return context.problem_page(error)


async def _handle_get(context: PageContext, page: Page) -> Response:
    chosen = context.request.query_params.get("lang")
    if chosen in ("fa", "en") and context.choose_language(chosen):
        return context.redirect(context.path)
    if unsaved_input.is_action(context.path):
        return context.redirect(unsaved_input.form_path(context.path))
    context.restore_input()
    try:
        response = await page(context)
    except PeygirError as error:
        response = context.problem_page(error)
    with suppress(StoreUnavailable):  # renewed tokens at most
        await context.session.save()
    return response


async def _handle_post(context: PageContext, page: Page, form_page: Page, reads_form: bool) -> Response:
    if context.origin is Origin.FOREIGN:
        return context.problem_page(ForeignForm())
    try:
        response = await _run_page(context, page, reads_form)
    except PeygirError as error:
        if not isinstance(error, StaleForm):
            await _read_remaining_form(context)
        return await _handle_failure(context, form_page, error)
    except Exception:
        await _save_input(context)
        raise
    await _read_remaining_form(context)
    if context.accepted or await _was_submitted(context):
        _discard_input(context)
    elif await _save_input(context) and response.status_code == 303:
        response.headers["location"] = _with_saved_notice(context, response.headers["location"])
    try:
        await context.session.save()
    except StoreUnavailable:
        if not context.had_effect:
            return await _redisplay(context, form_page, InputNotSaved(retry_after=30))
    return response


async def _run_page(context: PageContext, page: Page, reads_form: bool) -> Response:
    if reads_form:
        try:
            await context.read_form()
        except ValueError as error:
            if "fields exceeded" not in str(error):
                raise
            raise NotFound from None
        if not context.session.accepts_form_token(context.field_value("token")):
            raise StaleForm
        await _save_input(context)
    return await page(context)


async def _read_remaining_form(context: PageContext) -> None:
    """Reads what was typed into a form with a file whose page answered before it looked at the form."""
    if context.form:
        return
    try:
        fields = await fields_of(context.request)
    except TooSlow:
        return  # what came too slowly is not waited for again
    if fields and context.session.accepts_form_token(fields.get("token", [""])[0]):
        context.form = _cleaned(fields)


def _cleaned(fields: Form) -> Form:
    return {name: [clean(value) for value in values] for name, values in fields.items()}


async def _handle_failure(context: PageContext, form_page: Page, error: PeygirError) -> Response:
    subject = context.session.subject
    if isinstance(error, StaleForm):
        form_subject = context.session.form_subject(context.field_value("token"))
        if form_subject is None and context.origin is not Origin.OWN:
            # It may be a forgery: what is in it is shown, and neither saved nor offered again.
            return context.problem_page(error)
        subject = form_subject or ""
        if form_subject:
            await _save_input(context, subject)
            return context.problem_page(FormOfAnotherCase(), to_follow=True)
    await _save_input(context, subject)
    return await _redisplay(context, form_page, error)


async def _redisplay(context: PageContext, form_page: Page, error: PeygirError) -> Response:
    """The form with all that was typed and what went wrong; where it cannot be shown, a page with the text."""
    redisplayed = context.for_redisplay(error)
    try:
        response = await form_page(redisplayed)
    except PeygirError:
        return context.problem_page(error)
    if response.status_code >= 300 and response.status_code != error.status:
        return context.problem_page(error)
    return context.with_delay(response, error)


async def _save_input(context: PageContext, subject: str | None = None) -> bool:
    """Saves what was typed into this form, as far as the store can."""
    fields = unsaved_input.worth_keeping(context.form)
    if not fields:
        return False
    about = context.session.subject if subject is None else subject
    try:
        context.session.write(_input_name(context), UnsavedForm(about=about, fields=fields))
        await context.session.save()
    except SessionFull:
        context.session.drop(_input_name(context))
        return False
    except StoreUnavailable:
        return False
    return True


async def _was_submitted(context: PageContext) -> bool:
    """Whether another click on the same form had its effect meanwhile."""
    key = context.field_value("key")
    if not key or not unsaved_input.worth_keeping(context.form):
        return False
    await context.session.load()
    sent = context.session.read("sent", SubmittedForms)
    return sent is not None and key in sent.keys


def _discard_input(context: PageContext) -> None:
    context.session.drop(_input_name(context))
    if context.had_effect and (key := context.field_value("key")):
        context.session.write("sent", (context.session.read("sent", SubmittedForms) or SubmittedForms()).with_key(key))


def _input_name(context: PageContext) -> str:
    return unsaved_input.PREFIX + unsaved_input.form_path(context.path)


def _with_saved_notice(context: PageContext, location: str) -> str:
    """Adds the message that the text is saved to the next page, unless that has a message already."""
    address = urlsplit(location)
    if address.netloc or any(name == "note" for name, _ in parse_qsl(address.query)):
        return location
    return f"{address.path}?{urlencode([*parse_qsl(address.query), ('note', context.session.sign_notice('kept'))])}"
