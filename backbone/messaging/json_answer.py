"""An answer that a query has written as JSON already: it is sent as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class JsonAnswer(Generic[Model]):
    """`text`: JSON that `model` describes."""

    model: type[Model]
    text: str

    def model_dump_json(self) -> str:
        """As of a model."""
        return self.text

    def read(self) -> Model:
        """The answer as whoever asked for it reads it."""
        return self.model.model_validate_json(self.text)
