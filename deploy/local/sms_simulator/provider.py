"""Kavenegar's methods, each a function from its parameters to the entries of its answer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from . import rules
from .faults import Fault
from .network import Network
from .rules import Refused
from .settings import Settings
from .store import Message, Store

Params = Mapping[str, str]
Entries = list[dict[str, Any]] | dict[str, Any]


class Provider:
    def __init__(self, settings: Settings, store: Store, network: Network) -> None:
        self._settings = settings
        self._store = store
        self._network = network
        self.templates: dict[str, str] = dict(settings.templates)
        self.methods: dict[str, Callable[[Params, Fault | None], Entries]] = {
            "sms/send": self._send,
            "sms/sendarray": self._send_array,
            "verify/lookup": self._lookup,
            "sms/status": self._status,
            "sms/statuslocalmessageid": self._status_by_localid,
            "sms/receive": self._receive,
            "sms/cancel": self._cancel,
            "account/info": self._account,
        }

    def _send(self, params: Params, fault: Fault | None) -> Entries:
        if not params.get("receptor"):
            raise Refused(406)
        receptors = [rules.local_mobile(receptor) for receptor in params["receptor"].split(",")]
        if len(receptors) > rules.MAX_RECEPTORS:
            raise Refused(414)
        text = rules.check_text(params.get("message", ""))
        sender = self._line(params.get("sender"))
        if params.get("date") and not params["date"].isdigit():
            raise Refused(417)
        localids: list[str | None] = (
            [*params["localid"].split(",")] if params.get("localid") else [None] * len(receptors)
        )
        if len(localids) != len(receptors):
            raise Refused(419)
        return self._accept(
            [(receptor, sender, text, localid) for receptor, localid in zip(receptors, localids, strict=True)],
            fault,
            tag=params.get("tag"),
        )

    def _send_array(self, params: Params, fault: Fault | None) -> Entries:
        arrays = [_array(params.get(name)) for name in ("receptor", "sender", "message")]
        localids = _array(params["localmessageids"]) if params.get("localmessageids") else [None] * len(arrays[0])
        if len({len(array) for array in (*arrays, localids)}) != 1:
            raise Refused(419)
        if len(arrays[0]) > rules.MAX_RECEPTORS:
            raise Refused(414)
        wanted = [
            (
                rules.local_mobile(str(receptor)),
                self._line(str(sender)),
                rules.check_text(str(text)),
                _text_or_none(localid),
            )
            for receptor, sender, text, localid in zip(*arrays, localids, strict=True)
        ]
        return self._accept(wanted, fault)

    def _lookup(self, params: Params, fault: Fault | None) -> Entries:
        if not params.get("receptor") or not params.get("template"):
            raise Refused(406)
        receptor = rules.local_mobile(params["receptor"])
        template = self.templates.get(params["template"])
        if template is None:
            raise Refused(424)
        tokens = {name: params[name] for name in rules.TOKEN_SPACES if params.get(name)}
        text = rules.fill(template, tokens)
        if params.get("type", "sms") == "call" and not tokens["token"].isdigit():
            raise Refused(428)
        self._pay(rules.parts(text))
        message = self._store.add(
            receptor=receptor,
            sender=self._settings.sender,
            text=text,
            template=params["template"],
            tag=params.get("tag"),
            cost_per_part=self._settings.cost_per_part,
            now=time.time(),
            ending=fault.ending if fault else rules.DELIVERED,
        )
        self._network.accepted()
        return [_result(message)]

    def _status(self, params: Params, fault: Fault | None) -> Entries:
        wanted = _ids(params.get("messageid"))
        entries = []
        for message_id in wanted:
            message = self._store.message(int(message_id)) if message_id.isdigit() else None
            recent = message is not None and message.created > time.time() - rules.STATUS_WINDOW
            status = message.status if message is not None and recent else rules.INVALID
            entries.append(_status_entry(message_id, status))
        return entries

    def _status_by_localid(self, params: Params, fault: Fault | None) -> Entries:
        entries = []
        for localid in _ids(params.get("localid")):
            message = self._store.by_localid(localid, time.time() - rules.LOCAL_ID_WINDOW)
            entry = _status_entry(str(message.id if message else 0), message.status if message else rules.INVALID)
            entries.append({**entry, "localid": localid})
        return entries

    def _receive(self, params: Params, fault: Fault | None) -> Entries:
        if not params.get("linenumber") or params.get("isread") not in ("0", "1"):
            raise Refused(406)
        line = self._line(params["linenumber"])
        return [
            {
                "messageid": inbound.id,
                "message": inbound.text,
                "sender": inbound.sender,
                "receptor": inbound.line,
                "date": int(inbound.created),
            }
            for inbound in self._store.inbound(line, params["isread"] == "1")
        ]

    def _cancel(self, params: Params, fault: Fault | None) -> Entries:
        entries = []
        for message_id in _ids(params.get("messageid")):
            message = self._store.message(int(message_id)) if message_id.isdigit() else None
            if message is not None and message.status in (rules.QUEUED, rules.SCHEDULED):
                message = self._store.step(message.id, rules.CANCELLED, time.time())
            entries.append(_status_entry(message_id, message.status if message else rules.INVALID))
        return entries

    def _account(self, params: Params, fault: Fault | None) -> Entries:
        return {
            "remaincredit": self._settings.credit - self._store.spent(),
            "expiredate": int(time.time()) + 365 * 86_400,
            "type": "master",
        }

    def _line(self, sender: str | None) -> str:
        if sender and sender != self._settings.sender:
            raise Refused(412)
        return self._settings.sender

    def _pay(self, count: int) -> None:
        if self._settings.credit - self._store.spent() < count * self._settings.cost_per_part:
            raise Refused(418)

    def _accept(
        self, wanted: list[tuple[str, str, str, str | None]], fault: Fault | None, tag: str | None = None
    ) -> Entries:
        """All or nothing, as the provider does; a localid seen within 12 hours gives the earlier message again."""
        now = time.time()
        accepted_before = {
            localid: earlier
            for _, _, _, localid in wanted
            if localid and (earlier := self._store.by_localid(localid, now - rules.LOCAL_ID_WINDOW))
        }
        self._pay(sum(rules.parts(text) for _, _, text, localid in wanted if localid not in accepted_before))
        entries = []
        for receptor, sender, text, localid in wanted:
            message = accepted_before.get(localid) if localid else None
            if message is None:
                message = self._store.add(
                    receptor=receptor,
                    sender=sender,
                    text=text,
                    localid=localid,
                    tag=tag,
                    cost_per_part=self._settings.cost_per_part,
                    now=now,
                    ending=fault.ending if fault else rules.DELIVERED,
                )
                if localid:
                    accepted_before[localid] = message
            entries.append(_result(message))
        self._network.accepted()
        return entries


def _array(value: str | None) -> list[Any]:
    if not value:
        raise Refused(406)
    try:
        array = json.loads(value)
    except ValueError as error:
        raise Refused(400) from error
    if not isinstance(array, list) or not array:
        raise Refused(400)
    return array


def _text_or_none(value: object) -> str | None:
    return None if value is None else str(value)


def _ids(value: str | None) -> list[str]:
    if not value:
        raise Refused(406)
    ids = [message_id.strip() for message_id in value.split(",")]
    if len(ids) > rules.MAX_STATUS_IDS:
        raise Refused(414)
    return ids


def _result(message: Message) -> dict[str, Any]:
    return {
        "messageid": message.id,
        "message": message.text,
        "status": message.status,
        "statustext": rules.STATUS_TEXTS[message.status],
        "sender": message.sender,
        "receptor": message.receptor,
        "date": int(message.created),
        "cost": message.cost,
    }


def _status_entry(message_id: str, status: int) -> dict[str, Any]:
    shown = int(message_id) if message_id.isdigit() else 0
    return {"messageid": shown, "status": status, "statustext": rules.STATUS_TEXTS[status]}
