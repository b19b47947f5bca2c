"""The body of a notification's text."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from gateway.api.fields import Body, example

MessageText = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class TextBody(Body):
    """Both languages name the same values."""

    text_fa: MessageText
    text_en: MessageText
    model_config = example(
        text_fa="نتیجه نهایی {kind} شما: {outcome}\n{code}\n{office}",
        text_en="The final result of your {kind}: {outcome}\n{code}\n{office}",
    )
