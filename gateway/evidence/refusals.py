"""Why a file of evidence is rejected, as its sender reads it, for the API and the pages alike."""

from __future__ import annotations

from contracts.vocabulary import Language
from texts.loading import area

TEXTS = area("evidence")
_SAME_AS = {"password": "encrypted"}


def reason_text(reason: str | None, language: Language) -> str | None:
    """The sentence for a reason code of media's; None for none."""
    if reason is None:
        return None
    key = f"refused.{_SAME_AS.get(reason, reason)}"
    text = TEXTS[key if key in TEXTS else "refused.other"].in_language(language)
    return text.format(types=TEXTS["accepted_types"].in_language(language))
