"""`python -m gateway.papers.worker`: a paper as JSON on standard input, its PDF on standard output.

In a process of its own: rendering takes a third of a second of a core and 60 MB, which the gateway does not need between
papers. It limits its own memory and time, and ends with its parent. What the libraries log about a text is discarded.
"""

from __future__ import annotations

import ctypes
import logging
import os
import resource
import signal
import sys

MEMORY, CPU_SECONDS = 768 * 1024 * 1024, 20
NICENESS = 10  # requests go first
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38


def main() -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    os.nice(NICENESS)
    logging.disable()
    # After the limits: fonts and shaping take the memory.
    from gateway.papers.paper import from_json
    from gateway.papers.pdf_layout import pdf

    sys.stdout.buffer.write(pdf(*from_json(sys.stdin.buffer.read())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
