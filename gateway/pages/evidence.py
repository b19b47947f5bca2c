"""Files that come with a form: streamed to the store, listed, taken out again."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.errors import PeygirError, TooLarge
from gateway.pages.draft import SentFile
from gateway.pages.gateway_port import UploadStatus
from gateway.pages.multipart import Broken, Multipart, drain
from gateway.pages.visit import Visit, clean

MEGABYTE = 1024 * 1024


async def read_form_with_file(visit: Visit, files: list[SentFile]) -> bool:
    """Reads a posted form and adds its file to `files`; errors go beside the field `file`.

    False: the form is not from a page of ours. Every other field is in `visit.form`, whatever became of the file.
    """
    try:
        form = Multipart(visit.request)
    except Broken:
        return await _read_without_file(visit)
    try:
        try:
            await form.open()
        finally:
            for field, values in form.fields.items():
                visit.form[field] = [clean(value) for value in values]
        if not visit.cookies.is_form_token(visit.typed("token")):
            await form.drain()
            return False
        if form.file is not None and (sent := await _send(visit, form, len(files))):
            files.append(sent)
    except Broken:
        if not visit.cookies.is_form_token(visit.typed("token")):
            return False
        visit.wrong("file", "file_broken")
    return True


async def statuses(visit: Visit, files: Sequence[SentFile]) -> dict[str, UploadStatus]:
    """What has become of these files, by id; empty where that cannot be told now."""
    return await visit.door.upload_states(visit.visitor(), [file.id for file in files])


async def _read_without_file(visit: Visit) -> bool:
    """A form that came as another type than we asked for: its file is not in it, what was typed may be."""
    if visit.request.headers.get("content-type", "").lower().startswith("application/x-www-form-urlencoded"):
        await visit.read_form()
        if not visit.cookies.is_form_token(visit.typed("token")):
            return False
    else:
        await drain(visit.request.stream())
    visit.wrong("file", "file_broken")
    return True


async def _send(visit: Visit, form: Multipart, already: int) -> SentFile | None:
    file, limits = form.file, visit.door.limits
    assert file is not None
    if already >= limits.files:
        visit.wrong("file", "too_many_files", count=limits.files)
    elif file.size == 0:
        visit.wrong("file", "file_empty")
    elif file.size > limits.file_size:
        visit.wrong("file", "file_too_large", size=limits.file_size // MEGABYTE)
    else:
        try:
            id_ = await visit.door.upload(visit.visitor(), file.name, file.media_type, file.size, form.chunks())
            status = await visit.door.upload_verdict(visit.visitor(), id_)
            if status is None or not status.refused:
                return SentFile(id=id_, name=file.name[-80:], size=file.size)
            await visit.door.give_up_upload(id_)
            visit.wrong("file", "file_refused", name=file.name[-80:], reason=status.reason)
            return None
        except TooLarge:
            visit.wrong("file", "file_too_large", size=limits.file_size // MEGABYTE)
        except Broken:
            raise
        except PeygirError as error:
            visit.refused("file", error)
    await form.drain()
    return None
