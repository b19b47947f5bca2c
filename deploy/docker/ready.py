"""The images' healthcheck: exit 0 when the process of this container answers 200 on /readyz.

A bare socket instead of an HTTP library: it starts in a few milliseconds, and every container runs it each few seconds.
"""

import os
import socket
import sys


def main() -> int:
    """Ask /readyz on HEALTH_PORT of this container; 0 = ready, 1 = not."""
    try:
        with socket.create_connection(("127.0.0.1", int(os.environ["HEALTH_PORT"])), timeout=3) as connection:
            connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            status = connection.recv(64).split(b" ", 2)[1]
    except (OSError, IndexError) as error:
        print(f"not ready: {error!r}")
        return 1
    print(status.decode())
    return 0 if status == b"200" else 1


if __name__ == "__main__":
    sys.exit(main())
