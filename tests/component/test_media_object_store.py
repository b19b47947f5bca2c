"""The object store's wrapper against a real S3 server (nanio; MinIO in tests/compose)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from deploy.local.parts import ObjectStore
from services.media.object_store import Bucket, ObjectMissing, StoredPart, StoreFailed

MINUTE = timedelta(minutes=1)


@pytest.fixture
def bucket(store: ObjectStore) -> Bucket:
    bucket = Bucket(store.endpoint, store.access_key, store.secret_key, "peygir-test")
    bucket.ensure_exists()
    return bucket


def test_the_bucket_may_be_ensured_again(bucket: Bucket) -> None:
    bucket.ensure_exists()

    assert list(bucket.keys("nothing/")) == []


def test_parts_put_by_presigned_urls_become_one_file(bucket: Bucket, tmp_path: Path) -> None:
    parts = []
    for number, (content, counts) in enumerate([(b"a" * 3000, 3000), (b"b" * 10 + bytes(90), 10), (b"", 0), (b"c", 1)]):
        key = f"quarantine/one/{number}"
        assert httpx.put(bucket.presigned_put(key, MINUTE), content=content).status_code == 200
        parts.append(StoredPart(key, counts))

    assert bucket.assemble(parts, tmp_path / "whole") == 3011
    assert (tmp_path / "whole").read_bytes() == b"a" * 3000 + b"b" * 10 + b"c"


def test_a_part_that_is_missing_or_short_is_reported(bucket: Bucket, tmp_path: Path) -> None:
    httpx.put(bucket.presigned_put("quarantine/two/0", MINUTE), content=b"abc")

    with pytest.raises(ObjectMissing):
        bucket.assemble([StoredPart("quarantine/two/0", 4)], tmp_path / "short")
    with pytest.raises(ObjectMissing):
        bucket.assemble([StoredPart("quarantine/two/1", 4)], tmp_path / "none")


def test_a_presigned_url_is_valid_for_one_method_key_and_period(bucket: Bucket) -> None:
    put = bucket.presigned_put("quarantine/three/0", MINUTE)
    assert httpx.put(put, content=b"abc").status_code == 200

    assert httpx.get(put).status_code == 403
    assert httpx.put(put.replace("three/0", "three/1"), content=b"abc").status_code == 403
    long_ago = bucket.presigned_put("quarantine/three/0", timedelta(seconds=1)).replace(
        "X-Amz-Expires=1", "X-Amz-Expires=9"
    )
    assert httpx.put(long_ago, content=b"abc").status_code == 403


def test_a_presigned_get_reads_ranges(bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")
    bucket.put_file("evidence/x/evidence.bin", tmp_path / "file", "image/jpeg")

    url = bucket.presigned_get("evidence/x/evidence.bin", MINUTE)
    part = httpx.get(url, headers={"Range": "bytes=2-4"})

    assert (part.status_code, part.content, part.headers["content-range"]) == (206, b"234", "bytes 2-4/10")
    assert httpx.get(url).headers["content-type"] == "image/jpeg"


def test_a_file_larger_than_one_part_is_stored_whole(bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(range(256)) * 80_000)

    bucket.put_file("evidence/large", tmp_path / "large", "video/mp4")

    bucket.assemble([StoredPart("evidence/large", 256 * 80_000)], tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == (tmp_path / "large").read_bytes()


def test_removing_a_prefix_removes_only_its_objects(bucket: Bucket) -> None:
    for key in ("quarantine/four/0", "quarantine/four/1", "quarantine/fourth/0"):
        httpx.put(bucket.presigned_put(key, MINUTE), content=b"abc")

    bucket.remove(bucket.keys("quarantine/four/"))

    assert list(bucket.keys("quarantine/four/")) == []
    assert list(bucket.keys("quarantine/fourth/")) == ["quarantine/fourth/0"]
    bucket.remove(["quarantine/four/0"])


def test_an_unresponsive_store_raises_one_error_type() -> None:
    nobody = Bucket("http://127.0.0.1:1", "key", "secret", "peygir-test")

    with pytest.raises(StoreFailed):
        nobody.ensure_exists()
    with pytest.raises(StoreFailed):
        list(nobody.keys("x/"))


def test_an_invalid_endpoint_is_refused() -> None:
    with pytest.raises(ValueError, match="http://host:port"):
        Bucket("localhost:9000", "key", "secret", "peygir-test")
