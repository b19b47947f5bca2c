"""What was typed into a form and has not had its effect yet: kept by the form's address until it has."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

Form = dict[str, list[str]]

PREFIX = "typed:"
_NOT_KEPT = frozenset(
    {
        *("token", "ticket", "consent", "saved", "remove", "skip"),
        *("unit", "under", "keep", "search", "case", "kind", "file", "code"),
    }
)
"""Buttons and ticks, which are quickly pressed again; and codes, which are secrets."""
_NO_TEXT = frozenset({"key", "identity", "ground", "score", "slot"})
_PARTS = ("/more", "/again", "/remove")
_MOST_KEYS = 20

BACK_TO: Mapping[str, str] = {
    "/file/forget": "/",
    "/case/leave": "/case",
    "/mine/open": "/mine",
    "/mine/leave": "/mine",
}
"""Forms that are on another page."""


class UnsavedForm(BaseModel):
    """`about`: which case it was typed for; empty where that is not known, or no matter."""

    about: str = ""
    fields: Form


class SubmittedForms(BaseModel):
    """The keys of forms that had their effect: a second click on one is no text that was not sent."""

    keys: list[str] = []

    def with_key(self, key: str) -> SubmittedForms:
        return SubmittedForms(keys=[*(kept for kept in self.keys if kept != key), key][-_MOST_KEYS:])


def form_path(path: str) -> str:
    """The address of the page that shows the form which is posted to `path`."""
    for part in _PARTS:
        path = path.removesuffix(part)
    return BACK_TO.get(path, path)


def is_action(path: str) -> bool:
    """Whether `path` only takes posts, and has no form of its own."""
    return form_path(path) != path


def worth_keeping(form: Form) -> Form:
    """The fields that a visitor would have to type again; none when all of them are empty."""
    kept = {name: values for name, values in form.items() if name not in _NOT_KEPT}
    return kept if any(value.strip() for name in kept for value in kept[name] if name != "key") else {}


def texts(form: Form) -> list[str]:
    """What was written in words, to be shown where the form itself cannot be."""
    return [
        value
        for name, values in worth_keeping(form).items()
        if name not in _NO_TEXT
        for value in values
        if value.strip()
    ]
