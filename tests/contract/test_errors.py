"""Errors: stable codes, a status, and texts in both languages; they cross the wire unchanged."""

from __future__ import annotations

import pytest

from contracts.errors import PeygirError, every_error, from_wire
from texts.errors import TEXTS, error_text

ERRORS = sorted(every_error().values(), key=lambda cls: cls.__name__)


def test_each_has_a_text_of_its_own() -> None:
    assert {cls.code for cls in ERRORS} - set(TEXTS) == set()


def test_codes_are_never_shared() -> None:
    codes = [cls.code for cls in ERRORS]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("cls", ERRORS, ids=lambda cls: cls.__name__)
def test_each_has_texts_in_both_languages(cls: type[PeygirError]) -> None:
    error = cls()
    assert error_text(error, "fa") != error_text(error, "en")
    assert any("\u0600" <= letter <= "\u06ff" for letter in error_text(error, "fa"))
    assert error_text(error, "xx") == error_text(error, "fa")
    assert 400 <= cls.status < 600


@pytest.mark.parametrize("cls", ERRORS, ids=lambda cls: cls.__name__)
def test_each_crosses_the_wire(cls: type[PeygirError]) -> None:
    params = {"limit": 10} if cls is not PeygirError else {}
    error = cls(params)
    again = from_wire(type(error).__name__, list(error.args))
    assert type(again) is cls
    assert again.params == params


def test_an_unknown_error_reveals_nothing() -> None:
    error = from_wire("KeyError", ["a secret"])
    assert type(error) is PeygirError
    assert error.params == {}
