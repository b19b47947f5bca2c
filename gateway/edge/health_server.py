"""The port for those who monitor the process: /healthz, /readyz and /metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest


async def serve_health(host: str, port: int, readiness: Callable[[], tuple[str, int]]) -> asyncio.Server:
    """Serves them until the returned server is closed; one answer a connection. `readiness`: text and status of /readyz."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(5):
                line = (await reader.readline()).split()
                while (await reader.readline()).strip():
                    pass
            path = line[1].split(b"?")[0] if len(line) > 1 else b""
            content_type, status = "text/plain; charset=utf-8", 200
            if path == b"/metrics":
                content_type, body = CONTENT_TYPE_LATEST, generate_latest()
            elif path == b"/healthz":
                body = b"alive\n"
            elif path == b"/readyz":
                text, status = readiness()
                body = text.encode()
            else:
                status, body = 404, b"not found\n"
            writer.write(
                f"HTTP/1.1 {status} -\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
                "Connection: close\r\n\r\n".encode()
                + body
            )
            await writer.drain()
        except (TimeoutError, OSError, ValueError):
            pass
        finally:
            writer.close()

    return await asyncio.start_server(answer, host, port)
