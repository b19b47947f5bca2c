"""A pika connection whose input, output and timers are on eventlet's hub, with no select loop of its own.

pika's `SelectConnection` has a loop with an epoll of its own, which has to run in a green thread: each event passes two pollers,
and each callback of another green thread is announced with a byte through a socket pair. Here the hub calls pika, and so does
whoever publishes or acknowledges: a green thread is not interrupted unless it waits, and pika never waits.

Guaranteed:

- Callbacks and timers run in the hub, in the order in which they are due; none runs after `close`. They must not wait.
- A timer that was cancelled is not called.
- Bytes leave in the order in which they were written. They are sent in the next turn of the hub, those of one message together;
  what the socket does not take then waits for it, and other green threads run meanwhile.
- A callback that raises ends its own connection, as if the broker had closed it, and nothing else: the hub goes on, other
  connections, too. Its error is logged without its text, which may quote a message.
- A descriptor that somebody else closed ends its connection in the same way.
- One thread only. In pika's contract `add_callback_threadsafe` may be called from any thread; but no process of Peygir touches a
  connection from a second thread of the operating system, and whoever does gets a RuntimeError instead of a hub that sleeps on.
- Names are looked up in a green thread, and under `backbone.process.run` in a thread of the operating system.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import eventlet
import pika
from eventlet import hubs
from eventlet.event import Event as Signal
from pika.adapters.utils.io_services_utils import SocketConnectionMixin, StreamingConnectionMixin
from pika.adapters.utils.nbio_interface import (
    AbstractFileDescriptorServices,
    AbstractIOReference,
    AbstractIOServices,
    AbstractTimerReference,
)

from backbone.process import logs

log = logs.get("broker")

Callback = Callable[[], Any]

_FRAMES_OF_SMALL_MESSAGE = 3
"""Method, header and one frame of body: at most the frame size of 128 KiB."""


class HubConnection(pika.SelectConnection):  # type: ignore[misc]  # pika is untyped
    """A connection on the hub. `loop.run` waits until `loop.stop`, which `on_open_error` and `on_close` have to call."""

    def __init__(self, parameters: Any, *, on_open: Any, on_open_error: Any, on_close: Any) -> None:
        self.loop = HubLoop(self._terminate_stream)
        super().__init__(parameters, on_open, on_open_error, on_close, custom_ioloop=self.loop)

    def _output_marshaled_frames(self, marshaled_frames: Sequence[bytes]) -> None:
        # pika writes each frame by itself: three system calls for a message, and up to three packets.
        small = len(marshaled_frames) <= _FRAMES_OF_SMALL_MESSAGE
        super()._output_marshaled_frames([b"".join(marshaled_frames)] if small else marshaled_frames)


class HubLoop(SocketConnectionMixin, StreamingConnectionMixin, AbstractIOServices, AbstractFileDescriptorServices):  # type: ignore[misc]  # pika is untyped
    """What a pika connection asks of its loop. `on_failure(error)`: a callback raised; it has to end the connection."""

    def __init__(self, on_failure: Callable[[Exception], None]) -> None:
        self._hub = hubs.get_hub()
        self._on_failure = on_failure
        self._descriptors: dict[int, _Descriptor] = {}
        self._ended = Signal()
        self._failed = self._closed = False

    def get_native_ioloop(self) -> HubLoop:
        return self

    def run(self) -> None:
        """Waits until `stop`. Raises what a callback raised while the connection was being ended for an earlier error."""
        self._ended.wait()

    def stop(self) -> None:
        if not self._ended.ready():
            self._ended.send(None)

    def close(self) -> None:
        """Nothing is called from now on."""
        self._closed = True
        for fd in list(self._descriptors):
            self.remove_reader(fd)
            self.remove_writer(fd)

    def add_callback_threadsafe(self, callback: Callback) -> None:
        self._refuse_other_threads()
        self._hub.schedule_call_global(0, self._call, callback)

    def call_later(self, delay: float, callback: Callback) -> AbstractTimerReference:
        self._refuse_other_threads()
        return _Timer(self._hub.schedule_call_global(max(delay, 0), self._call, callback))

    def getaddrinfo(
        self,
        host: str,
        port: int,
        on_done: Callable[[Any], None],
        family: int = 0,
        socktype: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> AbstractIOReference:
        """`on_done(records)`, or with the error."""
        return _Lookup((host, port, family, socktype, proto, flags), lambda result: self._call(lambda: on_done(result)))

    # --- descriptors ---

    def set_reader(self, fd: int, on_readable: Callback) -> None:
        self._refuse_other_threads()
        watched = self._descriptors.setdefault(fd, _Descriptor())
        watched.on_readable = on_readable
        if watched.reading is None:
            watched.reading = self._listen(self._hub.READ, fd, self._readable)

    def remove_reader(self, fd: int) -> bool:
        watched = self._descriptors.get(fd)
        if watched is None or watched.on_readable is None:
            return False
        listener, watched.on_readable, watched.reading = watched.reading, None, None
        self._end_listening(fd, watched, listener)
        return True

    def set_writer(self, fd: int, on_writable: Callback) -> None:
        self._refuse_other_threads()
        watched = self._descriptors.setdefault(fd, _Descriptor())
        watched.on_writable = on_writable
        if watched.writing is not None or watched.write_due:
            return
        if watched.on_readable is None:  # connecting: writable means connected
            watched.writing = self._listen(self._hub.WRITE, fd, self._writable)
        else:  # connected, and nearly always writable: to try is cheaper than to ask the kernel
            watched.write_due = True
            self._hub.schedule_call_global(0, self._call, lambda: self._try_to_write(fd, watched))

    def remove_writer(self, fd: int) -> bool:
        watched = self._descriptors.get(fd)
        if watched is None or watched.on_writable is None:
            return False
        listener, watched.on_writable, watched.writing = watched.writing, None, None
        self._end_listening(fd, watched, listener)
        return True

    def _listen(self, kind: str, fd: int, callback: Callable[[int], None]) -> Any:
        return self._hub.add(kind, fd, callback, self._descriptor_lost, None)

    def _end_listening(self, fd: int, watched: _Descriptor, listener: Any) -> None:
        if watched.on_readable is None and watched.on_writable is None:
            del self._descriptors[fd]
        if listener is not None:
            with suppress(KeyError, OSError):  # the hub forgets a descriptor that was closed without its knowledge
                self._hub.remove(listener)

    def _readable(self, fd: int) -> None:
        watched = self._descriptors.get(fd)
        if watched is not None and watched.on_readable is not None:
            self._call(watched.on_readable)

    def _writable(self, fd: int) -> None:
        watched = self._descriptors.get(fd)
        if watched is not None and watched.on_writable is not None:
            self._call(watched.on_writable)

    def _try_to_write(self, fd: int, watched: _Descriptor) -> None:
        watched.write_due = False
        if self._descriptors.get(fd) is watched:
            self._writable(fd)
        if watched.on_writable is not None and watched.writing is None and self._descriptors.get(fd) is watched:
            watched.writing = self._listen(self._hub.WRITE, fd, self._writable)

    def _descriptor_lost(self, error: Exception) -> None:
        # The hub calls this unguarded.
        if not self._closed:
            self._fail(error)

    # --- errors ---

    def _call(self, callback: Callback) -> None:
        if self._closed:
            return
        try:
            callback()
        except Exception as error:  # noqa: BLE001  # whatever it is, it must not reach the hub, which would print its text
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        log.error("a connection is ended for an error", error=logs.describe(error), frames=logs.frames(error))
        try:
            if self._failed:
                raise error
            self._failed = True
            self._on_failure(error)
        except Exception as hopeless:  # noqa: BLE001  # given to whoever waits in `run`
            if not self._ended.ready():
                self._ended.send_exception(hopeless)

    def _refuse_other_threads(self) -> None:
        if hubs.get_hub() is not self._hub:
            raise RuntimeError("a connection was used outside the thread that it was made in")


class _Descriptor:
    """What is to be called for one descriptor, and the hub's listeners for it."""

    __slots__ = ("on_readable", "on_writable", "reading", "write_due", "writing")

    def __init__(self) -> None:
        self.on_readable: Callback | None = None
        self.on_writable: Callback | None = None
        self.reading: Any = None
        self.writing: Any = None
        self.write_due = False


class _Timer(AbstractTimerReference):  # type: ignore[misc]  # pika is untyped
    def __init__(self, timer: Any) -> None:
        self._timer = timer

    def cancel(self) -> None:
        self._timer.cancel()


class _Lookup(AbstractIOReference):  # type: ignore[misc]  # pika is untyped
    """One look-up of a name. When it is cancelled its result is dropped."""

    def __init__(self, query: tuple[Any, ...], on_done: Callable[[Any], None]) -> None:
        self._query, self._on_done = query, on_done
        self._pending = True
        eventlet.spawn(self._resolve)

    def _resolve(self) -> None:
        result: Any
        try:
            result = socket.getaddrinfo(*self._query)
        except Exception as error:  # noqa: BLE001  # whoever asked is given it
            result = error
        if self.cancel():
            self._on_done(result)

    def cancel(self) -> bool:
        """Whether it was still pending."""
        was_pending, self._pending = self._pending, False
        return was_pending
