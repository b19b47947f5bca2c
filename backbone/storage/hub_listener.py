"""A socket's listener on eventlet's hub that stays there from one wait to the next, and one timer for all that are waited on.

eventlet's own `trampoline` adds and removes a listener and a timer for each wait, which takes longer than a short query.
"""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from typing import Any

from eventlet.hubs import get_hub
from eventlet.support.greenlets import getcurrent
from psycopg.waiting import Ready

SILENCE = 40.0
"""Seconds without a word after which a server is given up: more than any statement may take. The kernel notices a machine
that is gone (tcp_user_timeout), but not a process that hangs on it, nor a proxy between that has lost its other end."""


class SilenceWatch:
    """Hangs up lines that have been waited on for `SILENCE` seconds. Looks while anybody waits, a few times in that span."""

    def __init__(self) -> None:
        self.waiting: set[HubListener] = set()
        self._looks = False

    def add(self, listener: HubListener) -> None:
        self.waiting.add(listener)
        if not self._looks:
            self._looks = True
            get_hub().schedule_call_global(SILENCE / 8, self._look)

    def _look(self) -> None:
        self._looks = bool(self.waiting)
        if self._looks:
            get_hub().schedule_call_global(SILENCE / 8, self._look)
        for listener in tuple(self.waiting):
            if time.monotonic() - listener.since >= SILENCE:
                listener.hang_up()


_watch = SilenceWatch()


class HubListener:
    """One connection's place on the hub: who waits for its socket, if anybody, and since when (time.monotonic)."""

    __slots__ = ("_fileno", "_hub", "_reading", "since", "waiting")

    def __init__(self, fileno: int) -> None:
        self._fileno, self._hub = fileno, get_hub()
        self._reading: Any = None
        self.waiting: Any = None  # a greenlet
        self.since = 0.0

    def wait(self, write: bool = False) -> Ready:
        """Lets other green threads run until the socket can be read, or, with `write`, read or written."""
        hub = self._hub
        if self._reading is None:
            self._reading = hub.add(hub.READ, self._fileno, self._readable, self._obsolete, self._forget)
        writing = hub.add(hub.WRITE, self._fileno, self._writable, self._obsolete, None) if write else None
        self.waiting, self.since = getcurrent(), time.monotonic()
        _watch.add(self)
        try:
            ready: Ready = hub.switch()
            return ready
        finally:
            self.waiting = None
            _watch.waiting.discard(self)
            if writing is not None:
                hub.remove(writing)

    def drop(self) -> None:
        """Takes it off the hub: before its socket is closed, since the number of a closed one is given to the next."""
        if self._reading is not None:
            reading, self._reading = self._reading, None
            self._hub.remove(reading)
        if self.waiting is not None:  # somebody else closes the connection
            self._hub.schedule_call_global(0, self._readable, self._fileno)

    def hang_up(self) -> None:
        """Ends the connection under libpq, which then says that it is lost."""
        with suppress(OSError), socket.socket(fileno=os.dup(self._fileno)) as line:
            line.shutdown(socket.SHUT_RDWR)

    def _readable(self, _: int) -> None:
        if self.waiting is None:
            self.drop()  # the server has ended an idle connection: whoever uses it next is told by libpq
        else:
            self._wake(Ready.R)

    def _writable(self, _: int) -> None:
        if self.waiting is not None:
            self._wake(Ready.W)

    def _wake(self, ready: Ready) -> None:
        waiting, self.waiting = self.waiting, None
        waiting.switch(ready)

    def _obsolete(self, *error: Any) -> None:
        """The hub's word that the socket's number belongs to another now."""
        waiting, self.waiting = self.waiting, None
        if waiting is not None:
            waiting.throw(*error)

    def _forget(self) -> None:
        self._reading = None
