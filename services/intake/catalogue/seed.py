"""Loads the sample catalogue of Qazvin into intake's database: `python -m services.intake.catalogue.seed [FOLDER]`.

FOLDER holds units.csv, grounds.csv, holidays.csv (columns as in services/intake/sample). A catalogue that is already
there is left alone unless --replace is given, since the administrator may have edited it.
"""

from __future__ import annotations

import csv
import sys
from datetime import date
from pathlib import Path

from backbone.storage.database import Database
from backbone.storage.migrate import url_of
from contracts.intake import Catalogue, Ground, Option, Question, QuestionType, Unit
from contracts.vocabulary import Kind
from services.intake.catalogue import store
from services.intake.catalogue.rules import problems
from services.intake.catalogue.use_cases import publish

SAMPLE = Path(__file__).parents[1] / "sample"

QUESTIONS: dict[str, list[Question]] = {
    "delay": [
        Question(code="since", type=QuestionType.DATE, name_fa="از چه تاریخی؟", name_en="Since when?"),
        Question(code="file_number", type=QuestionType.TEXT, name_fa="شماره پرونده", name_en="File number"),
    ],
    "noanswer": [
        Question(code="letter_number", type=QuestionType.TEXT, name_fa="شماره ثبت نامه", name_en="Letter's number"),
        Question(code="letter_date", type=QuestionType.DATE, name_fa="تاریخ نامه", name_en="Letter's date"),
    ],
    "conduct": [
        Question(code="counter", type=QuestionType.TEXT, name_fa="باجه", name_en="Counter"),
        Question(
            code="what",
            type=QuestionType.CHOICE,
            name_fa="چه شد؟",
            name_en="What happened?",
            options=[
                Option(value="rude", name_fa="گفتار یا رفتار توهین‌آمیز", name_en="Rude words or manners"),
                Option(value="ignored", name_fa="بی‌اعتنایی", name_en="Being ignored"),
                Option(value="discrimination", name_fa="تبعیض", name_en="Discrimination"),
            ],
        ),
    ],
}
"""Extra questions of the sample's grounds, all optional."""


def read(folder: Path) -> Catalogue:
    """The catalogue in `folder`; ValueError names every problem."""
    units = [
        Unit(
            code=row["code"],
            parent=row["parent_code"] or None,
            level=row["level"],
            name_fa=row["name_fa"],
            name_en=row["name_en"],
            active=row["active"] == "1",
        )
        for row in _rows(folder / "units.csv")
    ]
    grounds = [
        Ground(
            code=row["code"],
            kinds=[Kind(kind) for kind in row["kind(s)"].split("|")],
            name_fa=row["name_fa"],
            name_en=row["name_en"],
            hint_fa=row["hint_fa"],
            questions=QUESTIONS.get(row["code"], []),
        )
        for row in _rows(folder / "grounds.csv")
    ]
    days = sorted({date.fromisoformat(row["date"]) for row in _rows(folder / "holidays.csv")})
    catalogue = Catalogue(version=0, units=units, grounds=grounds, holidays=days)
    if wrong := problems(catalogue):
        raise ValueError("; ".join(f"{problem.field}: {problem.reason}" for problem in wrong))
    return catalogue


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def main(arguments: list[str]) -> None:
    replace = "--replace" in arguments
    folders = [argument for argument in arguments if not argument.startswith("--")]
    database = Database(url_of("intake"), pool_size=1)
    with database.transaction() as connection:
        if store.catalogue_version(connection) and not replace:
            print("intake: a catalogue is already there")
            return
        catalogue = read(Path(folders[0]) if folders else SAMPLE)
        # What is not in the files stays as it was set.
        catalogue = store.catalogue(connection).model_copy(
            update={name: getattr(catalogue, name) for name in ("units", "grounds", "holidays")}
        )
        version = publish(connection, catalogue)
    if version is None:
        print("intake: the catalogue is what it was")
    else:
        print(f"intake: catalogue {version} with {len(catalogue.units)} units and {len(catalogue.grounds)} grounds")


if __name__ == "__main__":
    main(sys.argv[1:])
