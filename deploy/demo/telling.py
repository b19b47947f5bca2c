"""How the demo tells what it does: a title for each step, the request, and what matters of the answer."""

import sys
from typing import Any


class Failed(Exception):
    """A step did not go as it should; the sentence says which and how."""


class Teller:
    """Writes to the terminal, with colours where it is one."""

    def __init__(self) -> None:
        self.steps = 0
        self._title = "the beginning"
        self._bold, self._dim, self._green, self._end = (
            ("\033[1m", "\033[2m", "\033[32m", "\033[0m") if sys.stdout.isatty() else ("", "", "", "")
        )

    def chapter(self, title: str) -> None:
        print(f"\n{self._bold}{title}{self._end}\n{'─' * len(title)}", flush=True)

    def step(self, title: str) -> None:
        self.steps += 1
        self._title = title
        print(f"\n{self._bold}{self.steps:>2}. {title}{self._end}", flush=True)

    def request(self, line: str) -> None:
        print(f"    {self._dim}→ {line}{self._end}", flush=True)

    def answer(self, line: str) -> None:
        print(f"    {self._green}←{self._end} {line}", flush=True)

    def shows(self, **facts: Any) -> None:
        """The important part of an answer, one fact a line; a long text is cut."""
        for name, fact in facts.items():
            lines = str(fact).splitlines() or [""]
            print(f"      {name + ':':<18} {_cut(lines[0])}")
            for line in lines[1:]:
                print(f"      {'':<18} {_cut(line)}")
        sys.stdout.flush()

    def sms(self, text: str) -> None:
        """A phone's message."""
        for line in text.splitlines():
            print(f"      │ {line}")
        sys.stdout.flush()

    def failed(self, sentence: str) -> Failed:
        """To be raised: the sentence with the step that it is about."""
        return Failed(f"Step {self.steps} ({self._title}): {sentence}")


def _cut(line: str, width: int = 96) -> str:
    return line if len(line) <= width else line[: width - 1] + "…"
