"""One request from its first byte to its answer: who may post, what was typed, what is kept, and what is said if it fails.

Whatever becomes of a posted form, what was typed is not lost. It is kept with the visit before the page's code runs, and
forgotten when that says that it had its effect (`Visit.accept`). After an error the form is shown again with it; where the
form cannot be shown, the text itself is.
"""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.responses import Response

from backbone.process import logs
from contracts.errors import NotAllowed, NotFound, PeygirError, Unavailable
from gateway.edge.problems import TooSlow
from gateway.pages import typed
from gateway.pages.cookies import TooMuch
from gateway.pages.multipart import fields_of
from gateway.pages.origin import Origin
from gateway.pages.typed import Form, SentForms, TypedForm
from gateway.pages.visit import Page, StaleForm, Visit, clean
from gateway.pages.visit_store import StoreUnavailable

log = logs.get("pages")


class ForeignForm(NotAllowed):
    """A form that another site sent."""

    code = "foreign_form"
    texts = {
        "fa": "این فرم از سایت دیگری فرستاده شده است و پذیرفته نمی‌شود.",
        "en": "This form was sent by another site and is not accepted.",
    }


class OtherCase(StaleForm):
    """A form of one case, while another one is open."""

    code = "form_of_another_case"
    texts = {
        "fa": "این فرم از پرونده دیگری است، نه از پرونده‌ای که اکنون در این مرورگر باز است؛ چیزی فرستاده نشد. "
        "همان پرونده را دوباره باز کنید.",
        "en": "This form belongs to another case than the one now open in this browser; nothing was sent. Open that case again.",
    }


class NotKept(Unavailable):
    """The store of drafts is full or away."""

    code = "draft_not_kept"
    texts = {
        "fa": "سامانه اکنون نمی‌تواند نوشته شما را نگه دارد. نوشته در همین صفحه است؛ آن را نبندید و کمی بعد دوباره بفرستید.",
        "en": "We cannot keep what you wrote just now. It is still on this page: do not close it, and send it again shortly.",
    }


async def attend(visit: Visit, page: Page, shows: Page, reads_form: bool) -> Response:
    """The answer of `page`. `shows`: the page with the form that is posted to it; `reads_form` False: it reads its own."""
    await visit.begin()
    if visit.request.method == "POST":
        response = await _posted(visit, page, shows, reads_form)
    else:
        response = await _read(visit, page)
    visit.cookies.apply(response)
    return response


async def refuse(visit: Visit, error: PeygirError) -> Response:
    """The answer to a request that is refused before its page is asked. What was typed is shown, and kept for a visitor of
    whom something is kept already: who floods us makes no new records."""
    await visit.begin()
    if visit.request.method == "POST" and visit.origin is not Origin.FOREIGN:
        if visit.request.headers.get("content-type", "").lower().startswith("application/x-www-form-urlencoded"):
            with suppress(PeygirError, ValueError):
                await visit.read_form()
        else:
            visit.form = _cleaned(await fields_of(visit.request, to_its_end=False))
        if visit.cookies.names("") and visit.cookies.is_form_token(visit.typed("token")):
            await _keep_typed(visit)
    return visit.problem(error)


async def _read(visit: Visit, page: Page) -> Response:
    chosen = visit.request.query_params.get("lang")
    if chosen in ("fa", "en") and visit.choose_language(chosen):
        return visit.go(visit.path)
    if typed.is_action(visit.path):
        return visit.go(typed.form_path(visit.path))
    visit.recall()
    try:
        response = await page(visit)
    except PeygirError as error:
        response = visit.problem(error)
    with suppress(StoreUnavailable):  # renewed tokens at most
        await visit.cookies.save()
    return response


