"""A private RabbitMQ node from the system's own binaries."""

import os
import secrets
import socket
import subprocess
from pathlib import Path

from deploy.local import ports
from deploy.local.child_process import CannotStart
from deploy.local.part import SYSTEM_PATH, Part, write_private

# Debian's wrapper in /usr/sbin switches to the user rabbitmq, so the script behind it is what we run.
RABBITMQ_SERVERS = ("/usr/lib/rabbitmq/bin/rabbitmq-server", "/opt/rabbitmq/sbin/rabbitmq-server")
RABBITMQ_MISSING = (
    "RabbitMQ is not installed: run `sudo apt-get install rabbitmq-server`, or set AMQP_URL to a broker of yours."
)


class RabbitMQ(Part):
    """A RabbitMQ node of its own: own name, ports, cookie and data; works as root and as anybody."""

    name = "rabbitmq"
    title = "RabbitMQ"
    patience = 90

    @property
    def url(self) -> str:
        """amqp://user:password@127.0.0.1:port/ (the default virtual host)."""
        settings = self._remembered()
        return f"amqp://{settings['user']}:{settings['password']}@127.0.0.1:{self.port}/"

    @staticmethod
    def binary() -> str | None:
        """The rabbitmq-server script to run, or None; PEYGIR_RABBITMQ_SERVER names another."""
        named = os.environ.get("PEYGIR_RABBITMQ_SERVER")
        candidates = [named] if named else RABBITMQ_SERVERS
        return next((path for path in candidates if os.access(path, os.X_OK)), None)

    def control(self, *arguments: str) -> str:
        """Run rabbitmqctl on this node and return its output, as in `control("list_queues", "name")`."""
        binary = self.binary()
        assert binary is not None
        settings = self._remembered()
        done = subprocess.run(
            [
                str(Path(binary).with_name("rabbitmqctl")),
                "--quiet",
                "--node",
                str(settings["node"]),
                *arguments,
            ],
            env=self._environment(),
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout

    def _new_settings(self) -> dict[str, str | int]:
        port = ports.pick()
        return {
            "port": port,
            "dist_port": ports.pick(besides=[port]),
            # Unique per folder and kept, since the data on disk belongs to the node's name.
            "node": f"peygir-{secrets.token_hex(5)}@localhost",
            "user": "peygir",
            "password": secrets.token_urlsafe(24),
        }

    def _prepare(self) -> None:
        settings = self._remembered()
        write_private(self.folder / "enabled_plugins", "[].\n")
        write_private(self.folder / "rabbitmq-env.conf", "")
        write_private(
            self.folder / "rabbitmq.conf",
            "\n".join(
                [
                    f"listeners.tcp.1 = 127.0.0.1:{settings['port']}",
                    f"default_user = {settings['user']}",
                    f"default_pass = {settings['password']}",
                    # Modest, since a laptop runs everything else beside it.
                    "vm_memory_high_watermark.relative = 0.3",
                    "disk_free_limit.absolute = 200MB",
                    # The write-ahead log of quorum queues stays in memory up to this size (default: 512 MB).
                    "raft.wal_max_size_bytes = 64000000",
                    "log.console = true",
                    "log.console.level = info",
                    "log.file = false",
                    "",
                ]
            ),
        )

    def _command(self) -> list[str]:
        binary = self.binary()
        if binary is None:
            raise CannotStart(RABBITMQ_MISSING)
        return [binary]

    def _environment(self) -> dict[str, str]:
        settings = self._remembered()
        folder = str(self.folder)
        return {
            "PATH": SYSTEM_PATH,
            "LANG": "C.UTF-8",
            # Erlang's cookie lies here.
            "HOME": folder,
            "RABBITMQ_NODENAME": str(settings["node"]),
            "RABBITMQ_NODE_PORT": str(settings["port"]),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_DIST_PORT": str(settings["dist_port"]),
            "RABBITMQ_MNESIA_BASE": f"{folder}/data",
            "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/enabled_plugins",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_CONF_ENV_FILE": f"{folder}/rabbitmq-env.conf",
            # One scheduler that does not spin keeps it quiet; the file threads may spin a moment, since a
            # start opens 50,000 files by handing each to them (it takes 5 s so, 10 s else; idle is idle).
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1 +sbwt none +sbwtdcpu none +sbwtdio short"
            ),
            # Makes the script become the Erlang machine, so that our signals and our death reach it.
            "RUNNING_UNDER_SYSTEMD": "true",
            # For the port mapper that is started when none runs.
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                # The broker's Connection.Start: a method frame on channel 0.
                return connection.recv(3) == b"\x01\x00\x00"
        except OSError:
            return False
