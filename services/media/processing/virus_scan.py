"""Virus scan by clamd's INSTREAM command over TCP. Where no clamd is configured, files are marked as not
scanned.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_CHUNK = 256 * 1024


class ScanResult(StrEnum):
    CLEAN = "clean"
    INFECTED = "infected"


class ScanFailed(Exception):
    """clamd could not be reached or gave no verdict: try again, since a configured scan is never skipped."""


@dataclass(frozen=True)
class Scanner:
    """clamd at `host`:`port`. `timeout` in seconds, for each wait on the socket.

    clamd's StreamMaxLength and MaxFileSize must reach the largest permitted file: one beyond StreamMaxLength
    fails here, loudly; one beyond MaxFileSize would pass unread.
    """

    host: str
    port: int
    timeout: float = 60.0

    def scan(self, path: Path) -> tuple[ScanResult, str]:
        """CLEAN or INFECTED and the signature's name. Raises ScanFailed."""
        answer = self._send_command(b"zINSTREAM\0", path)
        if answer == "stream: OK":
            return ScanResult.CLEAN, ""
        if answer.endswith(" FOUND"):
            return ScanResult.INFECTED, answer.removeprefix("stream: ").removesuffix(" FOUND")
        raise ScanFailed(answer or "clamd closed the connection")

    def ping(self) -> bool:
        """Whether clamd answers."""
        try:
            return self._send_command(b"zPING\0") == "PONG"
        except ScanFailed:
            return False

    def _send_command(self, command: bytes, path: Path | None = None) -> str:
        try:
            with socket.create_connection((self.host, self.port), timeout=self.timeout) as connection:
                connection.sendall(command)
                if path is not None:
                    self._send(connection, path)
                return _answer(connection)
        except OSError as error:
            raise ScanFailed(f"clamd at {self.host}:{self.port}: {error}") from error

    def _send(self, connection: socket.socket, path: Path) -> None:
        try:
            with path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    connection.sendall(struct.pack("!I", len(chunk)) + chunk)
            connection.sendall(struct.pack("!I", 0))
        except (BrokenPipeError, ConnectionResetError):
            pass  # clamd stops listening when a limit is passed, and its answer says which


def _answer(connection: socket.socket) -> str:
    answer = b""
    while not answer.endswith(b"\0"):
        received = connection.recv(4096)
        if not received:
            break
        answer += received
    return answer.rstrip(b"\0\n").decode("utf-8", "replace")