async def _posted(visit: Visit, page: Page, shows: Page, reads_form: bool) -> Response:
    if visit.origin is Origin.FOREIGN:
        return visit.problem(ForeignForm())
    try:
        response = await _run(visit, page, reads_form)
    except PeygirError as error:
        if not isinstance(error, StaleForm):
            await _read_unread(visit)
        return await _failed(visit, shows, error)
    except Exception:
        await _keep_typed(visit)
        raise
    await _read_unread(visit)
    if visit.accepted or await _was_sent(visit):
        _forget_typed(visit)
    elif await _keep_typed(visit) and response.status_code == 303:
        response.headers["location"] = _with_note(visit, response.headers["location"])
    try:
        await visit.cookies.save()
    except StoreUnavailable:
        if not visit.had_effect:
            return await _show_again(visit, shows, NotKept(retry_after=30))
    return response


async def _run(visit: Visit, page: Page, reads_form: bool) -> Response:
    if reads_form:
        try:
            await visit.read_form()
        except ValueError as error:
            if "fields exceeded" not in str(error):
                raise
            raise NotFound from None
        if not visit.cookies.is_form_token(visit.typed("token")):
            raise StaleForm
        await _keep_typed(visit)
    return await page(visit)


async def _read_unread(visit: Visit) -> None:
    """Reads what was typed into a form with a file whose page answered before it looked at the form."""
    if visit.form:
        return
    try:
        fields = await fields_of(visit.request)
    except TooSlow:
        return  # what came too slowly is not waited for again
    if fields and visit.cookies.is_form_token(fields.get("token", [""])[0]):
        visit.form = _cleaned(fields)


def _cleaned(fields: Form) -> Form:
    return {name: [clean(value) for value in values] for name, values in fields.items()}


async def _failed(visit: Visit, shows: Page, error: PeygirError) -> Response:
    subject = visit.cookies.subject
    if isinstance(error, StaleForm):
        of_form = visit.cookies.form_subject(visit.typed("token"))
        if of_form is None and visit.origin is not Origin.OWN:
            # It may be a forgery: what is in it is shown, and neither kept nor offered again.
            return visit.problem(error)
        subject = of_form or ""
        if of_form:
            await _keep_typed(visit, subject)
            return visit.problem(OtherCase(), to_follow=True)
    await _keep_typed(visit, subject)
    return await _show_again(visit, shows, error)


async def _show_again(visit: Visit, shows: Page, error: PeygirError) -> Response:
    """The form with all that was typed and what went wrong; where it cannot be shown, a page with the text."""
    shown = visit.showing(error)
    try:
        response = await shows(shown)
    except PeygirError:
        return visit.problem(error)
    if response.status_code >= 300 and response.status_code != error.status:
        return visit.problem(error)
    return visit.with_delay(response, error)


async def _keep_typed(visit: Visit, subject: str | None = None) -> bool:
    """Keeps what was typed into this form, as far as the store can."""
    fields = typed.worth_keeping(visit.form)
    if not fields:
        return False
    about = visit.cookies.subject if subject is None else subject
    try:
        visit.cookies.write(_name(visit), TypedForm(about=about, fields=fields))
        await visit.cookies.save()
    except TooMuch:
        visit.cookies.drop(_name(visit))
        return False
    except StoreUnavailable:
        return False
    return True


async def _was_sent(visit: Visit) -> bool:
    """Whether another click on the same form had its effect meanwhile."""
    key = visit.typed("key")
    if not key or not typed.worth_keeping(visit.form):
        return False
    await visit.cookies.load()
    sent = visit.cookies.read("sent", SentForms)
    return sent is not None and key in sent.keys


def _forget_typed(visit: Visit) -> None:
    visit.cookies.drop(_name(visit))
    if visit.had_effect and (key := visit.typed("key")):
        visit.cookies.write("sent", (visit.cookies.read("sent", SentForms) or SentForms()).and_(key))


def _name(visit: Visit) -> str:
    return typed.PREFIX + typed.form_path(visit.path)


def _with_note(visit: Visit, location: str) -> str:
    """Says on the next page that the text is kept, unless that says more already."""
    address = urlsplit(location)
    if address.netloc or any(name == "note" for name, _ in parse_qsl(address.query)):
        return location
    return f"{address.path}?{urlencode([*parse_qsl(address.query), ('note', visit.cookies.note('kept'))])}"
