"""What a caller reads of an error: `contracts.errors` has codes and statuses, `errors.toml` the words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.errors import (
    Conflict,
    MacroStepRefused,
    PeygirError,
    StaleVersion,
    TooMany,
    WrongStage,
    WrongVisitState,
    of_code,
)
from contracts.visits import VisitState
from contracts.vocabulary import Language, Stage
from texts.loading import area
from texts.vocabulary import STAGE_NAMES, VISIT_STATE_NAMES

TEXTS = area("errors")
_PERSIAN_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
_UNITS = ((3_600, "hour"), (60, "minute"), (1, "second"))


def error_text(error: PeygirError, language: str) -> str:
    """The sentence for the caller, in `language` (fa or en; anything else gets fa). An error without a text of its own has
    that of the error above it in the tree; a value that is not known is shown as "…", and one that is given in both languages
    (`name_fa`, `name_en`) is `{name}` in either text. `TooMany` names the time to wait
    where that is known."""
    seconds = error.params.get("retry_after")
    if isinstance(error, TooMany) and isinstance(seconds, int | float):
        return TEXTS.text(language, f"{TooMany.code}_timed", wait=duration_text(seconds, language))
    if (reason := _why(error, language)) is not None:
        return reason
    codes = [cls.code for cls in type(error).__mro__ if issubclass(cls, PeygirError)]
    key = next(code for code in codes if code in TEXTS)
    return TEXTS[key].in_language(language).format_map(_Blank(_in_language(error.params, language)))


def _why(error: PeygirError, language: str) -> str | None:
    """The sentence of a conflict that says what is in the way; None where its values do not tell."""
    params = error.params
    chosen_language = Language.EN if language == "en" else Language.FA
    match error:
        case WrongStage() if params.get("stage") in set(Stage):
            return TEXTS.text(language, "why.stage", stage=_stage_name(Stage(params["stage"]), chosen_language))
        case WrongVisitState() if "state" in params and params["state"] is None:
            return TEXTS.text(language, "why.no_visit")
        case WrongVisitState() if params.get("state") in set(VisitState):
            name = VISIT_STATE_NAMES[VisitState(params["state"])][chosen_language]
            return TEXTS.text(language, "why.visit_state", state=name)
        case StaleVersion() if isinstance(changes := params.get("changes"), list) and changes:
            count = _shown(len(changes), language)
            last = changes[-1] if isinstance(changes[-1], dict) else {}
            if last.get("actor_name"):
                return TEXTS.text(language, "why.changed_by", count=count, name=last["actor_name"])
            return TEXTS.text(language, "why.changed", count=count)
        case MacroStepRefused() if isinstance(params.get("refusal_params"), dict):
            refusal = of_code(str(params.get("refusal")), params["refusal_params"])
            step = _shown(params.get("step"), language)
            return TEXTS.text(language, "why.macro_step", step=step, reason=error_text(refusal, language))
        case Conflict() if f"why.{params.get('reason')}" in TEXTS:
            return TEXTS.text(language, f"why.{params['reason']}")
    return None


def _stage_name(stage: Stage, language: Language) -> str:
    """For citizens and staff alike: not the name that addresses its reader, where there is another one."""
    neutral = area("exports")
    return neutral.text(language, f"stage.{stage}") if f"stage.{stage}" in neutral else STAGE_NAMES[stage][language]


def error_title(error: PeygirError, language: str) -> str:
    """The same for every error of this kind: without its values."""
    return error_text(type(error)() if error.params else error, language)


def _in_language(params: Mapping[str, Any], language: str) -> dict[str, Any]:
    suffix = "_en" if language == "en" else "_fa"
    named = {name.removesuffix(suffix): value for name, value in params.items() if name.endswith(suffix)}
    return {name: _shown(value, language) for name, value in {**params, **named}.items()}


def _shown(value: Any, language: str) -> Any:
    """A whole number in the digits of the language."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value).translate(_PERSIAN_DIGITS) if is_number and language != "en" else value


def duration_text(seconds: float, language: str) -> str:
    """A length of time in words, rounded up to what one waits by: «۲ دقیقه», "45 seconds"."""
    whole = max(1, -int(-seconds // 1))
    size, unit = next(unit for unit in _UNITS if whole >= 2 * unit[0] or unit[0] == 1)
    count = -(-whole // size)
    return TEXTS.text(language, f"duration.{unit}{'' if count == 1 else 's'}", count=_shown(count, language))


class _Blank(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "…"
