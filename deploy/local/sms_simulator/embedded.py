"""The simulator inside another process: for tests."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn

from .app import make_app
from .settings import Settings


@dataclass(frozen=True)
class Simulator:
    """`url`: where it listens. `control` speaks its control API."""

    url: str
    settings: Settings
    control: httpx.Client

    def messages(
        self, receptor: str | None = None, *, after: int = 0, wait: float = 0, accepted: bool = False
    ) -> list[dict[str, Any]]:
        """What reached the handset (or, `accepted`, whatever was taken), oldest first.

        `wait`: seconds to wait for the first one.
        """
        params: dict[str, str | int | float | bool] = {"after": after, "wait": wait, "all": accepted}
        if receptor:
            params["receptor"] = receptor
        answer = self.control.get("/_control/messages", params=params, timeout=wait + 5)
        return list(answer.raise_for_status().json()["messages"])

    def fault(self, mode: str, **details: object) -> None:
        self.control.post("/_control/faults", json={"mode": mode, **details}).raise_for_status()

    def text(self, mobile: str, text: str, times: int = 1) -> None:
        """The handset of `mobile` texts the office's number."""
        body = {"from": mobile, "text": text, "times": times}
        self.control.post("/_control/inbound", json=body).raise_for_status()

    def reset(self) -> None:
        self.control.post("/_control/reset").raise_for_status()


@contextlib.contextmanager
def running(settings: Settings) -> Iterator[Simulator]:
    """Serves in a thread until the block ends; port 0 takes a free one."""
    config = uvicorn.Config(
        make_app(settings),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    socket = config.bind_socket()
    port = socket.getsockname()[1]
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]}, daemon=True)
    thread.start()
    url = f"http://{settings.host}:{port}"
    try:
        with httpx.Client(base_url=url, transport=httpx.HTTPTransport(retries=3)) as control:
            control.get("/readyz", timeout=10).raise_for_status()
            yield Simulator(url, settings, control)
    finally:
        server.should_exit = True
        thread.join(10)
        socket.close()
