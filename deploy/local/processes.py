"""All of Peygir on one machine without containers: parts, services, simulator and gateway as child processes.

`System` is what `./peygir up` runs and what tests and benchmarks start:

    with System(tmp_path) as system:            # free ports, data in that folder; or .start() and .stop()
        httpx.get(system.gateway_url + "/readyz")
        system.process("tracking").kill()       # SIGKILL; also .start(), .stop(), .restart(), .log, .alive
        system.scale("tracking", 3)             # tracking, tracking-2, tracking-3
        system.broker.restart()                 # also .database and .objects: .kill(), .stop(), .start()
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urlsplit

from deploy.local import environment, ports
from deploy.local.child_process import PRIVATE, CannotStart, Child
from deploy.local.environment import ROOT, SERVICES
from deploy.local.part import Part, write_private
from deploy.local.parts import ObjectStore, PostgreSQL, RabbitMQ, create_databases, database_url
from deploy.local.postgresql import await_published

PATIENCE = 12.0  # seconds for a process to stop by itself: its own limit is 10
START_PATIENCE = 60.0
OwnPart = TypeVar("OwnPart", bound=Part)
LOG_LIMIT = 20_000_000  # bytes; a larger log is set aside at the next start


class Process(Child):
    """A service, the gateway or the simulator; `health_url` serves /healthz, /readyz and /metrics."""

    def __init__(self, name: str, module: list[str], health_port: int, state: Path, env: Mapping[str, str]) -> None:
        super().__init__(
            name,
            [sys.executable, "-m", *module],
            log=state / "log" / f"{name}.log",
            pidfile=state / "run" / f"{name}.pid",
            environment=env,
            folder=ROOT,
        )
        self.health_url = f"http://127.0.0.1:{health_port}"

    def ready(self) -> bool:
        """Whether /readyz answers 200 now."""
        try:
            with urllib.request.urlopen(f"{self.health_url}/readyz", timeout=2) as answer:  # noqa: S310  # ours, by http
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError, ValueError):
            return False

    def await_ready(self, patience: float = START_PATIENCE) -> None:
        """Wait until it is ready; CannotStart, with the end of its log, when it ends or takes longer."""
        deadline = time.monotonic() + patience
        while not self.ready():
            if not self.alive or time.monotonic() > deadline:
                problem = "stopped at its start" if not self.alive else f"was not ready after {patience:.0f} s"
                raise CannotStart(f"{self.name} {problem}; its log is {self.log}, and ends:\n{self.tail()}")
            time.sleep(0.05)

    def restart(self) -> None:
        """Stop it if it runs, start it, and wait until it is ready."""
        self.stop(PATIENCE)
        self.start()
        self.await_ready()


class System:
    """Everything, with its state in one folder. AMQP_URL, DATABASE_URL and S3_ENDPOINT replace the private servers.

    `environment` is added to every process's (settings of a test, say); `report` prints each step.
    Start it from a thread that lives as long as it does (see Child). Not for several threads at once.
    """

    def __init__(
        self,
        state_dir: Path,
        gateway_port: int | None = None,
        *,
        gateway_host: str = "127.0.0.1",
        environment: Mapping[str, str] | None = None,
        seed: bool = True,
        report: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.state = state_dir.resolve()
        self.host = gateway_host
        self.environment = {**os.environ, **(environment or {})}
        self.report = report
        self.seed = seed
        self.seed_output = ""
        self.values: dict[str, str] = {}
        self._gateway_port = gateway_port
        self._ports: dict[str, int] = {}
        self._processes: dict[str, Process] = {}
        self._lock: int | None = None
        self._broker = RabbitMQ(self.state / "rabbitmq", self._log("rabbitmq"))
        self._database = PostgreSQL(self.state / "postgresql", self._log("postgresql"))
        self._objects = ObjectStore(self.state / "objects", self._log("objects"))

    # --- state ---

    @property
    def gateway_url(self) -> str:
        """http://host:port, without a slash at its end."""
        return f"http://{self.host}:{self._port('gateway')}"

    @property
    def _public_url(self) -> str:
        """The address on papers: the loopback address where all addresses are listened on."""
        on_all_addresses = self.host in ("0.0.0.0", "::")
        return f"http://127.0.0.1:{self._port('gateway')}" if on_all_addresses else self.gateway_url

    @property
    def simulator_url(self) -> str:
        """The SMS simulator: its page of phones at /, the provider's API below /v1."""
        return f"http://127.0.0.1:{self._port('simulator')}"

    @property
    def amqp_url(self) -> str:
        return self.environment.get("AMQP_URL") or self._broker.url

    @property
    def broker(self) -> RabbitMQ:
        """The private RabbitMQ node; there is none when AMQP_URL is set."""
        return self._own(self._broker, "AMQP_URL")

    @property
    def database(self) -> PostgreSQL:
        """The private PostgreSQL server; there is none when DATABASE_URL is set."""
        return self._own(self._database, "DATABASE_URL")

    @property
    def objects(self) -> ObjectStore:
        """The private S3 server; there is none when S3_ENDPOINT is set."""
        return self._own(self._objects, "S3_ENDPOINT")

    def database_url(self, service: str) -> str:
        """The database of one service, for SQLAlchemy (postgresql+psycopg://…)."""
        return database_url(self.environment.get("DATABASE_URL") or self._database.url, f"peygir_{service}")

    def process(self, name: str, number: int = 1) -> Process:
        """A service, "gateway" or "simulator"; `number` counts from 1 where it was scaled."""
        return self._processes[_numbered(name, number)]

    def processes(self, name: str | None = None) -> list[Process]:
        """All processes, or all of one service."""
        running = self._processes.items()
        return [process for key, process in running if name in (None, key, key.rpartition("-")[0])]

    def runs_elsewhere(self) -> bool:
        """Whether another process runs on this folder."""
        try:
            lock = os.open(self.state / "lock", os.O_RDWR)
        except OSError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def members(self) -> list[Part | Process]:
        """Everything that runs, parts and processes."""
        return [*self._parts(), *self._processes.values()]

    # --- control ---

    def start(self) -> Self:
        """Start everything and wait until all is ready; CannotStart otherwise, with everything stopped."""
        self._take_lock()
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self, patience: float = PATIENCE) -> None:
        """Stop gateway, services, simulator and parts, in this order; each has `patience` seconds."""
        services = [process for process in self._processes.values() if process.name not in ("gateway", "simulator")]
        groups: list[Sequence[Part | Process]]
        groups = [self.processes("gateway"), services, self.processes("simulator"), self._parts()]
        for group in groups:
            for member in group:
                member.ask_to_stop()
            deadline = time.monotonic() + patience
            for member in group:
                member.await_stop(deadline - time.monotonic())
        self._release_lock()

    def kill(self) -> None:
        """SIGKILL everything."""
        for member in self.members():
            member.kill()
        self._release_lock()

    def scale(self, name: str, number: int) -> list[Process]:
        """Run a service `number` times; returns its processes when all are ready."""
        running = self.processes(name)
        for extra in running[number:]:
            extra.stop(PATIENCE)
            del self._processes[extra.name]
        started = [self._make(name, n) for n in range(len(running) + 1, number + 1)]
        for process in started:
            process.start()
        for process in started:
            process.await_ready()
        return self.processes(name)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- start ---

    def _start(self) -> None:
        self._make_folders()
        self._rotate_logs()
        for leftover in sorted((self.state / "run").glob("*.pid")):
            Child(leftover.stem, [], log=leftover, pidfile=leftover, environment={}, folder=ROOT).end_leftover()
        values = environment.load(self.state / "env", self.environment)
        self._choose_ports()
        self._objects.use_keys(values["S3_ACCESS_KEY"], values["S3_SECRET_KEY"])
        parts = self._parts()
        for variable in ("AMQP_URL", "DATABASE_URL", "S3_ENDPOINT"):
            self._check_reachable(variable)
        if parts:
            self.report("starting " + ", ".join(part.title for part in parts))
        for part in parts:
            part.launch()
        # PostgreSQL is up long before RabbitMQ: migrate its databases meanwhile.
        for part in sorted(parts, key=lambda part: part is self._broker):
            if part is self._broker:
                self._prepare_databases(values)
            part.await_ready()
        if self._broker not in parts:
            self._prepare_databases(values)
        self.values = self._all_values(values)
        run = {"environment": self.values, "gateway": self.gateway_url, "simulator": self.simulator_url}
        write_private(self.state / "run.json", json.dumps(run, indent=1))
        self._run("topology", ["backbone.messaging.topology"])
        names = ["simulator", *present_services(), "gateway"]
        self.report("starting " + ", ".join(names))
        for name in names:
            self._make(name).start()
        for name in names:
            self.process(name).await_ready()
        if self.seed:
            self.report("seeding the sample catalogue and the demo staff")
            self.seed_output = self._run("seed", ["deploy.seed"])
            for name in ("intake", "accounts"):
                await_published(self.database_url(name))

    def _prepare_databases(self, values: Mapping[str, str]) -> None:
        names = present_services()
        server = self.environment.get("DATABASE_URL") or self._database.url
        create_databases(server, [f"peygir_{name}" for name in names])
        self.report("migrating the databases")
        self.values = self._all_values(values)
        folder = "" if self.environment.get("DATABASE_URL") else str(self.state)
        self._run("migrate", ["deploy.local.databases", folder, *names])

    def _all_values(self, values: Mapping[str, str]) -> dict[str, str]:
        """Every value that a process or a command may need."""
        webhooks = f"{self.gateway_url}/v1/webhooks/sms/kavenegar/{values['SMS_WEBHOOK_SECRET']}"
        return {
            **values,
            "AMQP_URL": self.amqp_url,
            "S3_ENDPOINT": self.environment.get("S3_ENDPOINT") or self._objects.endpoint,
            "S3_BUCKET": self.environment.get("S3_BUCKET") or "peygir",
            "KAVENEGAR_BASE_URL": self.environment.get("KAVENEGAR_BASE_URL") or self.simulator_url,
            **{name: self.environment[name] for name in environment.RESERVE_PROVIDER if self.environment.get(name)},
            "SMS_WEBHOOK_URL_DELIVERY": f"{webhooks}/delivery",
            "SMS_WEBHOOK_URL_INBOUND": f"{webhooks}/inbound",
            "CHECKPOINT_DIR": self.environment.get("CHECKPOINT_DIR") or str(self.state / "checkpoints"),
            "PUBLIC_URL": self.environment.get("PUBLIC_URL") or self._public_url,
            "PEYGIR_GATEWAY_URL": self.gateway_url,
            "PEYGIR_SIMULATOR_URL": self.simulator_url,
            "PEYGIR_CREDENTIALS": str(self.state / "credentials.json"),
            **{f"DATABASE_URL_{name.upper()}": self.database_url(name) for name in SERVICES},
        }

    def _make(self, name: str, number: int = 1) -> Process:
        key = _numbered(name, number)
        env = environment.process_environment(name, self.values, self.environment)
        env["AMQP_URL"] = self.values["AMQP_URL"]
        env.setdefault("MEDIA_WORK_DIR", str(self.state / "media-work"))
        env.setdefault("MEDIA_STORE_FOLDER", str(self.state))
        if name == "gateway":
            module = ["gateway"]
            env |= {"GATEWAY_HOST": self.host, "GATEWAY_PORT": str(self._port("gateway"))}
            env["GATEWAY_STATE_DIR"] = str(self.state / "gateway")
        elif name == "simulator":
            module = ["deploy.local.sms_simulator"]
            env |= {
                "SIMULATOR_PORT": str(self._port("simulator")),
                "SIMULATOR_API_KEY": self.values["KAVENEGAR_API_KEY"],
                "SIMULATOR_STATE": str(self.state / "simulator.sqlite"),
                "SMS_WEBHOOK_URL_DELIVERY": self.values["SMS_WEBHOOK_URL_DELIVERY"],
                "SMS_WEBHOOK_URL_INBOUND": self.values["SMS_WEBHOOK_URL_INBOUND"],
            }
        else:
            module = ["backbone.process.run", name]
            env["DATABASE_URL"] = self.values[f"DATABASE_URL_{name.upper()}"]
            if name == "notify" and not self.environment.get("KAVENEGAR_BASE_URL"):
                env.setdefault("NOTIFY_QUIET_HOURS", "off")  # nobody is woken by the simulator's phones
        health = self._port("simulator") if name == "simulator" else self._port(f"{key} health")
        env |= {"HEALTH_HOST": "127.0.0.1", "HEALTH_PORT": str(health)}
        self._processes[key] = Process(key, module, health, self.state, env)
        return self._processes[key]

    def _run(self, name: str, module: list[str]) -> str:
        """Run a command to its end; its output. CannotStart when it fails."""
        env = environment.command_environment(self.values, self.environment)
        done = subprocess.run(
            [sys.executable, "-m", *module],
            env=env,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            umask=PRIVATE,
        )
        log = self._log(name)
        write_private(log, done.stderr + done.stdout)
        if done.returncode != 0:
            tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-12:])
            raise CannotStart(f"{name} failed; its log is {log}, and ends:\n{tail}")
        return done.stdout

    def _parts(self) -> list[Part]:
        """The private servers, in the order of their start."""
        own = {"AMQP_URL": self._broker, "DATABASE_URL": self._database, "S3_ENDPOINT": self._objects}
        return [part for variable, part in own.items() if not self.environment.get(variable)]

    def _own(self, part: OwnPart, variable: str) -> OwnPart:
        if self.environment.get(variable):
            raise LookupError(f"{variable} is set, so there is no private {part.name}")
        return part

    def _check_reachable(self, variable: str) -> None:
        if not (url := self.environment.get(variable)):
            return
        address = urlsplit(url)
        port = address.port or {"AMQP_URL": 5672, "DATABASE_URL": 5432}.get(variable, 80)
        # A database may also be behind a unix socket, which create_databases tries.
        if address.hostname and not ports.accepts(port, address.hostname):
            raise CannotStart(f"{variable} is set, but nothing answers at {address.hostname}:{port}.")

    def _port(self, name: str) -> int:
        if name not in self._ports:
            self._ports[name] = ports.pick(besides=self._ports.values())
            write_private(self.state / "ports.json", json.dumps(self._ports, indent=1))
        return self._ports[name]

    def _choose_ports(self) -> None:
        """Keep the ports of the last run, except those that are in use."""
        try:
            previous = json.loads((self.state / "ports.json").read_text())
        except (OSError, ValueError):
            previous = {}
        self._ports = {name: port for name, port in previous.items() if ports.is_free(port)}
        if self._gateway_port is not None:
            self._ports["gateway"] = self._gateway_port
            if not ports.is_free(self._gateway_port, self.host):
                raise CannotStart(f"Port {self._gateway_port} is taken.")

    def _log(self, name: str) -> Path:
        return self.state / "log" / f"{name}.log"

    def _make_folders(self) -> None:
        """Each for its owner alone; PostgreSQL, which root runs as another user, has to pass through the state's folder."""
        self.state.chmod(0o711)
        for name in ("log", "run", "gateway", "media-work", "checkpoints", "objects", "rabbitmq"):
            folder = self.state / name
            folder.mkdir(exist_ok=True)
            folder.chmod(0o700)

    def _rotate_logs(self) -> None:
        for log in (self.state / "log").glob("*.log"):
            if log.stat().st_size > LOG_LIMIT:
                log.replace(log.with_suffix(".log.1"))

    def _take_lock(self) -> None:
        self.state.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.state / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            # Falls with the process that holds it, however that ends.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(lock, 100).decode().strip()
            os.close(lock)
            raise CannotStart(
                f"Peygir runs already with its state in {self.state} (process {holder}): "
                f"stop that one with Ctrl-C or `kill {holder}`."
            ) from None
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
        self._lock = lock

    def _release_lock(self) -> None:
        (self.state / "run.json").unlink(missing_ok=True)
        if self._lock is not None:
            os.ftruncate(self._lock, 0)
            os.close(self._lock)
            self._lock = None


def present_services() -> list[str]:
    """The services of the tree, in the order of the design."""
    return [name for name in SERVICES if (ROOT / "services" / name / "service.py").exists()]


def remove(state_dir: Path) -> None:
    """Delete a system's folder, also what PostgreSQL's own user holds in it."""
    shutil.rmtree(state_dir, ignore_errors=True)


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}-{number}"
