"""One request of one visitor: language, form, cookies, and the page that answers it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from backbone import persian
from contracts.errors import NotFound, PeygirError, TooLarge
from contracts.intake import ListedReason
from contracts.tracking import PublicEntry
from contracts.vocabulary import KIND_NAMES, OUTCOME_NAMES, STAGE_NAMES, Language
from gateway.pages import words
from gateway.pages.cookies import Cookies
from gateway.pages.door import Door, Visitor
from gateway.pages.draft import SignedIn
from gateway.views import refusal_text

FOLDER = Path(__file__).parent
FORM_LIMIT = 128 * 1024  # octets of a form without files
SIGNED_IN_KEPT = 60 * 60  # seconds
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_FORBIDDEN = re.compile(
    "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069]"
)  # as gateway.fields has it


@dataclass(frozen=True)
class Said:
    """What was typed wrong: `field` is the id of the element that has the error."""

    field: str
    text: str


class Visit:
    """What a page's code works with. `form` holds what was posted; `errors` what is wrong with it."""

    def __init__(self, request: Request, door: Door, key: bytes, address: str) -> None:
        self.request, self.door, self.address = request, door, address
        self.cookies = Cookies(request, key)
        self.language = Language.EN if self.cookies.plain("language") == "en" else Language.FA
        self.form: dict[str, list[str]] = {}
        self.errors: list[Said] = []

    @property
    def path(self) -> str:
        return self.request.url.path

    @property
    def signed_in(self) -> SignedIn | None:
        return self.cookies.read("citizen", SignedIn, SIGNED_IN_KEPT)

    def visitor(self, access_token: str | None = None) -> Visitor:
        return Visitor(self.address, self.language, access_token)

    def say(self, key: str, /, **values: object) -> str:
        return words.text(self.language, key, **values)

    def name(self, thing: Any) -> str:
        """The name of a unit, ground, question or option in the visitor's language."""
        return str(thing.name_en if self.language is Language.EN and thing.name_en else thing.name_fa)

    def entry_name(self, entry: PublicEntry) -> str:
        """What a line of the timeline tells; one we have no words for tells its stage."""
        key = f"entry_{entry.entry}"
        return self.say(key) if key in words.texts() else STAGE_NAMES[entry.stage][self.language]

    def rejection(self, reason: str) -> str:
        key = f"reason_{reason}"
        return self.say(key if key in words.texts() else "reason_other")

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
        self.errors.append(Said(field, error.text(self.language)))

    def page(self, template: str, title: str, /, status: int | None = None, **context: Any) -> Response:
        """The page; 422 when it tells errors."""
        html = _environment().get_template(f"{template}.html").render(self._context(title, context))
        return self.answer(HTMLResponse(html, status or (422 if self.errors else 200)))

    def go(self, path: str) -> Response:
        """On to another page, by GET: so back and reload never send a form again."""
        return self.answer(RedirectResponse(path, 303))

    def answer(self, response: Response) -> Response:
        self.cookies.apply(response)
        response.headers.update({**HEADERS, "Content-Language": str(self.language)})
        return response

    def problem(self, error: PeygirError, title: str | None = None) -> Response:
        self.errors = []
        title = title or self.say("problem_title")
        answer = self.page("problem", title, error.status, message=error.text(self.language))
        if "retry_after" in error.params:
            answer.headers["Retry-After"] = str(error.params["retry_after"])
        return answer

    def stale(self) -> Response:
        """The form does not come from a page of ours, or from one of another visit."""
        self.errors = []
        return self.page("problem", self.say("problem_title"), 403, message=self.say("problem_stale"))

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
            **context,
        }


Page = Callable[[Visit], Awaitable[Response]]


async def attend(visit: Visit, page: Page, reads_form: bool) -> Response:
    """The answer of a page, whatever happens: a refusal is told in words, a choice of language is kept."""
    request = visit.request
    chosen = request.query_params.get("lang")
    if request.method in ("GET", "HEAD") and chosen in ("fa", "en"):
        visit.cookies.set_plain("language", chosen)
        return visit.go(request.url.path)
    try:
        if request.method == "POST" and reads_form:
            await visit.read_form()
            if not visit.cookies.is_form_token(visit.typed("token")):
                return visit.stale()
        return await page(visit)
    except PeygirError as error:
        return visit.problem(error)
    except ValueError as error:
        if not _is_malformed_form(error):
            raise
        return visit.problem(NotFound())


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


def _is_malformed_form(error: ValueError) -> bool:
    return "fields exceeded" in str(error)


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
