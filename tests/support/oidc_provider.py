"""A provider of OpenID Connect, `oidc-provider-mock`, on a port of its own; it keeps what tokens were asked for with."""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
from werkzeug.serving import make_server
from werkzeug.wrappers import Request

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of libraries that the package still uses
    import oidc_provider_mock


class OidcProvider:
    """`issuer`: its address; `exchanges`: the forms by which tokens were asked for."""

    def __init__(self) -> None:
        self._app = oidc_provider_mock.app(require_nonce=True)
        self.exchanges: list[dict[str, str]] = []
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.issuer = f"http://localhost:{self._server.server_port}"

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()

    def has_person(self, subject: str, **claims: Any) -> None:
        """Somebody whom it knows, with what it says of them."""
        httpx.put(f"{self.issuer}/users/{subject}", json=claims, trust_env=False).raise_for_status()

    def signs_in(self, url: str, subject: str) -> dict[str, str]:
        """What stands in the address to which it sends the browser back, after this person has signed in."""
        answer = httpx.post(url, data={"sub": subject}, trust_env=False)
        assert answer.status_code == 302, answer.text
        return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        body = request.get_data(cache=False)
        environ["wsgi.input"] = io.BytesIO(body)
        if request.path == "/oauth2/token":
            self.exchanges.append(dict(parse_qsl(body.decode())))
        answered: Iterable[bytes] = self._app.wsgi_app(environ, start_response)
        return answered


@contextmanager
def running_provider() -> Iterator[OidcProvider]:
    """One that runs until the end of the block."""
    provider = OidcProvider()
    provider.start()
    try:
        yield provider
    finally:
        provider.stop()
