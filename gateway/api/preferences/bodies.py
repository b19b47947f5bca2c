"""The body of preferences."""

from __future__ import annotations

from contracts.preferences import ClockTime, PreferredChannel
from contracts.vocabulary import Language
from gateway.api.fields import Body, example


class QuietBody(Body):
    """Times of the day in Tehran, over midnight where `until` is the earlier; the same twice: no quiet hours."""

    start: ClockTime
    until: ClockTime

    model_config = example(start="22:30", until="08:00")


class PreferencesBody(Body):
    """All of them. `channel`: `both`, `sms`, `push`, or `none`, but for what the office owes its citizen; `language` left out: in
    which it was filed; `quiet` left out: the office's."""

    channel: PreferredChannel
    language: Language | None = None
    quiet: QuietBody | None = None

    model_config = example(channel="push", language="fa", quiet={"start": "22:30", "until": "08:00"})
