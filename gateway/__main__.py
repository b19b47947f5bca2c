"""`python -m gateway`: serves until SIGTERM or SIGINT; then finishes open requests within SHUTDOWN_SECONDS."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from typing import Any

import uvicorn
import uvloop

from backbone.process import logs
from backbone.process.settings import load
from gateway.app import create_app, readiness
from gateway.container import AppContainer
from gateway.edge.health_server import serve_health
from gateway.edge.http_protocol import BoundedHttpProtocol
from gateway.settings import Settings


class Server(uvicorn.Server):
    """Stops the application at once on a signal, so that open streams end."""

    def __init__(self, config: uvicorn.Config, container: AppContainer) -> None:
        super().__init__(config)
        self._container = container
        self._exit = asyncio.Event()

    def handle_exit(self, sig: int, frame: Any) -> None:
        super().handle_exit(sig, frame)
        asyncio.get_running_loop().call_soon_threadsafe(self._stop)

    def _stop(self) -> None:
        self._exit.set()
        self._container.stop()

    async def main_loop(self) -> None:
        """Until the signal; the date of answers is renewed each second. uvicorn's own loop wakes ten times a second."""
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._exit.wait(), 1.0)


async def serve(settings: Settings) -> None:
    """Serves both ports until a signal."""
    app = create_app(settings)
    container: AppContainer = app.state.container
    config = uvicorn.Config(
        app,
        host=settings.gateway_host,
        port=settings.gateway_port,
        loop="uvloop",
        http=BoundedHttpProtocol.with_settings(settings),
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=int(max(1, settings.shutdown_seconds - 2)),
        backlog=2048,
    )
    listener = None
    if settings.health_port:
        listener = await serve_health(settings.health_host, settings.health_port, lambda: readiness(container))
    try:
        await Server(config, container).serve()
    finally:
        if listener is not None:
            listener.close()


def main() -> int:
    """The exit code: 0 stopped, 1 the port is in use, 2 the environment is not complete."""
    settings = load(Settings)
    logs.configure("gateway", settings.log_level)
    log = logs.get("run")
    try:
        uvloop.run(serve(settings))
    except SystemExit as error:  # uvicorn raises it when it cannot start
        log.error("the gateway could not start", host=settings.gateway_host, port=settings.gateway_port)
        return int(error.code or 1) if isinstance(error.code, int) else 1
    except OSError as error:
        log.error("the gateway could not start", error=type(error).__name__, port=settings.health_port)
        return 1
    except KeyboardInterrupt:
        pass
    log.info("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
