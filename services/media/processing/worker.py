"""`python -m services.media.processing.worker IN OUTDIR`, with a JSON object of limits on standard input.

Examines one file in a process of its own: what hostile bytes can break here is this process. It limits
its own memory, CPU time and file size (ffmpeg inherits them), leaves the network where the kernel lets it,
and dies with its parent.

It writes two lines: `reading`, once everything of ours is in place and the reading of the file begins, and then the verdict as
a JSON object. From `reading` on, whatever ends the process is caused by the file and is a verdict about it; an end before that,
or one with `EX_TEMPFAIL`, says nothing about the file.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
from dataclasses import replace
from pathlib import Path

from services.media.processing.rules import Limits, MediaKind, Reason, Rejected, ToolFailed, Verdict

READING = b"reading\n"
"""Written before the file's content is read."""

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000


def main() -> int:
    source, out = Path(sys.argv[1]), Path(sys.argv[2])
    limits = Limits(**json.load(sys.stdin))
    confine(limits)
    try:
        verdict = examine(source, out, limits)
    except ToolFailed as error:
        sys.stderr.write(str(error))
        return os.EX_TEMPFAIL
    sys.stdout.write(json.dumps(verdict.to_json()))
    return 0


def confine(limits: Limits) -> None:
    """Limits for this process and its children. Without user namespaces (Docker's default) the network stays;
    the container's own network and the decoders' `protocol_whitelist` are what hold then.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.unshare(_CLONE_NEWNET if os.geteuid() == 0 else _CLONE_NEWUSER | _CLONE_NEWNET)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 5))
    # A remux may grow a little, a re-encoded picture a lot; what is larger than both is a bomb.
    largest = max(2 * limits.max_bytes, 256 * 1024 * 1024)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))


def examine(source: Path, out: Path, limits: Limits) -> Verdict:
    """The verdict on `source`; derived files are written into `out`. Raises ToolFailed.

    Everything raised from `reading` on is about the file, whatever it is: which errors a decoder may raise is
    nothing that could be listed.
    """
    from services.media.processing.derived_files import sha256_of

    size = source.stat().st_size
    sha256 = sha256_of(source)
    _write_reading()
    signal.setitimer(signal.ITIMER_REAL, limits.reading_seconds)  # its signal ends the process, decoders and all
    try:
        return _accepted(source, out, limits, size, sha256)
    except ToolFailed:
        raise
    except Rejected as rejected:
        return Verdict(False, size, sha256, reason=rejected.reason, detail=rejected.detail)
    except (MemoryError, RecursionError) as error:
        return Verdict(False, size, sha256, reason=Reason.TOO_COMPLEX, detail=type(error).__name__)
    except Exception as error:  # noqa: BLE001  # the boundary itself
        return Verdict(False, size, sha256, reason=Reason.DAMAGED, detail=type(error).__name__)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _write_reading() -> None:
    os.write(sys.stdout.fileno(), READING)


def _accepted(source: Path, out: Path, limits: Limits, size: int, sha256: str) -> Verdict:
    # The readers are imported after `confine`, and only the one that is needed.
    from services.media.processing.filetypes import HEAD_BYTES, WEAK_TYPES, begins_as

    if size == 0:
        raise Rejected(Reason.EMPTY)
    if size > limits.max_bytes:
        raise Rejected(Reason.TOO_LARGE)
    with source.open("rb") as file:
        file_type = begins_as(file.read(HEAD_BYTES))
    common = Verdict(True, size, sha256, content_type=file_type.content_type, kind=file_type.kind)
    if file_type.kind is MediaKind.IMAGE:
        from services.media.processing.images import examine_image

        try:
            picture = examine_image(source, out, file_type, limits)
        except Rejected as rejected:
            if file_type in WEAK_TYPES and rejected.reason is Reason.DAMAGED:
                raise Rejected(Reason.TYPE_NOT_PERMITTED, rejected.detail) from rejected
            raise
        files, notes = picture.files, picture.notes
        width, height = files[0].pixels or (None, None)
        return replace(common, files=files, removed=picture.removed, notes=notes, width=width, height=height)
    if file_type.kind is MediaKind.DOCUMENT:
        from services.media.processing.documents import examine_document

        files, removed, pages = examine_document(source, out, limits)
        return replace(common, files=files, removed=removed, pages=pages)
    from services.media.processing.recordings import examine_recording

    recording = examine_recording(source, out, file_type, limits)
    pixels = recording.pixels or (None, None)
    return replace(
        common,
        content_type=recording.content_type,
        kind=recording.kind,
        files=recording.files,
        seconds=round(recording.seconds, 2),
        notes=recording.notes,
        width=pixels[0],
        height=pixels[1],
    )


if __name__ == "__main__":
    sys.exit(main())
