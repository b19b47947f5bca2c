"""Cases as citizens read them and act on them, for the API and the pages alike."""

from __future__ import annotations

import time
from collections.abc import Mapping
from uuid import UUID

from contracts.errors import StatusUnavailable, StillRegistering, Unavailable, UnknownCase
from contracts.gateway import Actor
from contracts.media import FileNames, ListFileNames, UploadState
from contracts.tracking import CitizenCommand, ExecuteCitizenCommand, PublicCase, ViewByCode
from contracts.vocabulary import Language
from gateway.cases.case_cache import CaseCache, RecentCodes
from gateway.cases.command_forms import CommandForms
from gateway.cases.views import CaseView, case_view
from gateway.rabbit.client import RabbitClient
from gateway.submissions.catalogue_cache import CatalogueCache


class CitizenCases:
    """What the holder of a code, or a signed-in citizen, does with a case. `patience`: seconds within which a service has to
    answer any call while a case is read; after that it counts as unavailable."""

    def __init__(
        self,
        rabbit: RabbitClient,
        case_cache: CaseCache,
        recent_codes: RecentCodes,
        catalogue_cache: CatalogueCache,
        command_forms: CommandForms,
        patience: float,
    ) -> None:
        self._rabbit, self._case_cache = rabbit, case_cache
        self._recent_codes, self._catalogue_cache = recent_codes, catalogue_cache
        self._command_forms, self._patience = command_forms, patience
        # Cached answers contain names from the catalogue.
        catalogue_cache.add_listener(lambda: case_cache.set_subscribed(rabbit.subscribed))

    async def read(self, code_hashes: list[str], lang: Language) -> CaseView | None:
        """The case of a code; None while it is being registered. StatusUnavailable when that cannot be known now."""
        answer = await self.read_json(code_hashes, lang)
        return None if answer is None else CaseView.model_validate_json(answer)

    async def read_json(self, code_hashes: list[str], lang: Language) -> bytes | None:
        """The same as JSON, from the cache or from tracking."""
        key = (code_hashes[0], lang)
        cached = self._case_cache.get(key)
        if cached is not None:
            return cached
        requested_at = time.monotonic()
        try:
            request = ViewByCode(code_hashes=code_hashes)
            case = await self._rabbit.call("tracking", "view_by_code", request, PublicCase, self._patience)
        except UnknownCase:
            return None
        except Unavailable as error:
            if self._recent_codes.is_registering(code_hashes):
                return None
            raise StatusUnavailable(error.params) from None
        for code_hash in code_hashes:
            self._recent_codes.mark_registered(code_hash)
        names = await self._file_names(case)
        commands = self._command_forms.of_citizen(case.commands, lang)
        answer = case_view(case, lang, self._catalogue_cache, names, commands).model_dump_json().encode()
        if names is not None:
            self._case_cache.put(key, case, answer, requested_at)
        return answer

    async def render(self, case: PublicCase, lang: Language, by_code: bool = False) -> CaseView:
        """A case for the citizen who filed it: with the names that their files had on their device, and its commands as they are
        given signed in or `by_code`."""
        commands = self._command_forms.of_citizen(case.commands, lang, None if by_code else case.case_id)
        return case_view(case, lang, self._catalogue_cache, await self._file_names(case), commands)

    async def _file_names(self, case: PublicCase) -> Mapping[str, str] | None:
        """By media id. Media alone knows them, and without it a case is shown all the same. None: media did not answer."""
        media_ids = [
            attachment.media_id for attachment in case.attachments if attachment.state is not UploadState.REMOVED
        ]
        if not media_ids:
            return {}
        request = ListFileNames(case_id=case.case_id, media_ids=media_ids)
        try:
            return (await self._rabbit.call("media", "list_file_names", request, FileNames, self._patience)).names
        except Unavailable:
            return None

    async def execute(
        self,
        actor: Actor,
        command: CitizenCommand,
        idempotency_key: str,
        *,
        code_hashes: list[str] | None = None,
        case_id: UUID | None = None,
    ) -> CaseView:
        """The case after a citizen's command. StillRegistering when the code's case is not there yet."""
        request = ExecuteCitizenCommand(
            actor=actor,
            code_hashes=code_hashes or [],
            case_id=case_id,
            idempotency_key=idempotency_key,
            command=command,
        )
        try:
            case = await self._rabbit.call("tracking", "execute_citizen", request, PublicCase)
        except UnknownCase:
            if code_hashes:
                raise StillRegistering from None
            raise
        self._case_cache.invalidate(case.case_id)
        return await self.render(case, actor.language, by_code=bool(code_hashes))
