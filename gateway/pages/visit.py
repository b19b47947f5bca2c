"""One request of one visitor: language, form, cookies, and the page that answers it."""

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
from contracts.errors import NotAllowed, PeygirError, TooLarge, TooMany, Unavailable, duration_text
from contracts.intake import ListedReason
from contracts.tracking import PublicEntry
from contracts.vocabulary import KIND_NAMES, OUTCOME_NAMES, STAGE_NAMES, Kind, Language
from gateway.cases.views import refusal_text
from gateway.pages import typed, words
from gateway.pages.cookies import Cookies
from gateway.pages.draft import OpenCase, SignedIn
from gateway.pages.gateway_port import GatewayPort, Visitor
from gateway.pages.origin import Origin, origin_of
from gateway.pages.typed import TypedForm
from gateway.pages.visit_store import VisitStore

FOLDER = Path(__file__).parent
FORM_LIMIT = 512 * 1024
"""Octets of a form without files: the longest text in the widest letters, percent-encoded, some times over, so that one that
is too long is told beside its field."""
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
class Said:
    """What was typed wrong: `field` is the id of the element that has the error."""

    field: str
    text: str


@dataclass(frozen=True)
class Site:
    """What all visits share. `key`: 32 octets, the same in every gateway; `public_url`: how citizens reach us, or empty."""

    key: bytes
    store: VisitStore
    public_url: str = ""


class StaleForm(NotAllowed):
    """The form is not from a page of ours, or from one of another visit."""

    code = "stale_form"
    texts = {
        "fa": "این صفحه کهنه شده است و چیزی فرستاده نشد. آنچه نوشته‌اید را ببینید و دوباره بفرستید.",
        "en": "This page was too old and nothing was sent. Look at what you wrote and send it again.",
    }


class DraftsAway(Unavailable):
    """The store of drafts does not answer: whether there is a draft is not known."""

    code = "drafts_away"
    texts = {
        "fa": "آنچه نوشته‌اید اکنون خوانده نمی‌شود. کمی بعد دوباره تلاش کنید.",
        "en": "What you wrote cannot be read just now. Try again shortly.",
    }


@dataclass(frozen=True)
class Unsent:
    """A form of the opened case that has not had its effect: its address and what was written into it."""

    path: str
    texts: list[str]


