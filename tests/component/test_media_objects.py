"""The object store's wrapper against a real S3 server (nanio; MinIO in tests/compose)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from deploy.local.parts import ObjectStore
from services.media.objects import ObjectMissing, Objects, Piece, StoreFailed

MINUTE = timedelta(minutes=1)


@pytest.fixture
def objects(store: ObjectStore) -> Objects:
    objects = Objects(store.endpoint, store.access_key, store.secret_key, "peygir-test")
    objects.ensure_bucket()
    return objects


def test_the_bucket_may_be_ensured_again(objects: Objects) -> None:
    objects.ensure_bucket()


def test_pieces_put_by_presigned_urls_become_one_file(objects: Objects, tmp_path: Path) -> None:
    pieces = []
    for number, (content, counts) in enumerate([(b"a" * 3000, 3000), (b"b" * 10 + bytes(90), 10), (b"", 0), (b"c", 1)]):
        key = f"quarantine/one/{number}"
        assert httpx.put(objects.presigned_put(key, MINUTE), content=content).status_code == 200
        pieces.append(Piece(key, counts))

    assert objects.assemble(pieces, tmp_path / "whole") == 3011
    assert (tmp_path / "whole").read_bytes() == b"a" * 3000 + b"b" * 10 + b"c"


def test_a_piece_that_is_missing_or_short_is_said_to_be(objects: Objects, tmp_path: Path) -> None:
    httpx.put(objects.presigned_put("quarantine/two/0", MINUTE), content=b"abc")

    with pytest.raises(ObjectMissing):
        objects.assemble([Piece("quarantine/two/0", 4)], tmp_path / "short")
    with pytest.raises(ObjectMissing):
        objects.assemble([Piece("quarantine/two/1", 4)], tmp_path / "none")


def test_a_presigned_url_is_good_for_its_method_its_key_and_its_time(objects: Objects) -> None:
    put = objects.presigned_put("quarantine/three/0", MINUTE)
    assert httpx.put(put, content=b"abc").status_code == 200

    assert httpx.get(put).status_code == 403
    assert httpx.put(put.replace("three/0", "three/1"), content=b"abc").status_code == 403
    long_ago = objects.presigned_put("quarantine/three/0", timedelta(seconds=1)).replace(
        "X-Amz-Expires=1", "X-Amz-Expires=9"
    )
    assert httpx.put(long_ago, content=b"abc").status_code == 403


def test_a_presigned_get_reads_ranges(objects: Objects, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")
    objects.put_file("evidence/x/evidence.bin", tmp_path / "file", "image/jpeg")

    url = objects.presigned_get("evidence/x/evidence.bin", MINUTE)
    part = httpx.get(url, headers={"Range": "bytes=2-4"})

    assert (part.status_code, part.content, part.headers["content-range"]) == (206, b"234", "bytes 2-4/10")
    assert httpx.get(url).headers["content-type"] == "image/jpeg"


def test_a_file_larger_than_one_part_is_stored_whole(objects: Objects, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(range(256)) * 80_000)

    objects.put_file("evidence/large", tmp_path / "large", "video/mp4")

    objects.assemble([Piece("evidence/large", 256 * 80_000)], tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == (tmp_path / "large").read_bytes()


def test_what_lies_below_a_prefix_is_named_and_nothing_else(objects: Objects) -> None:
    for key in ("quarantine/four/0", "quarantine/four/1", "quarantine/fourth/0"):
        httpx.put(objects.presigned_put(key, MINUTE), content=b"abc")

    assert sorted(objects.names("quarantine/four/")) == ["quarantine/four/0", "quarantine/four/1"]
    objects.remove(objects.names("quarantine/four/"))
    assert list(objects.names("quarantine/four/")) == []
    assert list(objects.names("quarantine/fourth/")) == ["quarantine/fourth/0"]
    objects.remove(["quarantine/four/0"])


def test_a_store_that_does_not_answer_is_one_error() -> None:
    nobody = Objects("http://127.0.0.1:1", "key", "secret", "peygir-test")

    with pytest.raises(StoreFailed):
        nobody.ensure_bucket()
    with pytest.raises(StoreFailed):
        list(nobody.names("x/"))


def test_an_endpoint_that_is_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match="http://host:port"):
        Objects("localhost:9000", "key", "secret", "peygir-test")
