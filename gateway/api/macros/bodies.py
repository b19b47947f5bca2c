"""Bodies of macros."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from contracts.macros import MOST_STEPS, MacroAudience
from contracts.vocabulary import Language
from gateway.api.fields import Body, example
from gateway.api.searches.bodies import Name
from gateway.api.steps import StepBody


class MacroBody(Body):
    """`steps`: commands in their order, each as its own operation takes it, with its `type`. Their texts may hold `{number}` of
    the case, `{unit}` and `{ground}` as they are called, `{greeting}`, `{today}`, `{deadline}` (the day a decision is owed) and,
    in a question, `{answer_day}` (the last day for the answer), as `language` has them. `audience`: who else may run it."""

    name: Name
    steps: Annotated[list[StepBody], Field(min_length=1, max_length=MOST_STEPS)]
    language: Language = Language.FA
    audience: MacroAudience = MacroAudience.NOBODY
    model_config = example(
        name="پرسش از واحد و یادآوری",
        steps=[
            {
                "type": "ask_unit",
                "text": "{greeting}\nلطفاً درباره پرونده {number} تا {answer_day} پاسخ دهید.",
                "unit": None,
                "media": [],
            },
            {"type": "remind_in_days", "working_days": 5, "text": "پیگیری پاسخ {unit}"},
        ],
        language="fa",
        audience="inspector",
    )
