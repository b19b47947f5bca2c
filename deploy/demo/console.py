"""The demo's output: a title for each step, the request, and the important part of the answer."""

import sys
from typing import Any


class DemoFailed(Exception):
    """A step failed; the sentence says which and how."""


class Console:
    """Writes to the terminal, with colours where it is one."""

    def __init__(self) -> None:
        self.steps = 0
        self._title = "the start"
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

    def show(self, **facts: Any) -> None:
        """Facts of an answer, one a line; long lines are cut."""
        for name, fact in facts.items():
            lines = str(fact).splitlines() or [""]
            print(f"      {name + ':':<18} {_cut(lines[0])}")
            for line in lines[1:]:
                print(f"      {'':<18} {_cut(line)}")
        sys.stdout.flush()

    def sms(self, text: str) -> None:
        """A message on a phone."""
        for line in text.splitlines():
            print(f"      │ {line}")
        sys.stdout.flush()

    def failed(self, sentence: str) -> DemoFailed:
        """The exception to raise: the sentence with the current step."""
        return DemoFailed(f"Step {self.steps} ({self._title}): {sentence}")


def _cut(line: str, width: int = 96) -> str:
    return line if len(line) <= width else line[: width - 1] + "…"
