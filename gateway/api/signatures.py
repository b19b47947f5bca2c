"""Handlers that are made from an entry of a registry, with the parameters that FastAPI is to check and document."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from inspect import Parameter, Signature
from typing import Any, cast

from fastapi import Response


def parameter(name: str, annotation: Any, default: Any = Parameter.empty) -> Parameter:
    """A parameter as an endpoint would declare it: `name: annotation = default`."""
    return Parameter(name, Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def with_signature(handle: Callable[..., Any], name: str, parameters: Iterable[Parameter]) -> Callable[..., Any]:
    """`handle` under this name and with these parameters, in their order."""
    handle.__name__ = name
    cast(Any, handle).__signature__ = Signature(list(parameters), return_annotation=Response)
    return handle


def path_parameters(path: str) -> list[str]:
    """The names in braces."""
    return re.findall(r"{(\w+)}", path)
