"""What the walk through the gateway stands on: services at hand instead of a broker, objects that hold their names, and browsers
whose sessions have a cookie instead of a token or a code."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx

from contracts import media
from contracts.accounts import BrowserSession, Tokens
from contracts.base import now
from contracts.errors import NotFound
from contracts.vocabulary import ActorKind
from tests.support.gateway import MemoryRabbitClient
from tests.support.walk import gateway_operations
from tests.support.walk.oracle import Person
from tests.support.walk.services import Services

if TYPE_CHECKING:
    from tests.support.walk.gateway_walk import GatewayWalk


class ServicesClient(MemoryRabbitClient):
    """Asks the services at hand; of media, which knows no person, what it would sign for."""

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services
        self.browser_session: BrowserSession | None = None

    async def call(self, service: str, method: str, request: Any, answer: Any, patience: float | None = None) -> Any:
        if (of_operations := gateway_operations.answer(method, request)) is not None:
            return of_operations
        if method == "open_browser_session":  # of who has just signed in
            return self.browser_session
        if service != "media":
            reply = self._services.ask(service, method, request)
            return answer.model_validate_json(reply.model_dump_json()) if answer else reply
        if method == "list_file_names":  # whoever reads one that is not of their own case has been told who sent it
            return media.FileNames(names={media_id: f"{media_id}.jpg" for media_id in request.media_ids})
        if method != "sign_download":
            raise NotFound
        content = request.media_id.encode()
        return media.Download(
            url=f"http://objects/{request.media_id}",
            media_type="image/jpeg",
            size=len(content),
            file_name=f"{request.label}.jpg",
            sha256=hashlib.sha256(content).hexdigest(),
        )


class Stored(httpx.AsyncByteStream):
    """What an object holds."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content


class Browsers:
    """A browser for each person, with a session that was opened once."""

    def __init__(self, walk: GatewayWalk) -> None:
        self._walk = walk
        self._cookies: dict[str, str] = {}

    async def headers(self, person: Person) -> dict[str, str]:
        """What a script of our own page sends for this person."""
        key = f"{person.id} {person.version}"
        sessions = self._walk.container.browser_sessions
        if key not in self._cookies:
            self._walk.rabbit.browser_session = self._session(person)
            if person.actor is not None and person.actor.kind is ActorKind.BEARER:
                opened = await sessions.open_for_code(self._walk.code(person))
            else:
                opened = await sessions.open(Tokens(access_token="-", refresh_token="-", expires_in=900))  # never used
            self._cookies[key] = f"{sessions.cookie_name}={opened.cookie}"
        return {"Cookie": self._cookies[key], "X-Peygir-CSRF": "1", "Origin": self._walk.settings.public_url}

    def _session(self, person: Person) -> BrowserSession:
        token = self._walk.headers(person).get("Authorization", "").removeprefix("Bearer ")
        return BrowserSession(
            session_id=uuid.uuid4(),
            expires_at=now() + timedelta(hours=12),
            valid_seconds=880,
            access_token=token or None,
            secret=secrets.token_urlsafe(32),
        )
