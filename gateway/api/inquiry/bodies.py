"""Bodies of reminders, the checklist, colleagues and links."""

from __future__ import annotations

from uuid import UUID

from gateway.api.fields import Body, Day, Flag, LongText, ShortText, example


class ReminderBody(Body):
    """`on`: a day to come."""

    on: Day
    text: ShortText
    model_config = example(on="2027-01-10", text="پیگیری پاسخ استعلام")


class CheckBody(Body):
    text: ShortText
    model_config = example(text="بازدید از محل")


class TickBody(Body):
    done: Flag
    model_config = example(done=True)


class CoHandlerBody(Body):
    inspector: UUID
    model_config = example(inspector="b7a0c1de-43a5-4b42-9a8e-0c9d3b1f5e21")


class ConsultationBody(Body):
    """`text`: the question; for the office alone, as the answer is."""

    colleague: UUID
    text: LongText
    model_config = example(colleague="b7a0c1de-43a5-4b42-9a8e-0c9d3b1f5e21", text="در پرونده مشابه چه کردید؟")


class AdviceBody(Body):
    text: LongText
    model_config = example(text="آنجا پیش از بازدید، نقشه را از واحد خواستیم.")


class LinkBody(Body):
    """`linked` false: they no longer belong together."""

    to: UUID
    linked: Flag = True
    model_config = example(to="7d3c9a0e-0f6b-4b43-8d53-5a2c1b9d2f10", linked=True)
