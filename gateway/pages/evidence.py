"""Files that come with a form: streamed to the store, listed, taken out again."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.errors import PeygirError, TooLarge
from gateway.pages.draft import SentFile
from gateway.pages.gateway_port import UploadStatus
from gateway.pages.multipart import BrokenForm, Multipart, drain
from gateway.pages.page_context import PageContext, clean

MEGABYTE = 1024 * 1024


async def read_form_with_file(context: PageContext, files: list[SentFile]) -> bool:
    """Reads a posted form and adds its file to `files`; errors go beside the field `file`.

    False: the form is not from a page of ours. Every other field is in `context.form`, whatever became of the file.
    """
    try:
        form = Multipart(context.request)
    except BrokenForm:
        return await _read_without_file(context)
    try:
        try:
            await form.open()
        finally:
            for field, values in form.fields.items():
                context.form[field] = [clean(value) for value in values]
        if not context.session.accepts_form_token(context.field_value("token")):
            await form.drain()
            return False
        if form.file is not None and (sent := await _send(context, form, len(files))):
            files.append(sent)
    except BrokenForm:
        if not context.session.accepts_form_token(context.field_value("token")):
            return False
        context.add_error("file", "file_broken")
    return True


async def statuses(context: PageContext, files: Sequence[SentFile]) -> dict[str, UploadStatus]:
    """What has become of these files, by id; empty where that is not known now."""
    return await context.gateway.upload_states(context.visitor(), [file.id for file in files])


async def _read_without_file(context: PageContext) -> bool:
    """A form that came as another type than we asked for: its file is not in it, what was typed may be."""
    if context.request.headers.get("content-type", "").lower().startswith("application/x-www-form-urlencoded"):
        await context.read_form()
        if not context.session.accepts_form_token(context.field_value("token")):
            return False
    else:
        await drain(context.request.stream())
    context.add_error("file", "file_broken")
    return True


async def _send(context: PageContext, form: Multipart, already: int) -> SentFile | None:
    file, limits = form.file, context.gateway.limits
    assert file is not None
    if already >= limits.files:
        context.add_error("file", "too_many_files", count=limits.files)
    elif file.size == 0:
        context.add_error("file", "file_empty")
    elif file.size > limits.file_size:
        context.add_error("file", "file_too_large", size=limits.file_size // MEGABYTE)
    else:
        try:
            id_ = await context.gateway.upload(context.visitor(), file.name, file.media_type, file.size, form.chunks())
            status = await context.gateway.upload_verdict(context.visitor(), id_)
            if status is None or not status.refused:
                return SentFile(id=id_, name=file.name[-80:], size=file.size)
            await context.gateway.give_up_upload(id_)
            context.add_error("file", "file_refused", name=file.name[-80:], reason=status.reason)
            return None
        except TooLarge:
            context.add_error("file", "file_too_large", size=limits.file_size // MEGABYTE)
        except BrokenForm:
            raise
        except PeygirError as error:
            context.add_problem("file", error)
    await form.drain()
    return None
