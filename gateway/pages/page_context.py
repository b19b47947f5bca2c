"""One request of one visitor: language, form, form session, and the page that answers it."""

from __future__ import annotations

import copy
import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from backbone.persian import normalisation as persian
from contracts.errors import NotAllowed, PeygirError, TooLarge, TooMany, Unavailable
from contracts.intake import ListedReason
from contracts.tracking import PublicEntry
from contracts.vocabulary import Kind, Language
from gateway.cases.views import refusal_text
from gateway.pages import formatting, unsaved_input
from gateway.pages.draft import OpenCase, SignedIn
from gateway.pages.form_session import FormSession
from gateway.pages.form_session_store import FormSessionStore
from gateway.pages.gateway_port import GatewayPort, Visitor
from gateway.pages.request_origin import Origin, origin_of
from gateway.pages.unsaved_input import UnsavedForm
from texts.errors import duration_text, error_text
from texts.vocabulary import KIND_NAMES, OUTCOME_NAMES, STAGE_NAMES

FOLDER = Path(__file__).parent
FORM_LIMIT = 512 * 1024
"""Octets of a form without files: the longest text in the widest letters, percent-encoded, some times over, so that one that
is too long is reported beside its field."""
SIGNED_IN_KEPT = 60 * 60  # seconds
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; media-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_FORBIDDEN = re.compile(
    "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069]"
)  # as gateway.api.fields has it


@dataclass(frozen=True)
class FieldError:
    """What was typed wrong: `field` is the id of the element that has the error."""

    field: str
    text: str


@dataclass(frozen=True)
class SiteSettings:
    """What all requests share. `key`: 32 octets, the same in every gateway; `public_url`: how citizens reach us, or empty."""

    key: bytes
    store: FormSessionStore
    public_url: str = ""


class StaleForm(NotAllowed):
    """The form is not from a page of ours, or from of another session."""

    code = "stale_form"


class DraftUnreadable(Unavailable):
    """The store of form sessions does not answer: whether there is a draft is not known."""

    code = "drafts_away"


@dataclass(frozen=True)
class UnsubmittedForm:
    """A form of the opened case that has not had its effect: its address and what was written into it."""

    path: str
    texts: list[str]


