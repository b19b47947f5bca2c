"""docs/how-to/add-a-figure.md followed literally: its figure is written, registered and counted."""

from __future__ import annotations

import importlib.util
import re
import textwrap
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest

from backbone.storage.database import Database
from contracts.errors import NotAllowed
from contracts.gateway import Actor
from contracts.tracking import CaseObjected, CaseOpened
from contracts.vocabulary import ActorKind, Role, Stage
from deploy.local.parts import PostgreSQL, RabbitMQ
from services.insight.composition import InsightUseCases, compose
from services.insight.figures import catalogue
from services.insight.figures.rules import FigureTable, Question, viewer
from tests.support.insight import case_opened, catalogue_changed
from tests.support.processes import ROOT, prepared

PAGE = ROOT / "docs" / "how-to" / "add-a-figure.md"
PARENTS = {"mq": None, "dep": "mq", "dep.urb": "dep", "mayor": "mq"}


def code_of(page: str, beginning: str) -> str:
    """The block of code that begins so."""
    blocks = re.findall(r"^( *)```python\n(.*?)^\1```", page, flags=re.MULTILINE | re.DOTALL)
    [code] = [text for text in (textwrap.dedent(block) for _, block in blocks) if text.startswith(beginning)]
    return code


@pytest.fixture(scope="module")
def objections(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The module of step 1."""
    file = tmp_path_factory.mktemp("catalogue") / "objections.py"
    file.write_text(code_of(PAGE.read_text(encoding="utf-8"), '"""Objections'), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("objections", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def use_cases(objections: ModuleType) -> InsightUseCases:
    """Insight with the catalogue of step 2."""
    modules: dict[str, Any] = {**vars(catalogue), "objections": objections}
    exec(code_of(PAGE.read_text(encoding="utf-8"), "FIGURES ="), modules)  # noqa: S102  # of this repository's own page
    return compose(modules["FIGURES"])


@pytest.fixture(scope="module")
def database(broker: RabbitMQ, postgres: PostgreSQL, use_cases: InsightUseCases) -> Iterator[Database]:
    """Objections of three cases: two about permits of urban planning, in two months, and one about the mayor's office."""
    environment = prepared("insight", broker.url, postgres.url, "insight_add_a_figure")
    made = Database(environment["DATABASE_URL"], pool_size=1)
    events: list[Any] = [
        catalogue_changed(at(11, 1), PARENTS),
        *objected("dep.urb", at(11, 24)),
        *objected("dep.urb", at(12, 24)),
        *objected("mayor", at(12, 24)),
    ]
    with made.transaction() as connection:
        use_cases.ingest.record(connection, events)
    yield made
    made.close()


def at(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 8, 30, tzinfo=UTC)


def objected(unit: str, moment: datetime) -> list[CaseOpened | CaseObjected]:
    first = case_opened(at(11, 1), unit=unit)
    review = first.state.model_copy(update={"stage": Stage.REVIEW})
    second = CaseObjected(id=uuid4(), occurred_at=moment, case_id=first.case_id, sequence=2, state=review)
    return [first, second]


def staff(role: Role, unit: str | None = None) -> Actor:
    return Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({role}), unit=unit)


def count(
    objections: ModuleType, use_cases: InsightUseCases, database: Database, actor: Actor | None, *by: str, **more: Any
) -> FigureTable:
    with database.read() as connection:
        return use_cases.figures.count(connection, objections.FIGURE, viewer(actor), Question(by, **more))


def cells(table: FigureTable) -> dict[tuple[str | None, ...], int | None]:
    return {tuple(cell.key): cell.values["objections"] for cell in table.cells}


def test_it_is_counted_by_dimensions_and_filters(
    objections: ModuleType, use_cases: InsightUseCases, database: Database
) -> None:
    head = staff(Role.HEAD)
    table = count(objections, use_cases, database, head, "month", "unit")
    assert cells(table) == {("1405-09", "dep.urb"): 1, ("1405-10", "dep.urb"): 1, ("1405-10", "mayor"): 1}
    assert table.totals == {"objections": 3}
    assert cells(count(objections, use_cases, database, head, "day", unit="dep")) == {
        ("2026-11-24",): 1,
        ("2026-12-24",): 1,
    }
    assert cells(count(objections, use_cases, database, head, "kind", since=date(2026, 12, 1))) == {("complaint",): 2}


def test_conflict_of_interest_applies_without_code_in_the_figure(
    objections: ModuleType, use_cases: InsightUseCases, database: Database
) -> None:
    assert cells(count(objections, use_cases, database, staff(Role.ANALYST, "dep.urb"), "unit")) == {("mayor",): 1}


def test_nobody_else_sees_it(objections: ModuleType, use_cases: InsightUseCases, database: Database) -> None:
    for actor in (None, staff(Role.SCREENER), staff(Role.LIAISON)):
        with pytest.raises(NotAllowed):
            count(objections, use_cases, database, actor, "month")


def test_the_files_that_the_page_names_are_there() -> None:
    named = re.findall(r"`((?:services|benchmarks|tests)/[\w./]+)`", PAGE.read_text(encoding="utf-8"))
    missing = {path for path in named if not (ROOT / path).exists()}
    assert missing == {"services/insight/figures/catalogue/objections.py"}
    assert Path(catalogue.__file__) == ROOT / "services/insight/figures/catalogue/__init__.py"
