"""What is sealed with the answer to an inbound text until it is sent."""

from __future__ import annotations

from contracts.gateway import Contact


class HandsetAnswer(Contact):
    """The handset that is answered. `code`: what the answer is about; `codes`: among which its holder is to choose. Of both, the
    last digits alone are written."""

    codes: list[str] = []
