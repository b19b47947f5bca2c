"""Reading and answering a case by its code, for the API and the pages alike."""

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
from gateway.cases.views import CaseView, case_view
from gateway.rabbit.client import RabbitClient
from gateway.submissions.catalogue_cache import CatalogueCache


class Tracking:
    """What the holder of a code, or a signed-in citizen, does with a case. `patience`: seconds in which tracking
    has to answer somebody while a case is read, or else it is away."""

    def __init__(
        self,
        rabbit: RabbitClient,
        cases: CaseCache,
        recent_codes: RecentCodes,
        catalogue_cache: CatalogueCache,
        patience: float,
    ) -> None:
        self._bus, self._cases, self._issued, self._shelf = rabbit, cases, recent_codes, catalogue_cache
        self._patience = patience
        # The names of grounds are in what was rendered.
        catalogue_cache.on_change(lambda: cases.subscription(rabbit.subscribed))

    async def view(self, code_hashes: list[str], lang: Language) -> CaseView | None:
        """The case of a code for a person; None while it is being registered. StatusUnavailable when that cannot be told."""
        answer = await self.rendered(code_hashes, lang)
        return None if answer is None else CaseView.model_validate_json(answer)

    async def rendered(self, code_hashes: list[str], lang: Language) -> bytes | None:
        """The same as JSON, kept or asked for."""
        key = (code_hashes[0], lang)
        kept = self._cases.get(key)
        if kept is not None:
            return kept
        asked_at = time.monotonic()
        try:
            request = ViewByCode(code_hashes=code_hashes)
            case = await self._bus.ask("tracking", "view_by_code", request, PublicCase, self._patience)
        except UnknownCase:
            return None
        except Unavailable as error:
            if self._issued.registering(code_hashes):
                return None
            raise StatusUnavailable(error.params) from None
        for code_hash in code_hashes:
            self._issued.has_case(code_hash)
        names = await self._file_names(case)
        answer = case_view(case, lang, self._shelf, names).model_dump_json().encode()
        if names is not None:
            self._cases.put(key, case, answer, asked_at)
        return answer

    async def shown(self, case: PublicCase, lang: Language) -> CaseView:
        """A case for the citizen who filed it: with what their device called the files they sent."""
        return case_view(case, lang, self._shelf, await self._file_names(case))

    async def _file_names(self, case: PublicCase) -> Mapping[str, str] | None:
        """By media id; media alone knows them, and without it a case is shown all the same. None: not known now."""
        ids = [one.media_id for one in case.attachments if one.state is not UploadState.REMOVED]
        if not ids:
            return {}
        request = ListFileNames(case_id=case.case_id, media_ids=ids)
        try:
            return (await self._bus.ask("media", "list_file_names", request, FileNames, self._patience)).names
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
            case = await self._bus.ask("tracking", "execute_citizen", request, PublicCase)
        except UnknownCase:
            if code_hashes:
                raise StillRegistering from None
            raise
        self._cases.drop(case.case_id)
        return await self.shown(case, actor.language)
