"""What earlier cases suggest for a new one: a unit, a ground, whether it is urgent, each with what it rests on. Pure.

A suggestion is no more than that: the screener decides. It counts the most similar earlier cases, each by its similarity, and
names the words that the text shares with the cases that support it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from contracts.screening import Suggestion

ENOUGH = 0.5
"""The share of the similar cases from which on something is suggested."""

URGENT_WORDS = frozenset(
    {"خطر", "خطرناک", "فوری", "ریزش", "آتش", "انفجار", "سقوط", "جانی", "برق گرفتگی", "نشت", "مسموم"}
)
"""Words of danger, as `normalise` writes them; the office may say more with each urgent case it marks."""

MOST_WORDS = 6


@dataclass(frozen=True)
class Earlier:
    """An earlier case that somebody has read. `text`: normalised; `similarity` to the new one, 0–1."""

    unit: str | None
    ground: str
    urgent: bool
    text: str
    similarity: float


def words_of(text: str) -> list[str]:
    """The words that carry meaning, in order, each once."""
    return list(dict.fromkeys(word for word in text.split() if len(word) > 3 and not word.isdigit()))


def suggest(text: str, earlier: Sequence[Earlier]) -> tuple[Suggestion | None, Suggestion | None, Suggestion | None]:
    """Unit, ground and urgency; `text` normalised."""
    danger = [word for word in URGENT_WORDS if f" {word} " in f" {text} "]
    urgent = _most(text, earlier, lambda case: "urgent" if case.urgent else "")
    if danger:
        urgent = Suggestion(value="urgent", share=1.0, of=len(earlier), words=sorted(danger))
    return _most(text, earlier, lambda case: case.unit or ""), _most(text, earlier, lambda case: case.ground), urgent


def _most(text: str, earlier: Sequence[Earlier], of: Callable[[Earlier], str]) -> Suggestion | None:
    weights: dict[str, float] = defaultdict(float)
    for case in earlier:
        weights[of(case)] += case.similarity
    total = sum(weights.values())
    if not total:
        return None
    value = max(weights, key=lambda name: (weights[name], name))
    share = weights[value] / total
    if not value or share < ENOUGH:
        return None
    supporting = Counter(word for case in earlier if of(case) == value for word in set(case.text.split()))
    shared = [word for word in words_of(text) if supporting[word]]
    words = sorted(shared, key=lambda word: -supporting[word])[:MOST_WORDS]
    return Suggestion(value=value, share=round(share, 2), of=len(earlier), words=words)
