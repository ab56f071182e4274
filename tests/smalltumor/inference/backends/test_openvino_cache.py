"""The cache of converted networks: complete files, and a limited number of them."""

from __future__ import annotations

import os
from itertools import product
from pathlib import Path

import pytest
from smalltumor.files.user_dirs import CACHE_VARIABLE
from smalltumor.inference.backends import openvino_cache
from smalltumor.inference.backends.openvino_cache import MAX_NETWORKS, MAX_SHAPES, NetworkFolder


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache" / "openvino"


def save(graph: Path, weights: Path) -> None:
    graph.write_text("<net/>")
    weights.write_bytes(b"weights")


def age(path: Path, minutes: int) -> None:
    os.utime(path, (10**9 - 60 * minutes,) * 2)


def test_each_network_version_and_precision_has_a_folder_of_its_own():
    keys = product(("aa", "ab"), ("1", "2"), ("f32", "bf16"))
    assert len({NetworkFolder(*key).path for key in keys}) == 8


def test_the_oldest_networks_are_deleted(cache):
    networks = [NetworkFolder(f"digest {n}", "1", "f32") for n in range(MAX_NETWORKS + 2)]
    for number, network in enumerate(networks):
        network.write_graph(save)
        age(network.path, minutes=len(networks) - number)
    assert set(cache.iterdir()) == {n.path for n in networks[-MAX_NETWORKS:]}
    last = networks[-1]
    assert (last.graph.read_text(), last.weights.read_bytes()) == ("<net/>", b"weights")
    last.discard()
    assert not last.path.exists()


def test_a_failed_conversion_leaves_no_files(cache):
    def full(graph: Path, weights: Path) -> None:
        graph.write_text("<ne")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        NetworkFolder("digest", "1", "f32").write_graph(full)
    assert list(cache.iterdir()) == []


def test_the_oldest_shapes_of_a_network_are_deleted():
    network = NetworkFolder("digest", "1", "f32")
    network.write_graph(save)
    paths = [network.compiled((16 * (n + 1), 32, 48)) for n in range(MAX_SHAPES + 3)]
    for number, path in enumerate(paths):
        network.write_compiled(path, b"compiled")
        age(path, minutes=len(paths) - number)
    assert set(network.path.glob("*.blob")) == set(paths[-MAX_SHAPES:])
    assert network.graph.is_file()


def test_compiled_networks_of_other_shapes_or_processors_have_other_paths(monkeypatch):
    network = NetworkFolder("digest", "1", "f32")
    names = {network.compiled((16, 32, 48)), network.compiled((48, 32, 16))}

    def absent(self: Path, encoding: str | None = None) -> str:
        raise FileNotFoundError(self)

    monkeypatch.setattr(Path, "read_text", absent)  # as where there is no /proc
    monkeypatch.setattr(openvino_cache.platform, "processor", lambda: "another")
    names.add(network.compiled((16, 32, 48)))
    assert len(names) == 3
