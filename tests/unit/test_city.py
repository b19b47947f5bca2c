"""The parts of the city that benchmarks are measured in: its days, its lines as COPY takes them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from random import Random
from uuid import UUID

from benchmarks.city.context import LEEWAY
from benchmarks.city.copy_format import Block, field, lines
from benchmarks.city.filing_days import DAYS, days, moments
from benchmarks.city.texts import complaints, varied
from services.notify.models import messages
from services.tracking.models import attachments, cases
from services.tracking.reference.workdays import Workdays, day_of

LAST = date(2026, 11, 24)
WORKDAYS = Workdays(frozenset({3, 4}), frozenset({date(2026, 3, 21)}))


def test_every_case_has_its_day_and_its_number() -> None:
    planned = days(10_000, LAST, WORKDAYS)
    assert (len(planned), planned[-1].on) == (DAYS, LAST)
    assert sum(day.cases for day in planned) == 10_000
    place = 0
    numbers: set[tuple[int, int]] = set()
    for day in planned:
        assert day.first == place
        place += day.cases
        own = {(day.year, day.numbered + number) for number in range(day.cases)}
        assert not own & numbers
        numbers |= own
    assert {year for year, _ in numbers} == {1403, 1404, 1405}


def test_a_week_begins_busy_and_ends_quiet() -> None:
    planned = days(100_000, LAST, WORKDAYS)
    by_weekday = [sum(day.cases for day in planned if day.on.weekday() == weekday) for weekday in range(7)]
    saturday, friday = by_weekday[5], by_weekday[4]
    assert saturday == max(by_weekday)
    assert friday == min(by_weekday)
    nowruz = next(day for day in planned if day.on == date(2026, 3, 21))
    assert nowruz.cases < saturday / (DAYS / 7)


def test_submissions_of_a_day_stay_on_it_with_any_added_minutes() -> None:
    times = moments(LAST, Random(1))
    for _ in range(2_000):
        moment = next(times)
        assert day_of(moment) == day_of(moment + LEEWAY) == LAST


def test_values_are_written_in_the_format_of_copy() -> None:
    assert field(None, cases.c.text.type) == r"\N"
    assert field("a\tb\\c\n", cases.c.text.type) == r"a\tb\\c\n"
    assert field({"text": 'گفت "نه"\n'}, cases.c.place.type) == r'{"text": "گفت \\"نه\\"\\n"}'
    assert field((UUID(int=1),), cases.c.excluded_staff.type) == "{00000000-0000-0000-0000-000000000001}"
    assert field(["decided", "closed"], messages.c.stages.type) == "{decided,closed}"
    assert field(b"\x01\xff", cases.c.text.type) == r"\\x01ff"
    assert field(True, cases.c.urgent.type) == "t"
    row = {"case_id": UUID(int=2), "media_id": "m", "position": 100, "from_office": False, "question_id": None}
    row["refusal_reported"] = False
    assert lines(attachments, [row]) == "00000000-0000-0000-0000-000000000002\tm\t100\tf\t\\N\tf\t\\N\t\\N\t\\N\t\\N\n"


def test_placeholders_are_filled_and_nothing_else_is_changed() -> None:
    first_id, second_id = str(UUID(int=3)), str(UUID(int=4))
    at = datetime(2026, 11, 24, 8, 30, 1, 5, tzinfo=UTC).isoformat()
    block = Block(f"{first_id}\t{second_id}\t{at}\t/{first_id}.jpg", {first_id, at})
    assert block.fill({first_id: "new", at: "later"}) == f"new\t{second_id}\tlater\t/new.jpg"
    assert not Block("no place", {first_id}).keys


def test_texts_contain_nothing_that_needs_escaping() -> None:
    rng = Random(2)
    for complaint in complaints():
        assert not set(varied(complaint.text, rng)) & set('"\\\t\n\r')
