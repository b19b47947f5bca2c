"""The path templates of an application's routes, for metrics and logs, and whose methods hold where two match."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute, compile_path

from gateway.edge.metrics import RouteTemplates


def route_templates(routes: Sequence[BaseRoute]) -> RouteTemplates:
    """Of all routes, those of included routers with their prefix: a route itself knows only the end of its path."""
    return {
        (route.endpoint, frozenset(re.findall(r"\{(\w+)", route.path))): re.sub(r":\w+\}", "}", route.path)
        for route in iter_route_contexts(routes)
        if route.path is not None
    }


class OverlappingRoutes:
    """The methods of paths that another route's template also matches, as `/cases/counts` is matched by `/cases/{case_id}`: for
    a method that the path has not, the framework would take that other route, and call the path's last word a wrong id."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        methods: dict[str, set[str]] = defaultdict(set)
        for route in iter_route_contexts(routes):
            if route.path is not None and route.methods:
                methods[route.path] |= route.methods
        templates = {path: compile_path(path)[0] for path in methods}
        self._by_last_word: dict[str, list[tuple[re.Pattern[str], frozenset[str]]]] = defaultdict(list)
        for path, found in methods.items():
            last = path.rpartition("/")[2]
            others = (template for other, template in templates.items() if other != path)
            if "{" not in last and any(template.match(path) for template in others):
                self._by_last_word[last].append((templates[path], frozenset(found)))

    def methods_of(self, path: str) -> frozenset[str] | None:
        """None for a path that no other route matches."""
        candidates = self._by_last_word.get(path.rpartition("/")[2], ())
        return next((methods for template, methods in candidates if template.match(path)), None)
