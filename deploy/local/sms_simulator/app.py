"""The HTTP side: the provider's API, the control API, the page of phones, health."""

from __future__ import annotations

import asyncio
import contextlib
import html
import secrets
import time
from collections.abc import AsyncIterator
from datetime import datetime
from itertools import groupby
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import FastAPI, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from . import rules
from .faults import Fault, Faults
from .network import Network
from .provider import Entries, Provider
from .rules import Refused
from .settings import Settings
from .store import Message, Store


class HandsetText(BaseModel):
    """A handset texts the office's number. `times`: how often the provider calls the webhook for this one text."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    sender: str = Field(alias="from")
    text: str = Field(min_length=1, max_length=rules.MAX_TEXT)
    times: int = Field(default=1, ge=1, le=10)


class Templates(BaseModel):
    model_config = ConfigDict(extra="forbid")

    templates: dict[str, str]


class Speed(BaseModel):
    """`step_delay`: seconds between 1, 4, 5 and the end."""

    model_config = ConfigDict(extra="forbid")

    step_delay: float = Field(ge=0, le=3600)


def make_app(settings: Settings) -> FastAPI:
    """The application; its state is opened and closed with it."""
    store = Store(settings.state)
    faults = Faults()

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        loop = asyncio.create_task(app.state.network.run())
        yield
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)
        await app.state.network.close()
        store.close()

    app = FastAPI(title="SMS provider simulator", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    network = Network(settings, store)
    app.state.network = network
    provider = Provider(settings, store, network)

    @app.api_route("/v1/{key}/{scope}/{method}.json", methods=["GET", "POST", "PUT", "DELETE", "PATCH"])
    async def call(key: str, scope: str, method: str, request: Request) -> Response:
        name = f"{scope}/{method}".lower()
        try:
            if not secrets.compare_digest(key.encode(), settings.api_key.encode()):
                raise Refused(403)
            if name not in provider.methods:
                raise Refused(404)
            if request.method not in ("GET", "POST"):
                raise Refused(405)
            params = {key.lower(): value for key, value in request.query_params.items()}
            if request.method == "POST":
                form = await request.form()
                params.update({key.lower(): value for key, value in form.items() if isinstance(value, str)})
            fault = faults.take(name)
            if fault is not None and fault.refusal is not None:
                if fault.refusal >= 500:
                    return PlainTextResponse("upstream is not there", fault.refusal)
                raise Refused(fault.refusal)
            entries = provider.methods[name](params, fault)
        except Refused as refusal:
            return _envelope(refusal.code, None, refusal.http_status)
        if fault is not None and fault.pause:
            await asyncio.sleep(fault.pause)
        return _envelope(200, entries, 200)

    @app.get("/_control/messages")
    async def list_messages(
        receptor: str | None = None,
        after: int = 0,
        wait: float = 0,
        accepted: Annotated[bool, Query(alias="all")] = False,
    ) -> dict[str, Any]:
        """Newest last. What reached a handset, or with `all` whatever was accepted; `wait` up to so many seconds for one."""
        mobile = rules.local_mobile(receptor) if receptor else None
        until = time.monotonic() + min(wait, 60)
        while True:
            messages = store.accepted(mobile, after) if accepted else store.arrived(mobile, after)
            left = until - time.monotonic()
            if messages or left <= 0:
                break
            await network.wait_for_arrival(left)
        listed = [_shown(message, message.id if accepted else message.arrival or 0) for message in messages]
        return {"messages": listed, "last": listed[-1]["number"] if listed else after}

    @app.post("/_control/inbound", status_code=202)
    async def inbound(text: HandsetText) -> dict[str, Any]:
        received = store.add_inbound(rules.local_mobile(text.sender), settings.sender, text.text, time.time())
        for _ in range(text.times):
            network.inbound(received)
        return {"messageid": received.id}

    @app.get("/_control/faults")
    async def listed_faults() -> list[dict[str, object]]:
        return faults.listed()

    @app.post("/_control/faults", status_code=201)
    async def add_fault(fault: Fault) -> list[dict[str, object]]:
        faults.add(fault)
        return faults.listed()

    @app.post("/_control/templates", status_code=201)
    async def add_templates(wanted: Templates) -> dict[str, str]:
        provider.templates.update(wanted.templates)
        return provider.templates

    @app.post("/_control/speed")
    async def speed(wanted: Speed) -> Speed:
        network.step_delay = wanted.step_delay
        network.accepted()
        return wanted

    @app.post("/_control/reset", status_code=204)
    async def reset() -> None:
        store.reset()
        faults.clear()
        network.step_delay = settings.step_delay
        provider.templates = dict(settings.templates)

    @app.exception_handler(Refused)
    async def refused(request: Request, refusal: Refused) -> Response:
        return _envelope(refusal.code, None, refusal.http_status)

    @app.get("/", response_class=HTMLResponse)
    async def phones() -> str:
        return _page(store, settings)

    @app.get("/healthz")
    @app.get("/readyz")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    return app


def _envelope(code: int, entries: Entries | None, http_status: int) -> JSONResponse:
    answer = {"status": code, "message": rules.RETURN_TEXTS.get(code, "خطا")}
    return JSONResponse({"return": answer, "entries": entries}, http_status)


def _shown(message: Message, number: int) -> dict[str, Any]:
    return {
        "number": number,
        "messageid": message.id,
        "receptor": message.receptor,
        "sender": message.sender,
        "text": message.text,
        "template": message.template,
        "localid": message.localid,
        "parts": message.parts,
        "cost": message.cost,
        "status": message.status,
        "statustext": rules.STATUS_TEXTS[message.status],
        "arrived": message.arrival is not None,
        "at": message.changed,
    }


_PAGE = """<!doctype html><html lang="fa" dir="rtl"><meta charset="utf-8"><meta http-equiv="refresh" content="3">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>گوشی‌های آزمایشی</title>
<style>body{{font:16px/1.7 Vazirmatn,Tahoma,sans-serif;background:#e9eef2;margin:1rem;color:#1b2733}}
main{{display:flex;flex-wrap:wrap;gap:1rem}}section{{background:#fff;border-radius:1.2rem;width:21rem;padding:1rem}}
h2{{font-size:1rem;text-align:center;margin:.2rem}}p{{border-radius:.8rem;padding:.5rem .8rem;margin:.5rem 0;
white-space:pre-line;unicode-bidi:plaintext}}.in{{background:#eef1f4;margin-inline-end:2rem}}
.out{{background:#d6f0dc;margin-inline-start:2rem}}time{{display:block;font-size:.75rem;color:#566573}}</style>
<h1>گوشی‌های آزمایشی (سامانه پیامک {line})</h1><main>{phones}</main></html>"""


def _page(store: Store, settings: Settings) -> str:
    rows = sorted(store.conversation(), key=lambda row: (row["phone"], row["moment"]))
    phones = []
    for phone, texts in groupby(rows, key=lambda row: str(row["phone"])):
        bubbles = "".join(
            f'<p class="{"out" if row["mine"] else "in"}">{html.escape(row["text"])}'
            f"<time>{datetime.fromtimestamp(row['moment'], ZoneInfo('Asia/Tehran')):%H:%M:%S}</time></p>"
            for row in texts
        )
        phones.append(f"<section><h2 dir=ltr>{html.escape(phone)}</h2>{bubbles}</section>")
    return _PAGE.format(line=html.escape(settings.sender), phones="".join(phones) or "<p>هنوز پیامی نرسیده است.</p>")
