"""The catalogue that submissions are checked against: in memory, with a copy on disk for a start without intake."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from pydantic import ValidationError

from backbone.process import logs
from contracts.errors import InvalidField, PeygirError
from contracts.gateway import AnswerValue
from contracts.intake import (
    Catalogue,
    CatalogueChanged,
    GetCatalogue,
    Ground,
    ListedCause,
    ListedReason,
    Question,
    Unit,
)
from contracts.units import UnitTree
from gateway.rabbit.client import RabbitClient

log = logs.get("catalogue")


FORM_FIELDS = frozenset({"version", "units", "grounds", "holidays", "weekend"})
"""What a form needs of the catalogue; everybody may read it."""


def reached_questions(ground: Ground, answers: Mapping[str, AnswerValue | None]) -> list[Question]:
    """The questions of a ground that these answers lead to. A question with a condition is reached when the question it depends
    on is reached and has one of the named answers."""
    reached: dict[str, Question] = {}
    for question in ground.questions:
        if question.when is not None:
            value = answers.get(question.when.question) if question.when.question in reached else None
            chosen = value if isinstance(value, list) else [value]
            if not set(map(str, chosen)) & set(question.when.values):
                continue
        reached[question.code] = question
    return list(reached.values())


class CatalogueCache:
    """The newest catalogue known. `current` is None until there is one."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "catalogue.json"
        self.current: Catalogue | None = None
        self.rendered: bytes = b""
        self.units: dict[str, Unit] = {}
        self.unit_tree = UnitTree({})
        self.grounds: dict[str, Ground] = {}
        self.refusal_reasons: dict[str, ListedReason] = {}
        self.root_causes: dict[str, ListedCause] = {}
        self._listeners: list[Callable[[], None]] = []

    def add_listener(self, listener: Callable[[], None]) -> None:
        """`listener()` is called whenever the catalogue changed."""
        self._listeners.append(listener)

    def load(self) -> None:
        """Takes the copy on disk, if there is a valid one."""
        try:
            self._set(Catalogue.model_validate_json(self._file.read_bytes()))
        except FileNotFoundError:
            return
        except (OSError, ValidationError) as error:
            log.warning("the catalogue's copy cannot be read", error=type(error).__name__)

    async def refresh(self, rabbit: RabbitClient) -> None:
        """Asks intake for the catalogue; the current one stays when intake does not answer."""
        try:
            self.put(await rabbit.call("intake", "get_catalogue", GetCatalogue(), Catalogue))
        except PeygirError as error:
            log.info("the catalogue could not be refreshed", error=error.code)

    def handle_event(self, name: str, body: bytes) -> None:
        """Takes in `catalogue.changed.v1` where its version is newer."""
        if name == CatalogueChanged.name:
            catalogue = CatalogueChanged.model_validate_json(body).catalogue
            if self.current is None or catalogue.version > self.current.version:
                self.put(catalogue)

    def put(self, catalogue: Catalogue) -> None:
        """Makes it the current one and writes it to disk, atomically."""
        # An empty one comes from an intake that was never seeded: no form could be filled in from it.
        if not catalogue.units or (self.current is not None and catalogue == self.current):
            return
        self._set(catalogue)
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._file.parent, prefix=".catalogue", delete=False) as copy:
                copy.write(catalogue.model_dump_json().encode())
                copy.flush()
                os.fsync(copy.fileno())
            Path(copy.name).replace(self._file)
        except OSError as error:
            log.warning("the catalogue's copy cannot be written", error=type(error).__name__)

    @staticmethod
    def check_offered(
        field: str, listed: Mapping[str, ListedReason] | Mapping[str, ListedCause], codes: Iterable[str]
    ) -> None:
        """InvalidField for a code that the administrator does not offer. Tracking checks again: this copy may be outdated."""
        for code in codes if listed else ():
            if code not in listed:
                raise InvalidField(fields=[{"field": field, "reason": "unknown_code"}])
            if not listed[code].active:
                raise InvalidField(fields=[{"field": field, "reason": "not_offered"}])

    def _set(self, catalogue: Catalogue) -> None:
        self.current = catalogue
        self.rendered = catalogue.model_dump_json(include=set(FORM_FIELDS)).encode()
        self.units = {unit.code: unit for unit in catalogue.units}
        self.unit_tree = UnitTree({unit.code: unit.parent for unit in catalogue.units})
        self.grounds = {ground.code: ground for ground in catalogue.grounds}
        self.refusal_reasons = {reason.code: reason for reason in catalogue.refusal_reasons}
        self.root_causes = {cause.code: cause for cause in catalogue.root_causes}
        log.info("catalogue", version=catalogue.version, units=len(self.units))
        for listener in self._listeners:
            listener()