class Visit:
    """What a page's code works with. `form` holds what was posted, or typed here before and not sent; `errors` what is
    wrong with it; `status` the page's, where an error has decided it."""

    def __init__(self, request: Request, door: GatewayPort, site: Site, address: str) -> None:
        self.request, self.door, self.address = request, door, address
        self.origin = origin_of(request, site.public_url)
        # What another site makes a browser send comes without cookies, and must not begin a visit over the one there is.
        starts = self.origin is Origin.OWN or (request.method != "POST" and self.origin is Origin.UNKNOWN)
        self.cookies = Cookies(request, site.key, site.store, site.public_url.startswith("https:"), starts)
        self.language = Language.EN if self.cookies.plain("language") == "en" else Language.FA
        self.form: dict[str, list[str]] = {}
        self.errors: list[Said] = []
        self.accepted = self.had_effect = self.restored = False
        self.status: int | None = None
        self.refusal: TooMany | None = None
        """Why the visitor is to wait."""

    async def begin(self) -> None:
        """Reads what is kept for the visitor."""
        await self.cookies.load()
        self.cookies.proven = self.origin is Origin.OWN
        if self.path.startswith("/case"):
            self.is_about(self.cookies.read("case", OpenCase))  # of whatever age: a form outlives it
        elif (kind := self.request.path_params.get("kind")) in set(Kind):
            self.cookies.subject = str(kind)

    def is_about(self, opened: OpenCase | None) -> None:
        """The forms from here on are of this case."""
        self.cookies.subject = "" if opened is None else self.cookies.case_subject(str(opened.code or opened.case_id))

    @property
    def kind_begun(self) -> Kind | None:
        """The kind of submission whose first page this is, or whose first page was posted."""
        about = self.cookies.form_subject(self.typed("token")) or self.request.path_params.get("kind")
        return Kind(about) if about in set(Kind) else None

    def accept(self, had_effect: bool = False) -> None:
        """What was typed is taken: it need not be kept as typed any more. `had_effect`: something was done outside of these
        pages, which no failure of ours undoes."""
        self.accepted, self.had_effect = True, had_effect

    def recall(self) -> None:
        """Takes up what was typed on this page before and did not have its effect."""
        kept = self._kept_form(typed.PREFIX + typed.form_path(self.path))
        if kept is not None:
            self.form, self.restored = kept.fields, bool(typed.texts(kept.fields))

    def unsent(self) -> list[Unsent]:
        """Forms of the opened case that were filled in and did not have their effect."""
        names = self.cookies.names(typed.PREFIX + "/case")
        forms = [(name.removeprefix(typed.PREFIX), self._kept_form(name)) for name in names]
        return [Unsent(path, typed.texts(kept.fields)) for path, kept in forms if kept and typed.texts(kept.fields)]

    def _kept_form(self, name: str) -> TypedForm | None:
        kept = self.cookies.read(name, TypedForm)
        return kept if kept is not None and kept.about in ("", self.cookies.subject) else None

    def showing(self, error: PeygirError) -> Visit:
        """The same visit as it reads the page of its form: what was typed is there, and `error` is told."""
        path = typed.form_path(self.path)
        scope = {**self.request.scope, "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b""}
        shown = copy.copy(self)
        shown.request = Request(scope)
        shown.errors = []
        shown.refused("", error)
        shown.status = error.status
        return shown

    def choose_language(self, chosen: str) -> bool:
        """Keeps the choice; False when it is for this page alone: another site's link changes no choice that was made."""
        if self.origin is not Origin.FOREIGN or not self.cookies.plain("language"):
            self.cookies.set_plain("language", chosen)
            return True
        self.language = Language(chosen)
        return False

    @property
    def note(self) -> str:
        """What the page before wants to be said here, by name."""
        return self.cookies.noted(self.request.query_params.get("note", ""))

    @property
    def path(self) -> str:
        return self.request.url.path

    @property
    def signed_in(self) -> SignedIn | None:
        return self.cookies.read("citizen", SignedIn, SIGNED_IN_KEPT)

    def visitor(self, access_token: str | None = None) -> Visitor:
        return Visitor(self.address, self.language, access_token, self.typed("ticket") or None)

    @property
    def ticket(self) -> str | None:
        """What the form carries that is to be sent again after a while."""
        ticket = self.refusal.params.get("ticket") if self.refusal is not None else None
        return str(ticket) if ticket else None

    def say(self, key: str, /, **values: object) -> str:
        return words.text(self.language, key, **values)

    def name(self, thing: Any) -> str:
        """The name of a unit, ground, question or option in the visitor's language."""
        return str(thing.name_en if self.language is Language.EN and thing.name_en else thing.name_fa)

    def entry_name(self, entry: PublicEntry) -> str:
        """What a line of the timeline tells; one we have no words for tells its stage."""
        key = f"entry_{entry.entry}"
        return self.say(key) if key in words.texts() else STAGE_NAMES[entry.stage][self.language]

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

    def typed(self, field: str) -> str:
        """What was posted in a field, without the spaces around it; empty when nothing of it can be seen."""
        text = self.form.get(field, [""])[0].strip()
        return "" if persian.is_blank(text) else text

    def line(self, field: str) -> str:
        """The same on one line."""
        return " ".join(self.typed(field).split())

    def wrong(self, field: str, key: str, /, **values: object) -> None:
        self.errors.append(Said(field, self.say(key, **values)))

    def refused(self, field: str, error: PeygirError) -> None:
        """An error of the system that belongs beside a field."""
        if isinstance(error, TooMany):
            self.refusal = error
        if self.ticket is not None:
            wait = duration_text(error.params["retry_after"], self.language)
            self.wrong(field, "wait_and_send", wait=wait)
            return
        self.errors.append(Said(field, error.text(self.language)))

    def page(self, template: str, title: str, /, status: int | None = None, **context: Any) -> Response:
        """The page; 422 when it tells errors, 429 when one of them is to wait."""
        html = _environment().get_template(f"{template}.html").render(self._context(title, context))
        refused = self.status or (self.refusal.status if self.refusal is not None else 422)
        answer = self.answer(HTMLResponse(html, status or self.status or (refused if self.errors else 200)))
        return self.with_delay(answer, self.refusal) if self.refusal is not None else answer

    def go(self, path: str, note: str = "") -> Response:
        """On to another page, by GET: so back and reload never send a form again. `note`: what is to be said there; without
        one, what was to be said here."""
        note = note or (self.note if self.request.method != "POST" else "")
        return self.answer(
            RedirectResponse(f"{path}?{urlencode({'note': self.cookies.note(note)})}" if note else path, 303)
        )

    def gone(self, path: str) -> Response:
        """To `path`, where it is said that there is no draft any more. DraftsAway when that cannot be known."""
        if not self.cookies.complete:
            raise DraftsAway(retry_after=30)
        return self.go(path, "gone")

    def answer(self, response: Response) -> Response:
        response.headers.update({**HEADERS, "Content-Language": str(self.language)})
        return response

    def problem(self, error: PeygirError, title: str | None = None, to_follow: bool = False) -> Response:
        """A page that says what went wrong, with what was written, if anything was. `to_follow`: a code is wanted next."""
        self.errors = []
        posted = self.request.method == "POST" and self.origin is not Origin.FOREIGN
        context = {
            "message": error.text(self.language),
            "written": typed.texts(self.form) if posted else [],
            "back_to": "/follow" if to_follow else typed.form_path(self.path) if posted else self.path,
        }
        return self.with_delay(self.page("problem", title or self.say("problem_title"), error.status, **context), error)

    def with_delay(self, answer: Response, error: PeygirError) -> Response:
        """`answer`, with how long to wait where `error` says it."""
        if "retry_after" in error.params:
            answer.headers["Retry-After"] = str(error.params["retry_after"])
        return answer

    def stale(self) -> Response:
        """The form does not come from a page of ours, or from one of another visit."""
        raise StaleForm

    def _reasons(self) -> dict[str, ListedReason]:
        catalogue = self.door.catalogue()
        return {} if catalogue is None else {reason.code: reason for reason in catalogue.refusal_reasons}

    def _context(self, title: str, context: dict[str, Any]) -> dict[str, Any]:
        language = self.language
        return {
            "visit": self,
            "t": self.say,
            "name": self.name,
            "lang": str(language),
            "dir": "rtl" if language is Language.FA else "ltr",
            "title": title,
            "errors": self.errors,
            "error": {said.field: said.text for said in reversed(self.errors)},
            "token": self.cookies.form_token(),
            "digits": partial(words.digits, language),
            "day": partial(words.day, language),
            "moment": partial(words.moment, language),
            "size": partial(words.size, language),
            "mobile": partial(words.mobile, language),
            "kind_name": lambda kind: KIND_NAMES[kind][language],
            "stage_name": lambda stage: STAGE_NAMES[stage][language],
            "outcome_name": lambda outcome: OUTCOME_NAMES[outcome][language],
            "refusal_name": lambda case: refusal_text(case, language, self._reasons()),
            "style": style_path(),
            "note": self.note,
            "keeps_text": bool(self.cookies.names(typed.PREFIX)),
            **context,
        }


Page = Callable[[Visit], Awaitable[Response]]


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
