"""What Peygir is compared with: django-helpdesk from PyPI, in a virtual environment of its own, on the same PostgreSQL server."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from sqlalchemy import make_url

from benchmarks import load
from benchmarks.api_user import CREATED, between
from benchmarks.load import Connection, Tally
from deploy.local import ports
from deploy.local.child_process import Child
from deploy.local.environment import ROOT
from deploy.local.processes import System

REQUIREMENTS = ROOT / "benchmarks" / "peer-requirements.txt"
SITE = ROOT / "benchmarks" / "helpdesk"
WORKERS = 3
RESOLVED = 3
_DATABASE = "helpdesk"


class DjangoHelpdesk:
    """django-helpdesk under three gunicorn workers. `folder` keeps its virtual environment."""

    def __init__(self, system: System, folder: Path) -> None:
        self._folder = folder
        self._port = ports.pick()
        self._url = f"http://127.0.0.1:{self._port}"
        server = make_url(system.database.url)
        self._database = server.set(drivername="postgresql", database=_DATABASE).render_as_string(False)
        self._server = server.set(drivername="postgresql").render_as_string(False)
        self._environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(SITE),
            "DJANGO_SETTINGS_MODULE": "settings",
            "HELPDESK_SECRET_KEY": secrets.token_hex(32),
            "HELPDESK_MEDIA": str(folder / "media"),
            "HELPDESK_HOST": str(server.host),
            "HELPDESK_PORT": str(server.port),
            "HELPDESK_USER": str(server.username),
            "HELPDESK_PASSWORD": str(server.password),
            "HELPDESK_DATABASE": _DATABASE,
        }
        self._gunicorn = Child(
            "helpdesk",
            [
                *(str(self._python), "-m", "gunicorn", "--workers", str(WORKERS), "--bind", f"127.0.0.1:{self._port}"),
                *("--log-level", "warning", "django.core.wsgi:get_wsgi_application()"),
            ],
            log=folder / "log",
            pidfile=folder / "pid",
            environment=self._environment,
            folder=folder,
        )
        self._fixture: dict[str, str] = {}

    @property
    def _python(self) -> Path:
        return self._folder / "venv" / "bin" / "python"

    def __enter__(self) -> Self:
        self._install()
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {_DATABASE}")
        self._run("-m", "django", "migrate", "--verbosity", "0")
        self._fixture = json.loads(self._run(str(SITE / "fill.py")))
        self._gunicorn.start()
        self._await_ready()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._gunicorn.stop()

    def lifecycles(self, clients: int, seconds: float, tickets: int = 0) -> float:
        """Create, assign, resolve and read: how many a second, with so many tickets at the start, since each request of its API
        reads every ticket."""
        self._set_tickets(tickets)
        tally = load.run(load.during(self._url, clients, seconds, self._lifecycle))
        if tally.errors:
            raise RuntimeError(f"django-helpdesk answered {tally.errors[0]}")
        return tally.rate

    def _set_tickets(self, tickets: int) -> None:
        with psycopg.connect(self._database, autocommit=True) as connection:
            connection.execute("TRUNCATE helpdesk_ticket CASCADE")
            if tickets:
                load.run(load.clients(self._url, 1, lambda client: self._lifecycle(client, Tally())))
                rows = connection.execute(
                    "SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns"
                    " WHERE table_name = 'helpdesk_ticket' AND column_name <> 'id'"
                ).fetchone()
                assert rows is not None
                copied = f"SELECT {rows[0]} FROM helpdesk_ticket CROSS JOIN generate_series(2, {tickets})"
                connection.execute(f"INSERT INTO helpdesk_ticket ({rows[0]}) {copied}".encode())

    async def _lifecycle(self, connection: Connection, tally: Tally) -> None:
        began = time.perf_counter()
        ticket = {
            "queue": self._fixture["queue"],
            "title": "آسفالت خیابان فلسطین",
            "description": "آسفالت تازه دوباره کنده شده و مصالح آن چند روز است که کنار پیاده‌رو رها مانده است.",
            "submitter_email": "citizen@example.org",
            "priority": 3,
        }
        created = await connection.request(self._request("POST", "", ticket))
        if created.status != CREATED:
            tally.add(began, created, CREATED)
            return
        path = between(created.body, b'"id":', b",") + "/"
        for request in (
            self._request("PATCH", path, {"assigned_to": self._fixture["user"]}),
            self._request("PATCH", path, {"status": RESOLVED, "resolution": "گزارش درست بود و جبران شد."}),
            self._request("GET", path),
        ):
            answer = await connection.request(request)
            if answer.status != 200:
                break
        tally.add(began, answer, 200)

    def _request(self, method: str, path: str, body: dict[str, object] | None = None) -> bytes:
        headers = {"Authorization": f"Token {self._fixture['token']}", "Accept": "application/json"}
        return load.request(method, f"/api/tickets/{path}", headers, json.dumps(body).encode() if body else None)

    # --- installation and start ---

    def _install(self) -> None:
        """Installs the pinned requirements into the virtual environment; nothing to do when they are there already."""
        mark, wanted_hash = self._folder / "installed", hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
        if mark.exists() and mark.read_text() == wanted_hash:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(self._folder / "venv")], check=True)
        pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--require-hashes"]
        command = [str(self._python), *pip, "--requirement", str(REQUIREMENTS)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"django-helpdesk could not be installed:\n{done.stderr[-2000:]}")
        mark.write_text(wanted_hash)

    def _run(self, *words: str) -> str:
        done = subprocess.run(
            [str(self._python), *words], env=self._environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(f"django-helpdesk: {' '.join(words)} failed:\n{done.stderr[-2000:]}")
        return done.stdout

    def _await_ready(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self._gunicorn.alive:
            try:
                urllib.request.urlopen(f"{self._url}/api/", timeout=2).close()  # noqa: S310  # ours, by http
                return
            except urllib.error.HTTPError:
                return  # refused without a token: it answers
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"django-helpdesk does not start:\n{self._gunicorn.tail()}")