class PageContext:
    """One request to a page, and what the page is rendered from. `form` holds what was posted, or typed here before and not
    sent; `errors` what is wrong with it; `status` the page's, where an error has decided it."""

    def __init__(self, request: Request, gateway: GatewayPort, site: SiteSettings, address: str) -> None:
        self.request, self.gateway, self.address = request, gateway, address
        self.origin = origin_of(request, site.public_url)
        # What another site makes a browser send comes without cookies, and must not start a session in place of the one there is.
        starts = self.origin is Origin.OWN or (request.method != "POST" and self.origin is Origin.UNKNOWN)
        self.session = FormSession(request, site.key, site.store, site.public_url.startswith("https:"), starts)
        self.language = Language.EN if self.session.browser_value("language") == "en" else Language.FA
        self.form: dict[str, list[str]] = {}
        self.errors: list[FieldError] = []
        self.accepted = self.had_effect = self.restored = False
        self.status: int | None = None
        self.refusal: TooMany | None = None
        """Why the visitor is to wait."""

    async def load(self) -> None:
        """Reads what is kept for the visitor."""
        await self.session.load()
        self.session.sent_by_own_page = self.origin is Origin.OWN
        if self.path.startswith("/case"):
            self.bind_forms_to(self.session.read("case", OpenCase))  # of whatever age: a form outlives it
        elif (kind := self.request.path_params.get("kind")) in set(Kind):
            self.session.subject = str(kind)

    def bind_forms_to(self, opened: OpenCase | None) -> None:
        """The forms from here on are of this case."""
        self.session.subject = "" if opened is None else self.session.case_subject(str(opened.code or opened.case_id))

    @property
    def kind_begun(self) -> Kind | None:
        """The kind of submission whose first page this is, or whose first page was posted."""
        about = self.session.form_subject(self.field_value("token")) or self.request.path_params.get("kind")
        return Kind(about) if about in set(Kind) else None

    def accept(self, had_effect: bool = False) -> None:
        """What was typed is taken: it need not be kept as typed any more. `had_effect`: something was done outside of these
        pages, which no failure of ours undoes."""
        self.accepted, self.had_effect = True, had_effect

    def restore_input(self) -> None:
        """Takes up what was typed on this page before and did not have its effect."""
        kept = self._kept_form(unsaved_input.PREFIX + unsaved_input.form_path(self.path))
        if kept is not None:
            self.form, self.restored = kept.fields, bool(unsaved_input.texts(kept.fields))

    def unsubmitted_forms(self) -> list[UnsubmittedForm]:
        """Forms of the opened case that were filled in and did not have their effect."""
        names = self.session.names(unsaved_input.PREFIX + "/case")
        forms = [(name.removeprefix(unsaved_input.PREFIX), self._kept_form(name)) for name in names]
        return [
            UnsubmittedForm(path, unsaved_input.texts(kept.fields))
            for path, kept in forms
            if kept and unsaved_input.texts(kept.fields)
        ]

    def _kept_form(self, name: str) -> UnsavedForm | None:
        kept = self.session.read(name, UnsavedForm)
        return kept if kept is not None and kept.about in ("", self.session.subject) else None

    def for_redisplay(self, error: PeygirError) -> PageContext:
        """A copy that renders the page of its form, with all that was typed and `error` beside it."""
        path = unsaved_input.form_path(self.path)
        scope = {**self.request.scope, "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b""}
        redisplayed = copy.copy(self)
        redisplayed.request = Request(scope)
        redisplayed.errors = []
        redisplayed.add_problem("", error)
        redisplayed.status = error.status
        return redisplayed

    def choose_language(self, chosen: str) -> bool:
        """Keeps the choice; False when it is for this page alone: another site's link changes no choice that was made."""
        if self.origin is not Origin.FOREIGN or not self.session.browser_value("language"):
            self.session.set_browser_value("language", chosen)
            return True
        self.language = Language(chosen)
        return False

    @property
    def notice(self) -> str:
        """The name of the message that the page before asked for here."""
        return self.session.verified_notice(self.request.query_params.get("note", ""))

    @property
    def path(self) -> str:
        return self.request.url.path

    @property
    def signed_in(self) -> SignedIn | None:
        return self.session.read("citizen", SignedIn, SIGNED_IN_KEPT)

    def visitor(self, access_token: str | None = None) -> Visitor:
        return Visitor(self.address, self.language, access_token, self.field_value("ticket") or None)

    @property
    def ticket(self) -> str | None:
        """What the form carries that is to be sent again after a while."""
        ticket = self.refusal.params.get("ticket") if self.refusal is not None else None
        return str(ticket) if ticket else None

    def text(self, key: str, /, **values: object) -> str:
        return formatting.text(self.language, key, **values)

    def name(self, thing: Any) -> str:
        """The name of a unit, ground, question or option in the visitor's language."""
        return str(thing.name_en if self.language is Language.EN and thing.name_en else thing.name_fa)

    def entry_name(self, entry: PublicEntry) -> str:
        """The text of a timeline entry; one without a text of its own is named by its stage."""
        key = f"entry_{entry.entry}"
        if entry.body_fa is not None:
            body = entry.body_en if self.language is Language.EN and entry.body_en else entry.body_fa
            return self.text(key, body=body)
        return self.text(key) if key in formatting.TEXTS else STAGE_NAMES[entry.stage][self.language]

    async def read_form(self) -> None:
        """Reads a form without files. TooLarge beyond FORM_LIMIT."""
        body = bytearray()
        async for chunk in self.request.stream():
            body += chunk
            if len(body) > FORM_LIMIT:
                raise TooLarge
        pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=200)
        for field, value in pairs:
            self.form.setdefault(field, []).append(clean(value))

    def field_value(self, field: str) -> str:
        """What was posted in a field, without the spaces around it; empty when nothing of it can be seen."""
        text = self.form.get(field, [""])[0].strip()
        return "" if persian.is_blank(text) else text

    def field_line(self, field: str) -> str:
        """The same on one line."""
        return " ".join(self.field_value(field).split())

    def add_error(self, field: str, key: str, /, **values: object) -> None:
        self.errors.append(FieldError(field, self.text(key, **values)))

    def add_problem(self, field: str, error: PeygirError) -> None:
        """Shows an error of a use case beside a field."""
        if isinstance(error, TooMany):
            self.refusal = error
        if self.ticket is not None:
            wait = duration_text(error.params["retry_after"], self.language)
            self.add_error(field, "wait_and_send", wait=wait)
            return
        self.errors.append(FieldError(field, error_text(error, self.language)))

    def render(self, template: str, title: str, /, status: int | None = None, **context: Any) -> Response:
        """The page; 422 when it shows errors, 429 when one of them is a limit."""
        html = _environment().get_template(f"{template}.html").render(self._context(title, context))
        refused = self.status or (self.refusal.status if self.refusal is not None else 422)
        answer = self.with_headers(HTMLResponse(html, status or self.status or (refused if self.errors else 200)))
        return self.with_delay(answer, self.refusal) if self.refusal is not None else answer

    def redirect(self, path: str, note: str = "") -> Response:
        """Redirects by GET, so that back and reload never send a form again. `note`: the message shown there; without one,
        the message that was to be shown here."""
        note = note or (self.notice if self.request.method != "POST" else "")
        return self.with_headers(
            RedirectResponse(f"{path}?{urlencode({'note': self.session.sign_notice(note)})}" if note else path, 303)
        )

    def redirect_without_draft(self, path: str) -> Response:
        """To `path`, with the message that there is no draft any more. DraftUnreadable when that cannot be known."""
        if not self.session.complete:
            raise DraftUnreadable(retry_after=30)
        return self.redirect(path, "gone")

    def with_headers(self, response: Response) -> Response:
        response.headers.update({**HEADERS, "Content-Language": str(self.language)})
        return response

    def problem_page(self, error: PeygirError, title: str | None = None, to_follow: bool = False) -> Response:
        """A page with what went wrong and what was typed, if anything was. `to_follow`: the code is needed next."""
        self.errors = []
        posted = self.request.method == "POST" and self.origin is not Origin.FOREIGN
        context = {
            "message": error_text(error, self.language),
            "written": unsaved_input.texts(self.form) if posted else [],
            "back_to": "/follow" if to_follow else unsaved_input.form_path(self.path) if posted else self.path,
        }
        return self.with_delay(
            self.render("problem", title or self.text("problem_title"), error.status, **context), error
        )

    def with_delay(self, answer: Response, error: PeygirError) -> Response:
        """`answer`, with Retry-After where `error` has it."""
        if "retry_after" in error.params:
            answer.headers["Retry-After"] = str(error.params["retry_after"])
        return answer

    def _reasons(self) -> dict[str, ListedReason]:
        catalogue = self.gateway.catalogue()
        return {} if catalogue is None else {reason.code: reason for reason in catalogue.refusal_reasons}

    def _context(self, title: str, context: dict[str, Any]) -> dict[str, Any]:
        language = self.language
        return {
            "page_context": self,
            "t": self.text,
            "name": self.name,
            "lang": str(language),
            "dir": "rtl" if language is Language.FA else "ltr",
            "title": title,
            "errors": self.errors,
            "error": {error.field: error.text for error in reversed(self.errors)},
            "token": self.session.form_token(),
            "digits": partial(formatting.digits, language),
            "day": partial(formatting.day, language),
            "moment": partial(formatting.moment, language),
            "size": partial(formatting.size, language),
            "mobile": partial(formatting.mobile, language),
            "kind_name": lambda kind: KIND_NAMES[kind][language],
            "stage_name": lambda stage: STAGE_NAMES[stage][language],
            "outcome_name": lambda outcome: OUTCOME_NAMES[outcome][language],
            "refusal_name": lambda case: refusal_text(case, language, self._reasons()),
            "office": formatting.office_name(language),
            "contact": formatting.contact_lines(language),
            "style": style_path(),
            "note": self.notice,
            "keeps_text": bool(self.session.names(unsaved_input.PREFIX)),
            **context,
        }


Page = Callable[[PageContext], Awaitable[Response]]


def clean(value: str) -> str:
    """A text as the API takes it: one kind of line end; control marks that came along with a copied text are left out."""
    value = value.replace("\r\n", "\n").replace("\r", "\n")
    return _FORBIDDEN.sub("", value.encode("utf-8", "replace").decode("utf-8"))


@cache
def style() -> bytes:
    return (FOLDER / "static" / "pages.css").read_bytes()


@cache
def style_path() -> str:
    """Changes with its content, so a browser may keep it for ever."""
    return f"/pages/{hashlib.sha256(style()).hexdigest()[:12]}/pages.css"


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
