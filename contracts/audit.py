"""The heads of the chains, and the checkpoints that vouch for them: hashes and times alone."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from contracts.base import Answer, Moment, Request

AUDITED = ("intake", "tracking", "accounts", "notify")
"""The services that take commands of people or show identities: each has an audit log."""

Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Bucket = Annotated[str, Field(pattern=r"^[0-9a-f]{2}$", description="the first two digits of a case's id")]
CheckpointName = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{6}Z)?$")]


class ReadChainHead(Request):
    """RPC intake.read_chain_head → ChainHead: how far the service's audit log is chained. RPC tracking.read_chain_head →
    ChainHead. RPC accounts.read_chain_head → ChainHead. RPC notify.read_chain_head → ChainHead."""


class ChainHead(Answer):
    """The last link of an audit log. `position` 0: there is none yet."""

    position: int = 0
    hash: Hash = "0" * 64
    at: Moment | None = None


class ReadTimelineRoot(Request):
    """RPC tracking.read_timeline_root → TimelineRoot. `until`: what was written later does not count; it lies further back
    than any transaction lives, so that the same question has the same answer ever after."""

    bucket: Bucket
    until: Moment


class TimelineRoot(Answer):
    """SHA-256 over the last entry's hash of each case of a bucket; `cases`: how many there are."""

    cases: int
    hash: Hash


class KeepCheckpoint(Request):
    """RPC tracking.keep_checkpoint → KeptCheckpoint: the first of its name is kept; the one that is kept is answered."""

    name: CheckpointName
    document: Annotated[str, Field(max_length=100_000)]


class ReadLatestCheckpoint(Request):
    """RPC tracking.read_latest_checkpoint → KeptCheckpoint; both None when there is none yet."""


class KeptCheckpoint(Answer):
    """`document`: the full signed file. It has counts: the gateway gives away its hash alone."""

    name: CheckpointName | None = None
    document: str | None = None
