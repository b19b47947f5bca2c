"""A TCP proxy that can fail as networks do: cut connections, refuse them, or swallow everything."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER of zero seconds: closing sends a reset


class Proxy:
    """Leads from `port` on 127.0.0.1 to another one.

    cut()       resets every connection; new ones are taken
    swallow()   keeps connections open and lets nothing through, in either direction; new ones are taken and swallowed
    refuse()    resets every connection, and each new one at once
    heal()      new connections go through; swallowed ones stay dead, as behind a router that has forgotten them
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = int(self._listener.getsockname()[1])
        self._lock = threading.Lock()
        self._pairs: list[_Pair] = []
        self._refuses = self._swallows = False
        threading.Thread(target=self._accept, daemon=True).start()

    def redirect_to(self, target: int) -> None:
        """New connections lead there."""
        self._target = target

    def cut(self) -> int:
        """How many were cut."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            pair.reset()
        return len(pairs)

    def swallow(self) -> None:
        with self._lock:
            self._swallows = True
            for pair in self._pairs:
                pair.swallowed.set()

    def refuse(self) -> None:
        self._refuses = True
        self.cut()

    def heal(self) -> None:
        with self._lock:
            self._refuses = self._swallows = False

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._refuses:
                near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self._target), timeout=5)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            with self._lock:
                pair = _Pair(near, far, self._swallows)
                self._pairs = [*(open_pair for open_pair in self._pairs if not open_pair.done), pair]
            pair.start()


class _Pair:
    """One connection, both ways."""

    def __init__(self, near: socket.socket, far: socket.socket, swallowed: bool) -> None:
        self._near, self._far = near, far
        self.swallowed = threading.Event()
        if swallowed:
            self.swallowed.set()
        self.done = False

    def start(self) -> None:
        for source, sink in ((self._near, self._far), (self._far, self._near)):
            source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def reset(self) -> None:
        for end in (self._near, self._far):
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._close()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while chunk := source.recv(65_536):
                if not self.swallowed.is_set():
                    sink.sendall(chunk)
        if not self.swallowed.is_set():  # a swallowed end never learns that the other was closed
            self._close()

    def _close(self) -> None:
        self.done = True
        for end in (self._near, self._far):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
