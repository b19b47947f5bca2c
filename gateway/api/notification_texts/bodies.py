"""The body of a notification's text."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from gateway.api.fields import LINE_PATTERN, Body, example

Value = Annotated[str, StringConstraints(pattern=LINE_PATTERN, max_length=200)]
MessageText = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class TextBody(Body):
    """Both languages name the same values."""

    text_fa: MessageText
    text_en: MessageText
    model_config = example(
        text_fa="نتیجه نهایی {kind} شما: {outcome}\n{code}\n{office}",
        text_en="The final result of your {kind}: {outcome}\n{code}\n{office}",
    )


class PreviewBody(Body):
    """Texts left out: those that are sent now. `values`: by the names in braces, instead of the samples."""

    text_fa: MessageText | None = None
    text_en: MessageText | None = None
    values: dict[Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")], Value] = {}
    model_config = example(values={"kind": "شکایت"})
