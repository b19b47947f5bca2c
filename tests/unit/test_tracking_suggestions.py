"""What earlier cases suggest, and what it rests on."""

from __future__ import annotations

from services.tracking.screening.suggestions import Earlier, suggest

TEXT = "پروانه ساختمان من سه ماه است که صادر نشده است"


def earlier(
    unit: str | None = "permits", ground: str = "delay", similarity: float = 0.5, urgent: bool = False
) -> Earlier:
    return Earlier(unit, ground, urgent, "پروانه ساختمان همسایه هنوز صادر نشده", similarity)


def test_values_of_most_similar_cases_are_suggested_with_their_shared_words() -> None:
    unit, ground, urgent = suggest(TEXT, [earlier(), earlier(), earlier("roads", "conduct", 0.3)])
    assert unit is not None
    assert (unit.value, unit.of, unit.share) == ("permits", 3, 0.77)
    assert unit.words[:2] == ["پروانه", "ساختمان"]
    assert "همسایه" not in unit.words
    assert ground is not None
    assert ground.value == "delay"
    assert urgent is None


def test_nothing_is_suggested_without_agreeing_earlier_cases() -> None:
    assert suggest(TEXT, []) == (None, None, None)
    units = ("a", "b", "c")
    assert suggest(TEXT, [earlier(unit, f"ground-{unit}") for unit in units])[:2] == (None, None)


def test_the_more_similar_case_weighs_more() -> None:
    unit, _, _ = suggest(
        TEXT, [earlier("near", similarity=0.9), earlier("far", similarity=0.2), earlier("far", similarity=0.2)]
    )
    assert unit is not None
    assert unit.value == "near"


def test_words_of_danger_or_urgent_similar_cases_suggest_urgency() -> None:
    _, _, urgent = suggest("دیوار در خطر ریزش است", [])
    assert urgent is not None
    assert urgent.words == ["خطر", "ریزش"]
    assert suggest("مخاطره آمیز نیست", [])[2] is None  # whole words
    _, _, urgent = suggest(TEXT, [earlier(urgent=True), earlier(urgent=True), earlier()])
    assert urgent is not None
    assert urgent.share == 0.67
