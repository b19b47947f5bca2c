"""Phones at the SMS provider simulator: messages they received, and messages they send."""

import httpx

from deploy.demo.console import DemoFailed


class Phone:
    """One phone. `mobile` in E.164. Messages from before this object was made are not returned."""

    def __init__(self, control: httpx.Client, mobile: str) -> None:
        self._control, self.mobile = control, mobile
        self._after = self._last()

    def next(self, wait: float = 30.0) -> str:
        """The text of the next message; DemoFailed when none comes."""
        try:
            answer = self._control.get(
                "/_control/messages",
                params={"receptor": self.mobile, "after": self._after, "wait": wait},
                timeout=wait + 10,
            )
            messages = answer.raise_for_status().json()["messages"]
        except httpx.HTTPError as error:
            raise DemoFailed(f"the SMS simulator does not answer ({type(error).__name__})") from None
        if not messages:
            raise DemoFailed(f"no SMS reached {self.mobile} within {wait:.0f} s")
        self._after = messages[0]["number"]
        return str(messages[0]["text"])

    def text(self, text: str) -> None:
        """Sends a text to the office's number."""
        self._control.post("/_control/inbound", json={"from": self.mobile, "text": text}).raise_for_status()

    def _last(self) -> int:
        answer = self._control.get("/_control/messages", params={"receptor": self.mobile})
        return int(answer.raise_for_status().json()["last"])
