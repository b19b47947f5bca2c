"""Free TCP ports on the loopback address."""

import os
import random
import socket
from collections.abc import Iterable
from pathlib import Path

# Below the kernel's ephemeral range (32768 and up): a port from inside it could be taken by any outgoing
# connection while a server is down, and the server would come back on another port.
LOWEST, HIGHEST = 20_000, 31_999
RANGE = "PEYGIR_PORTS"
"""A part of them, such as 20000-25999: whoever starts two launchers side by side gives each its own."""
# The system's own RabbitMQ node listens for its peers here.
NEVER = frozenset({25_672})


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on this port now; connections in TIME_WAIT do not count."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def accepts(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server accepts connections on this port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def pick(besides: Iterable[int] = ()) -> int:
    """A port that is free now and not among `besides`; chosen at random, so that two launchers seldom conflict."""
    lowest, _, highest = os.environ.get(RANGE, f"{LOWEST}-{HIGHEST}").partition("-")
    excluded = NEVER.union(besides)
    # The system's randomness, since two test runs may have seeded the shared generator alike.
    system_random = random.SystemRandom()
    for _ in range(500):
        port = system_random.randint(int(lowest), int(highest))
        if port not in excluded and is_free(port):
            return port
    raise OSError(f"no free port found between {lowest} and {highest}")


def holder(port: int) -> str:
    """Who listens on this port, as "NAME (process 123)"; "" where that cannot be seen."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        # Columns: local address as HEXADDRESS:HEXPORT (2nd), state (4th; 0A listens), inode (10th).
        fields = (row.split() for row in rows)
        inodes |= {f"socket:[{row[9]}]" for row in fields if row[3] == "0A" and int(row[1].split(":")[1], 16) == port}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(descriptor.readlink()) in inodes for descriptor in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
        except OSError:
            continue
    return ""
