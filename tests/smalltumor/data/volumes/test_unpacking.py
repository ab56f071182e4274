"""Unpacking of gzip, by ISA-L and by zlib, against Python's gzip."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smalltumor.data.volumes import unpacking
from smalltumor.data.volumes.unpacking import unpack, unpack_whole
from smalltumor.errors import CaseError
from smalltumor.files import gzip_codec
from smalltumor.files.gzip_codec import pack

COUNTED = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(params=["isal", "zlib"], autouse=True)
def codec(request, monkeypatch):
    """Both libraries, whichever is chosen here."""
    if request.param == "isal":
        monkeypatch.setattr(gzip_codec, "_codec", pytest.importorskip("isal.isal_zlib"))
    else:
        monkeypatch.setattr(gzip_codec, "_codec", zlib)
    monkeypatch.setattr(unpacking, "_PACKED_PIECE", 61)
    monkeypatch.setattr(unpacking, "_UNPACKED_PIECE", 253)
    monkeypatch.setattr(unpacking, "_MAX_AFTER", 1000)


@st.composite
def contents(draw) -> bytes:
    """Noise, which gzip cannot make smaller, and runs, of which it makes nearly nothing."""
    noise = st.binary(max_size=700)
    runs = st.builds(lambda value, n: bytes([value]) * n, st.integers(0, 255), st.integers(0, 9000))
    return b"".join(draw(st.lists(st.one_of(noise, runs), max_size=4)))


@COUNTED
@given(contents(), st.integers(0, 9))
def test_the_content_is_that_of_pythons_gzip(tmp_path, content, level):
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(content, level))
    assert bytes(unpack_whole(path, len(content))[0]) == content
    assert bytes(unpack_whole(path, len(content) + 5)[0]) == content
    start = bytes(unpack(path, len(content)))
    assert start == content[: len(start)]


@COUNTED
@given(contents(), st.lists(st.integers(0, 30_000), max_size=3))
def test_members_are_joined(tmp_path, content, cuts):
    bounds = [0, *sorted(min(cut, len(content)) for cut in cuts), len(content)]
    members = [content[a:b] for a, b in pairwise(bounds)]
    path = tmp_path / "x.gz"
    path.write_bytes(b"".join(map(gzip.compress, members)))
    assert bytes(unpack_whole(path, len(content))[0]) == content


@COUNTED
@given(contents(), st.data())
def test_a_part_of_a_file_is_truncated(tmp_path, content, data):
    packed = gzip.compress(content)
    path = tmp_path / "x.gz"
    path.write_bytes(packed[: data.draw(st.integers(2, len(packed) - 1))])
    if not content:
        return
    with pytest.raises(CaseError, match=r"is truncated; copy it again"):
        unpack_whole(path, len(content))


@COUNTED
@given(st.binary(min_size=1, max_size=2000), st.data())
def test_a_changed_bit_of_the_content_or_of_the_checksum_is_noticed(tmp_path, content, data):
    packed = bytearray(gzip.compress(content))
    place = data.draw(st.integers(10, len(packed) - 1))  # after the header
    packed[place] ^= 1 << data.draw(st.integers(0, 7))
    path = tmp_path / "x.gz"
    path.write_bytes(packed)
    try:
        found = unpack_whole(path, len(content))[0]
    except CaseError:
        return
    assert bytes(found) == content  # bits that fill up the last byte of a block mean nothing


def test_a_file_that_holds_more_than_may_follow_is_not_read(tmp_path):
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(bytes(10_000) + bytes(999)))
    assert len(unpack_whole(path, 10_000)[0]) == 10_000
    path.write_bytes(gzip.compress(bytes(10_000) + bytes(1001)))
    with pytest.raises(CaseError, match="far more data"):
        unpack_whole(path, 10_000)


def test_a_header_with_a_name_and_a_comment_is_read(tmp_path):
    packed = io.BytesIO()
    with gzip.GzipFile("a name.nii", "wb", fileobj=packed) as file:
        file.write(b"content")
    whole = bytearray(packed.getvalue())
    assert whole[3] == 8  # only a name
    whole[3] |= 16
    end = whole.index(0, 10) + 1
    whole[end:end] = b"a comment\0"
    (tmp_path / "x.gz").write_bytes(whole)
    assert bytes(unpack_whole(tmp_path / "x.gz", 7)[0]) == b"content"


def test_memory_is_not_taken_for_what_a_small_file_cannot_hold(tmp_path, monkeypatch):
    sizes = []
    empty = np.empty

    def counted(size, dtype):
        sizes.append(size)
        return empty(size, dtype=dtype)

    monkeypatch.setattr(unpacking.np, "empty", counted)
    (tmp_path / "x.gz").write_bytes(gzip.compress(b"small"))
    assert bytes(unpack_whole(tmp_path / "x.gz", 4 * 2**30)[0]) == b"small"
    assert max(sizes) < 100_000


@COUNTED
@given(contents())
def test_what_is_packed_is_unpacked_by_pythons_gzip_and_has_no_time(content):
    packed = pack(content, 1)
    assert gzip.decompress(packed) == content
    assert packed == pack(content, 1)
    assert packed[4:8] == bytes(4)


@COUNTED
@given(contents(), st.binary(max_size=3000), st.booleans())
def test_the_bytes_of_the_file_are_told_with_what_follows_the_content(
    tmp_path, content, after, packed
):
    path = tmp_path / "x.gz"
    path.write_bytes((gzip.compress(content) if packed else b"nii" + content) + after)
    size = len(content) if packed else 3
    _, found = unpack_whole(path, size, with_content=True)
    assert found.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.size == path.stat().st_size
