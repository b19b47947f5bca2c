"""All that is wrong with a submission, told at once: shapes, what the catalogue says, and who files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from contracts.errors import IdentityNeeded, Invalid, InvalidField, PeygirError

FieldErrors = Sequence[Mapping[str, Any]]


class Findings:
    """`shapes`: fields that are no values of their kind, found before; nothing else is said of them and what depends on them."""

    def __init__(self, shapes: FieldErrors = ()) -> None:
        self._shapes = list(shapes)
        self.unreadable = frozenset(_first_name(field) for field in shapes)
        """Fields of the body whose value is not known."""
        self._errors: list[PeygirError] = []

    def add(self, error: PeygirError) -> None:
        """One more; nothing where it is about what is not known."""
        fields = error.params.get("fields")
        if fields is None:
            self._errors.append(error)
        elif told := [field for field in fields if _first_name(field) not in self.unreadable]:
            self._errors.append(error if len(told) == len(fields) else type(error)(fields=told))

    def field(self, name: str, reason: str, **params: Any) -> None:
        """One more field with what is wrong about it."""
        self.add(InvalidField(fields=[{"field": name, "reason": reason, **params}]))

    def raise_all(self) -> None:
        """Nothing when nothing was found; the error itself where it is the only one; else one InvalidField with all fields."""
        if not self._shapes and len(self._errors) == 1:
            raise self._errors[0]
        fields = [*self._shapes, *(field for error in self._errors for field in _fields(error))]
        if fields:
            raise InvalidField(fields=fields)


def _first_name(field: Mapping[str, Any]) -> str:
    return str(field.get("field", "")).partition(".")[0]


def _fields(error: PeygirError) -> FieldErrors:
    if isinstance(error, IdentityNeeded):
        return [{"field": "identity", "reason": error.code}]
    assert isinstance(error, Invalid)
    return list(error.params.get("fields", ()))
