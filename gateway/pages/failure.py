"""What a browser is shown where no page answers: an unknown address, a method that is not allowed, a failure of ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from starlette.responses import HTMLResponse, Response

from contracts.errors import PeygirError
from contracts.vocabulary import Language
from gateway.edge import language
from gateway.pages import formatting
from gateway.pages.page_context import HEADERS, _environment, style_path
from texts.errors import error_text

_LANGUAGE_COOKIE = b"peygir-language"


def failure_page(error: PeygirError, headers: Iterable[tuple[bytes, bytes]], more: Mapping[str, str]) -> Response:
    """The page for `error`; `headers`: of the request."""
    chosen_language = _language_of(list(headers))
    sent = {**HEADERS, "Content-Language": chosen_language.value, **more}
    retry_after = error.params.get("retry_after")
    if retry_after is not None or error.status in (503, 504):
        sent["Retry-After"] = str(max(1, round(float(retry_after or 5))))
    html = _environment().get_template("failure.html").render(_context(error, chosen_language))
    return HTMLResponse(html, error.status, sent)


def _context(error: PeygirError, chosen_language: Language) -> dict[str, Any]:
    missing, ours = error.status == 404, error.status >= 500
    title = "failure_missing" if missing else "failure_ours" if ours else "problem_title"
    return {
        "t": lambda key, /, **values: formatting.text(chosen_language, key, **values),
        "lang": str(chosen_language),
        "dir": "rtl" if chosen_language is Language.FA else "ltr",
        "title": formatting.text(chosen_language, title),
        "message": formatting.text(chosen_language, "failure_missing_hint")
        if missing
        else error_text(error, chosen_language),
        "comfort": formatting.text(chosen_language, "failure_nothing_lost") if ours else "",
        "errors": [],
        "office": formatting.office_name(chosen_language),
        "contact": formatting.contact_lines(chosen_language),
        "style": style_path(),
    }


def _language_of(headers: list[tuple[bytes, bytes]]) -> Language:
    """The one that was chosen on the pages, else the browser's."""
    for name, value in headers:
        if name != b"cookie":
            continue
        for pair in value.split(b";"):
            key, _, chosen = pair.strip().partition(b"=")
            if key.removeprefix(b"__Host-") == _LANGUAGE_COOKIE and chosen in (b"fa", b"en"):
                return Language(chosen.decode())
    return language.of(headers)
