"""Names of the domain's words: `STAGE_NAMES[case.stage][language]`. A value without a name is an error when it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from contracts.visits import VisitState
from contracts.vocabulary import Channel, Kind, Language, Outcome, RefusalReason, Role, RootCause, Stage
from texts.loading import BadTexts, area

Word = TypeVar("Word", bound=StrEnum)
Names = Mapping[Word, Mapping[Language, str]]


def names(words: type[Word], group: str, area_name: str = "vocabulary") -> dict[Word, dict[Language, str]]:
    """The name of each value of an enumeration, from a group of texts. BadTexts when one has none."""
    texts = area(area_name)
    missing = [word.value for word in words if f"{group}.{word.value}" not in texts]
    if missing:
        raise BadTexts(f"{area_name}.toml: no text {group}.{', '.join(missing)}")
    return {
        word: {language: texts[f"{group}.{word.value}"].in_language(language) for language in Language}
        for word in words
    }


KIND_NAMES: Names[Kind] = names(Kind, "kind")
STAGE_NAMES: Names[Stage] = names(Stage, "stage")
OUTCOME_NAMES: Names[Outcome] = names(Outcome, "outcome")
REFUSAL_NAMES: Names[RefusalReason] = names(RefusalReason, "refusal_reason")
ROOT_CAUSE_NAMES: Names[RootCause] = names(RootCause, "root_cause")
ROLE_NAMES: Names[Role] = names(Role, "role")
VISIT_STATE_NAMES: Names[VisitState] = names(VisitState, "visit_state")
CHANNEL_NAMES: Names[Channel] = names(Channel, "channel")
