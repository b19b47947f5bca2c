"""Plays people who know no rule of the office: they read a case, see which commands it offers them, and give the first that they
wish for and may give, filled in by what it says that it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from deploy.demo import evidence
from tests.e2e.people import JSON, Caller, good
from tests.support.processes import eventually

TEXT = "متنی که این کار می‌خواهد، به اندازه‌ای که بس است."


@dataclass
class Player:
    """Somebody with a view of the case at `path`. `prefers`: values that they would choose, by field, where they may."""

    name: str
    caller: Caller
    path: str
    prefers: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    why: dict[str, str] = field(default_factory=dict)
    """Of each command that was not possible when it was looked at last, the sentence that says why."""

    def read(self) -> tuple[JSON, str | None]:
        """The case, and its version; nothing to who may not read it now."""
        answer = self.caller.get(self.path)
        if answer.status_code in (403, 404):
            return {"commands": []}, None
        return good(answer), answer.headers.get("ETag")

    def offered(self) -> dict[str, JSON]:
        """What may be done now, by its name."""
        case, _ = self.read()
        for command in _commands(case):
            if not command["possible"]:
                self.why[command["type"]] = command["why_text"]
        return {command["type"]: command for command in _commands(case) if command["possible"]}

    def give(self, command: JSON) -> JSON:
        """The command, filled in by what it says."""
        values = {one["name"]: one for one in command["needs"]}
        body: JSON = {}
        path = command["path"]
        for one in command["needs"]:
            if one["place"] == "path":
                path = path.replace(f"{{{one['name']}}}", str(self._value(one)))
            elif one["required"] or one["name"] in self.prefers:
                body[one["name"]] = self._filled(one)
        for name, one in values.items():
            when = one.get("required_when")
            if name not in body and when is not None and body.get(when["field"]) in when["values"]:
                body[name] = self._filled(one)
        if command.get("at_least_one") and not body:
            first = command["needs"][-1]
            body[first["name"]] = self._filled(first)
        _, etag = self.read()
        version = int(etag.strip('W/"').partition("-")[0]) if etag and path.startswith("/v1/cases/") else None
        answer: httpx.Response = self.caller.post(path, body, version=version)
        assert answer.is_success, f"{self.name}: {command['type']} {body}: {answer.text}"
        self.done.append(command["type"])
        result: JSON = answer.json()
        return result

    def _filled(self, one: JSON) -> Any:
        return [self._value(one)] if one.get("many") else self._value(one)

    def _value(self, one: JSON) -> Any:
        """Something that the field takes: of its choices one that is preferred, else the first; else what fits its limits."""
        choices = [choice["value"] for choice in one.get("choices") or ()]
        if one.get("choices_from") and one["kind"] != "upload":
            source = one["choices_from"]
            listed = good(self.caller.request("GET", source["path"]))[source["items"]]
            choices = [line[source["value"]] for line in listed]
        preferred = self.prefers.get(one["name"], ())
        if choices or one["kind"] in ("choice", "staff"):
            assert choices, f"{self.name}: nothing to choose for {one}"
            return next((value for value in preferred if value in choices), choices[0])
        if preferred and one["kind"] != "group":
            return preferred[0]
        if one["kind"] == "group":
            return {part["name"]: self._filled(part) for part in one["fields"] if part["required"]}
        values = {
            "text": TEXT[: one.get("max_length") or len(TEXT)],
            "flag": True,
            "number": one.get("maximum", 1),
            "day": one.get("earliest"),
            "moment": one.get("latest"),
        }
        if one["kind"] == "upload":
            return self.caller.upload(evidence.photo())
        return values[one["kind"]]


def _commands(view: JSON) -> list[JSON]:
    """Of a case, or of each line of a list."""
    return [*view.get("commands", ()), *(command for item in view.get("items", ()) for command in item["commands"])]


def play(players: Mapping[str, Player], wishes: Sequence[tuple[str, str]]) -> None:
    """Each of these commands, (who, command), as soon as the case offers it to them."""
    for who, name in wishes:
        player = players[who]

        def offered(player: Player = player, name: str = name) -> JSON:
            command = player.offered().get(name)
            assert command is not None, f"{player.name} may not {name}: {player.why.get(name)}; done: {player.done}"
            return command

        player.give(eventually(offered))
