"""The path templates of an application's routes, for metrics and logs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute

from gateway.edge.metrics import RouteTemplates


def route_templates(routes: Sequence[BaseRoute]) -> RouteTemplates:
    """Of all routes, those of included routers with their prefix: a route itself knows only the end of its path."""
    return {
        (route.endpoint, frozenset(re.findall(r"\{(\w+)", route.path))): re.sub(r":\w+\}", "}", route.path)
        for route in iter_route_contexts(routes)
        if route.path is not None
    }
