"""Drafts that several gateways share, in a Valkey (or Redis) server of the test's own; and while it is away."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest
from starlette.requests import Request

from deploy.local import ports
from gateway.pages import form_session_store
from gateway.pages.draft import AnswerDraft
from gateway.pages.form_session import FormSession
from gateway.pages.form_session_store import FormSessionStore, make_store
from gateway.settings import Settings
from tests.component.test_gateway_limits_shared import needs_server, running
from tests.support.gateway import Keys

KEY = bytes(32)
SESSION_ID = "v" * 43


def settings(folder: Path, port: int) -> Settings:
    return Keys().settings(folder, limits_url=f"valkey://127.0.0.1:{port}/0")


async def session(store: FormSessionStore) -> FormSession:
    """One request of the visitor."""
    scope = {"type": "http", "headers": [(b"cookie", f"peygir-form-session={SESSION_ID}".encode())]}
    cookies = FormSession(Request(scope), KEY, store)
    await cookies.load()
    return cookies


async def keep(store: FormSessionStore, text: str) -> None:
    cookies = await session(store)
    cookies.write("answer", AnswerDraft(text=text))
    await cookies.save()


async def text_in(store: FormSessionStore) -> str | None:
    kept = (await session(store)).read("answer", AnswerDraft)
    return kept.text if kept else None


@needs_server
def test_two_gateways_share_a_draft_that_the_server_cannot_read(tmp_path: Path) -> None:
    async def go(port: int) -> None:
        here, there = (make_store(settings(tmp_path / name, port)) for name in ("a", "b"))
        await keep(here, "پاسخ من")
        assert await text_in(there) == "پاسخ من"
        await keep(there, "پاسخ درست‌شده من")
        assert await text_in(here) == "پاسخ درست‌شده من"
        cookies = await session(here)
        cookies.drop("answer")
        await cookies.save()
        assert await text_in(there) is None
        await keep(here, "نوشته دیگر")

    with running(tmp_path) as port:
        asyncio.run(go(port))
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"KEYS *\r\n")
            key = connection.recv(4096).split(b"\r\n")[2]
            assert key.startswith(b"peygir:form-session:")
            assert SESSION_ID.encode() not in key
            connection.sendall(b"TTL " + key + b"\r\n")
            assert 86_000 < int(connection.recv(4096).strip()[1:]) <= 86_400
            connection.sendall(b"HGETALL " + key + b"\r\n")
            held = connection.recv(65536)
    assert b"answer" in held
    assert "نوشته".encode() not in held
    assert not list((tmp_path / "a").glob("form-sessions/[0-9a-f]*")), "it lies in files as well"


@needs_server
def test_without_the_server_drafts_are_kept_in_files_and_the_newest_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(form_session_store, "REST", 0.0)
    port = ports.pick()

    async def go() -> None:
        store = make_store(settings(tmp_path / "gateway", port))
        with running(tmp_path, port):
            await keep(store, "پیش از قطع")
        assert not (await session(store)).complete
        assert await text_in(store) is None
        await keep(store, "هنگام قطع")
        assert await text_in(store) == "هنگام قطع"
        with running(tmp_path, port):  # it forgot all, or has what is older
            assert await text_in(store) == "هنگام قطع"
            await keep(store, "پس از قطع")
            assert await text_in(store) == "پس از قطع"
            assert not list((tmp_path / "gateway" / "form-sessions").glob("[0-9a-f]*")), "an older copy stays behind"
            cookies = await session(store)
        cookies.drop("answer")
        await cookies.save()
        assert await text_in(store) is None, "what was dropped while the server was away comes back"

    asyncio.run(go())


def test_an_unresponsive_server_delays_nobody(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and answers none
        store = make_store(settings(tmp_path, silent.getsockname()[1]))

        async def go() -> str | None:
            async with asyncio.timeout(20):
                for _ in range(20):
                    await keep(store, "نوشته")
                return await text_in(store)

        assert asyncio.run(go()) == "نوشته"
