"""The body of a unit's answer."""

from __future__ import annotations

from gateway.api.fields import Body, LongText, Uploads, example


class UnitAnswerBody(Body):
    text: LongText
    uploads: Uploads = []
    model_config = example(text="پرونده منتظر استعلام است و این هفته تمام می‌شود.", uploads=[])
