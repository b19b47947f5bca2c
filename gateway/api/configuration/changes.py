"""Changes of the configuration: one entry is the route, its OpenAPI operation and what is sent to intake.

`tables.py` keeps the entries, and `endpoints.py` registers them. A `ConfigurationTable` with `path="root-causes/{cause}"` is
PUT /v1/configuration/root-causes/{cause}: an item as it is to be. A `ConfigurationSetting` is one without items. All are for the
administrator, carry If-Match and Idempotency-Key, and answer the whole configuration after the change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from inspect import cleandoc
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel

from contracts import intake
from contracts.base import ListCode
from contracts.errors import InvalidField
from contracts.intake import Change, ChangeConfiguration
from contracts.rule_previews import PreviewRules, RulesPreview
from gateway.api.dependencies import (
    AdministratorDep,
    ContainerDep,
    Cursor,
    IdempotencyKey,
    IfMatch,
    PageSize,
    answer,
    version_of,
)
from gateway.api.fields import Body
from gateway.api.openapi_responses import answers, problems
from gateway.api.signatures import parameter, path_parameters, with_signature
from gateway.cases.views import Configuration
from gateway.container import AppContainer

CodePath = Annotated[ListCode, Path(description="Its code; it never changes.")]
_RESPONSES: dict[int | str, dict[str, Any]] = {
    **problems(401, 403, 409, 412, 428, body=True),
    **answers(200, "The configuration", ETag="Its version"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationTable:
    """PUT /v1/configuration/`path`: an item of a table as it is to be, new or changed. What the body leaves out stays as it is.

    `path` ends in the item's code; `code`: its type. `table`: the field of the catalogue. `change` has one field, the item, whose
    fields are the code and those of `body`, by name.
    """

    path: str
    operation_id: str
    summary: str
    description: str
    table: str
    change: type[BaseModel]
    body: type[Body]
    code: Any = CodePath

    def __post_init__(self) -> None:
        _check_fields(self.operation_id, self._item()[1], {"code", *self.body.model_fields})

    def _item(self) -> tuple[str, type[BaseModel]]:
        """The name of the field that is the item, and its class."""
        name, item = next(
            (name, info.annotation) for name, info in self.change.model_fields.items() if name != "change"
        )
        if not (isinstance(item, type) and issubclass(item, BaseModel)):
            raise TypeError(f"{self.change.__name__}.{name} is no item")
        return name, item

    def change_of(self, code: str, body: Body) -> Any:
        """The change that a request asks for."""
        name, item = self._item()
        return self.change(**{name: item(code=code, **body.model_dump())})


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationSetting:
    """PUT /v1/configuration/`path`: what has no items. The fields of `body` are the fields of `change`, by name. `preview`:
    the operation that shows what it would do, POST /v1/configuration/`path`/preview."""

    path: str
    operation_id: str
    summary: str
    description: str
    change: type[BaseModel]
    body: type[Body]
    preview: str | None = None

    def __post_init__(self) -> None:
        _check_fields(self.operation_id, self.change, {"change", *self.body.model_fields})


class ConfigurationEditor:
    """One change of the configuration: by whom, of which version, under which key."""

    def __init__(
        self,
        container: ContainerDep,
        signed_in: AdministratorDep,
        idempotency_key: IdempotencyKey,
        if_match: IfMatch = None,
    ) -> None:
        self._container: AppContainer = container
        self._signed_in, self._key, self._version = signed_in, idempotency_key, version_of(if_match)

    async def change(self, change: Change, table: str = "", item: str = "", kept: Sequence[str] = ()) -> Response:
        """`table`, `item`: what the body is; errors about it name fields of the body. `kept`: fields it does not have."""
        request = ChangeConfiguration(
            actor=self._signed_in.actor,
            expected_version=self._version,
            idempotency_key=self._key,
            changes=[change],
            kept=list(kept),
        )
        try:
            whole = await self._container.rabbit.call("intake", "change_configuration", request, intake.Catalogue)
        except InvalidField as error:
            fields = error.params.get("fields", [])
            own = f"{table}.{item}."
            of_the_body = [
                {**field, "field": field["field"].removeprefix(own)} if item and field.get("item") == item else field
                for field in fields
            ]
            raise InvalidField(fields=of_the_body) from None
        if (
            self._container.catalogue_cache.current is None
            or whole.version > self._container.catalogue_cache.current.version
        ):
            self._container.catalogue_cache.put(whole)
        return answer(whole, etag=f'"{whole.version}"')


EditorDep = Annotated[ConfigurationEditor, Depends(ConfigurationEditor)]


def register_changes(router: APIRouter, entries: Iterable[ConfigurationTable | ConfigurationSetting]) -> None:
    """Adds a route for each entry."""
    for entry in entries:
        router.add_api_route(
            f"/{entry.path}",
            _put_item(entry) if isinstance(entry, ConfigurationTable) else _set(entry),
            methods=["PUT"],
            operation_id=entry.operation_id,
            summary=entry.summary,
            description=cleandoc(entry.description),
            response_model=Configuration,
            responses=_RESPONSES,
        )


def _put_item(entry: ConfigurationTable) -> Callable[..., Any]:
    [code_name] = path_parameters(entry.path)

    async def handle(*, body: Body, editor: ConfigurationEditor, **path_values: str) -> Response:
        code = path_values[code_name]
        kept = sorted(set(entry.body.model_fields) - body.model_fields_set)
        return await editor.change(entry.change_of(code, body), entry.table, code, kept)

    parameters = [parameter(code_name, entry.code), parameter("body", entry.body), parameter("editor", EditorDep)]
    return with_signature(handle, entry.operation_id, parameters)


def _set(entry: ConfigurationSetting) -> Callable[..., Any]:
    async def handle(*, body: Body, editor: ConfigurationEditor) -> Response:
        change: Any = entry.change(**body.model_dump())
        return await editor.change(change)

    return with_signature(handle, entry.operation_id, [parameter("body", entry.body), parameter("editor", EditorDep)])


def register_previews(router: APIRouter, entries: Iterable[ConfigurationSetting]) -> None:
    """Adds the preview of each entry that has one."""
    for entry in entries:
        if entry.preview is not None:
            router.add_api_route(
                f"/{entry.path}/preview",
                _preview(entry, entry.preview),
                methods=["POST"],
                operation_id=entry.preview,
                summary=f"What it would change, before it is saved: {entry.summary}",
                description=cleandoc(_PREVIEW),
                response_model=RulesPreview,
                responses=problems(401, 403, 422, body=True),
            )


_PREVIEW = """
Nothing is saved. How many open cases would have another day, by how many working days, and which would be late at once; for
retention, of how many cases the next run would erase what. Cases about your own unit, or one above it, are not counted; cases
are listed only to who may read them.
"""


def _preview(entry: ConfigurationSetting, operation_id: str) -> Callable[..., Any]:
    async def handle(*, body: Body, container: AppContainer, signed_in: Any, after: str | None, limit: int) -> Response:
        change: Any = entry.change(**body.model_dump())
        request = PreviewRules(actor=signed_in.actor, change=change, after=after, limit=limit)
        return answer(await container.rabbit.call("tracking", "preview_rules", request, RulesPreview))

    parameters = [
        parameter("body", entry.body),
        parameter("container", ContainerDep),
        parameter("signed_in", AdministratorDep),
        parameter("after", Cursor, None),
        parameter("limit", PageSize, 50),
    ]
    return with_signature(handle, operation_id, parameters)


def _check_fields(operation_id: str, model: type[BaseModel], given: set[str]) -> None:
    if given != set(model.model_fields):
        raise TypeError(f"{operation_id} takes {sorted(given)}; {model.__name__} has {sorted(model.model_fields)}")
