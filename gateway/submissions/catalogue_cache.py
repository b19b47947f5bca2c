"""The catalogue the gateway checks submissions against: in memory, with a copy on disk for a start without intake."""

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
from gateway.rabbit.client import RabbitClient

log = logs.get("catalogue")


FORM = frozenset({"version", "units", "grounds", "holidays", "weekend"})
"""What a form needs of the catalogue, and everybody may read."""


def asked(ground: Ground, answers: Mapping[str, AnswerValue | None]) -> list[Question]:
    """The questions of a ground that these answers lead to: one with a condition, when the question before it is asked
    and was answered so."""
    found: dict[str, Question] = {}
    for question in ground.questions:
        if question.when is not None:
            given = answers.get(question.when.question) if question.when.question in found else None
            chosen = given if isinstance(given, list) else [given]
            if not set(map(str, chosen)) & set(question.when.values):
                continue
        found[question.code] = question
    return list(found.values())


class CatalogueCache:
    """Keeps the newest catalogue that was heard of. `current` is None until there is one."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "catalogue.json"
        self.current: Catalogue | None = None
        self.rendered: bytes = b""
        self.units: dict[str, Unit] = {}
        self.grounds: dict[str, Ground] = {}
        self.refusal_reasons: dict[str, ListedReason] = {}
        self.root_causes: dict[str, ListedCause] = {}
        self._listeners: list[Callable[[], None]] = []

    def on_change(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    def read(self) -> None:
        """Takes the copy on disk, if there is a good one."""
        try:
            self._take(Catalogue.model_validate_json(self._file.read_bytes()))
        except FileNotFoundError:
            return
        except (OSError, ValidationError) as error:
            log.warning("the catalogue's copy cannot be read", error=type(error).__name__)

    async def renew(self, rabbit: RabbitClient) -> None:
        """Asks intake; keeps what is there when intake cannot answer."""
        try:
            self.put(await rabbit.ask("intake", "get_catalogue", GetCatalogue(), Catalogue))
        except PeygirError as error:
            log.info("the catalogue could not be renewed", error=error.code)

    def heard(self, name: str, body: bytes) -> None:
        """Listens to events; a version that is not newer is old news."""
        if name == CatalogueChanged.name:
            catalogue = CatalogueChanged.model_validate_json(body).catalogue
            if self.current is None or catalogue.version > self.current.version:
                self.put(catalogue)

    def put(self, catalogue: Catalogue) -> None:
        """Takes it, and writes it to disk so that a torn file can never be read."""
        # An empty one is an intake that was never seeded: a form could not be filled in from it.
        if not catalogue.units or (self.current is not None and catalogue == self.current):
            return
        self._take(catalogue)
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._file.parent, prefix=".catalogue", delete=False) as new:
                new.write(catalogue.model_dump_json().encode())
                new.flush()
                os.fsync(new.fileno())
            Path(new.name).replace(self._file)
        except OSError as error:
            log.warning("the catalogue's copy cannot be written", error=type(error).__name__)

    def ancestors(self, unit: str | None) -> frozenset[str] | None:
        """A unit and all above it; None when the tree is not known."""
        if unit is None:
            return frozenset()
        if unit not in self.units:
            return None
        found: set[str] = set()
        step: str | None = unit
        while step is not None and step not in found:
            found.add(step)
            above = self.units.get(step)
            step = above.parent if above else None
        return frozenset(found)

    @staticmethod
    def check_offered(
        field: str, listed: Mapping[str, ListedReason] | Mapping[str, ListedCause], codes: Iterable[str]
    ) -> None:
        """InvalidField for a code that the administrator does not offer. Tracking looks again: our copy may be the older."""
        for code in codes if listed else ():
            if code not in listed:
                raise InvalidField(fields=[{"field": field, "reason": "unknown_code"}])
            if not listed[code].active:
                raise InvalidField(fields=[{"field": field, "reason": "not_offered"}])

    def _take(self, catalogue: Catalogue) -> None:
        self.current = catalogue
        self.rendered = catalogue.model_dump_json(include=set(FORM)).encode()
        self.units = {unit.code: unit for unit in catalogue.units}
        self.grounds = {ground.code: ground for ground in catalogue.grounds}
        self.refusal_reasons = {reason.code: reason for reason in catalogue.refusal_reasons}
        self.root_causes = {cause.code: cause for cause in catalogue.root_causes}
        log.info("catalogue", version=catalogue.version, units=len(self.units))
        for listener in self._listeners:
            listener()
