"""Weights files: writing, reading, and errors for damaged or malicious files."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from smalltumor.data.preprocessing import Preprocessing
from smalltumor.errors import Action, CheckpointError, OutputError, Remedy
from smalltumor.models import checkpoint as module
from smalltumor.models.checkpoint import load_checkpoint, random_checkpoint, save_checkpoint
from smalltumor.models.network import MultiTaskNetwork
from training_cases import NARROW

CARD = {"name": "case", "scores": {"et": 0.5}, "trained_on": ["a", "b"]}
PREPROCESSING = Preprocessing(lower=5.0, upper=95.0)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return MultiTaskNetwork(NARROW).eval()


@pytest.fixture
def path(network, tmp_path):
    path = tmp_path / "weights.safetensors"
    save_checkpoint(path, network, PREPROCESSING, CARD, half=False)
    return path


def rewrite(path, **changed):
    """The same file with other metadata; None removes an entry."""
    checkpoint = load_checkpoint(path)
    with path.open("rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    metadata = header["__metadata__"] | changed
    metadata = {k: v for k, v in metadata.items() if v is not None}
    save_file(checkpoint.tensors(), path, metadata=metadata)


def with_header(path, header: bytes, data: bytes = b"", length: int | None = None):
    path.write_bytes(struct.pack("<Q", len(header) if length is None else length) + header + data)


def test_weights_config_preprocessing_and_card_are_read_as_written(path, network):
    loaded = load_checkpoint(path)
    assert (loaded.config, loaded.preprocessing, loaded.card) == (NARROW, PREPROCESSING, CARD)
    x = torch.randn(1, 4, 16, 32, 16)
    with torch.no_grad():
        torch.testing.assert_close(loaded.network(x), network(x))


def test_network_is_ready_for_inference(path):
    network = load_checkpoint(path).network
    assert not network.training
    assert not any(p.requires_grad for p in network.parameters())


def test_u_module_decoders_are_not_saved(path):
    assert not any("u_module" in name for name in load_checkpoint(path).tensors())


def test_half_precision_is_smaller_and_close(network, tmp_path, path):
    small = tmp_path / "half.safetensors"
    save_checkpoint(small, network, PREPROCESSING, CARD)
    assert small.stat().st_size < 0.7 * path.stat().st_size
    whole = load_checkpoint(path).tensors()
    for name, array in load_checkpoint(small).tensors().items():
        assert array.dtype == np.float32
        np.testing.assert_allclose(array, whole[name], rtol=1e-3, atol=1e-6)


def test_the_digest_identifies_the_file(path, network, tmp_path):
    first = load_checkpoint(path).digest
    assert load_checkpoint(path).digest == first
    save_checkpoint(tmp_path / "b.safetensors", network, PREPROCESSING, {"name": "other"})
    assert load_checkpoint(tmp_path / "b.safetensors").digest != first


def test_reading_weights_imports_no_torch(path):
    code = (
        "import sys; from smalltumor.models.checkpoint import load_checkpoint;"
        f"load_checkpoint({str(path)!r}).tensors(); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_existing_file_stays_unless_it_may_be_replaced(path, network):
    before = path.read_bytes()
    with pytest.raises(OutputError):
        save_checkpoint(path, network, PREPROCESSING, {"name": "new"})
    assert path.read_bytes() == before
    save_checkpoint(path, network, PREPROCESSING, {"name": "new"}, overwrite=True)
    assert load_checkpoint(path).name == "new"


def test_random_weights_depend_on_the_seed_and_are_named_random():
    one, again, other = (random_checkpoint(seed, NARROW) for seed in (1, 1, 2))
    assert one.digest == again.digest != other.digest
    np.testing.assert_equal(one.tensors(), again.tensors())
    assert "random" in one.name
    assert "nothing" in one.card["trained_on"]


def test_without_starter_weights_the_remedy_is_to_choose_others(monkeypatch):
    monkeypatch.setattr(module, "STARTER_WEIGHTS", "absent.safetensors")
    with pytest.raises(CheckpointError, match="no shipped weights") as refused:
        load_checkpoint()
    assert refused.value.remedy == Remedy(Action.CHOOSE_WEIGHTS)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"nowhere\.safetensors: no such file"):
        load_checkpoint(tmp_path / "nowhere.safetensors")


def test_a_folder_is_not_weights(tmp_path):
    with pytest.raises(CheckpointError, match=r"cannot be read|not a safetensors"):
        load_checkpoint(tmp_path)


def test_truncated_files_are_refused(path):
    content = path.read_bytes()
    for length in [0, 4, 8, 100, len(content) // 2, len(content) - 1]:
        path.write_bytes(content[:length])
        with pytest.raises(CheckpointError, match=r"weights\.safetensors"):
            load_checkpoint(path)


def test_later_format_version_asks_for_an_update(path):
    rewrite(path, format_version="2")
    with pytest.raises(CheckpointError, match=r"version 2 is later .* update"):
        load_checkpoint(path)


@pytest.mark.parametrize(
    "changed",
    [
        {"format": "someone else's"},
        {"format": None},
        {"format_version": "-1"},
        {"format_version": None},
        {"config": None},
        {"config": "{"},
        {"config": "[" * 100_000},
        {"config": "3"},
        {"config": json.dumps(NARROW.to_dict() | {"width": 10**12})},
        {"config": json.dumps(NARROW.to_dict() | {"depth": 3})},
        {"config": '{"width": 1' + "0" * 5000 + "}"},
        {"preprocessing": json.dumps(PREPROCESSING.to_dict() | {"lower": 99.9})},
        {"preprocessing": json.dumps(PREPROCESSING.to_dict() | {"lower": "low"})},
        {"classes": json.dumps(["BACKGROUND", "ET", "ED", "NCR"])},
        {"classes": None},
    ],
)
def test_foreign_or_damaged_metadata_is_refused(path, changed):
    rewrite(path, **changed)
    with pytest.raises(CheckpointError, match=r"weights\.safetensors"):
        load_checkpoint(path)


def test_weights_of_another_size_are_refused(path):
    rewrite(path, config=json.dumps(NARROW.to_dict() | {"width": 16}))
    with pytest.raises(CheckpointError, match="weights of another network"):
        _ = load_checkpoint(path).network


def test_a_very_large_network_size_allocates_no_memory(path):
    rewrite(path, config=json.dumps(NARROW.to_dict() | {"width": 4096, "channels": 4096}))
    with pytest.raises(CheckpointError, match="weights of another network"):
        _ = load_checkpoint(path).network


def test_pickles_are_not_opened(tmp_path):
    for start in (b"PK\x03\x04", b"\x80\x02"):
        (tmp_path / "w.pth").write_bytes(start + b"\xff" * 100)
        with pytest.raises(CheckpointError, match="pickled PyTorch file"):
            load_checkpoint(tmp_path / "w.pth")


@pytest.mark.parametrize("length", [2**63, 2**40, 2**64 - 1, 50])
def test_wrong_header_lengths_are_refused(tmp_path, length):
    with_header(tmp_path / "w.safetensors", b"{}", b"\0" * 16, length)
    with pytest.raises(CheckpointError, match=r"w\.safetensors"):
        load_checkpoint(tmp_path / "w.safetensors")


def test_headers_of_many_megabytes_are_not_read(tmp_path):
    header = json.dumps({"__metadata__": {"format": "x" * (8 * 2**20)}}).encode()
    with_header(tmp_path / "w.safetensors", header)
    with pytest.raises(CheckpointError, match="too long"):
        load_checkpoint(tmp_path / "w.safetensors")


@pytest.mark.parametrize(
    "tensor",
    [
        {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 16]},
        {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]},
        {"dtype": "F32", "shape": [2**62, 4], "data_offsets": [0, 16]},
        {"dtype": "F32", "shape": [4], "data_offsets": [16, 32]},
        {"dtype": "F32", "shape": [-4], "data_offsets": [0, 16]},
        {"dtype": "X99", "shape": [4], "data_offsets": [0, 16]},
    ],
)
def test_shapes_that_do_not_match_the_data_are_refused(tmp_path, tensor):
    header = json.dumps({"__metadata__": {"format": "smalltumor checkpoint"}, "a": tensor})
    with_header(tmp_path / "w.safetensors", header.encode(), b"\0" * 16)
    with pytest.raises(CheckpointError, match="damaged"):
        load_checkpoint(tmp_path / "w.safetensors")


def test_a_file_that_is_replaced_after_loading_leaves_the_loaded_weights(path, network):
    loaded = load_checkpoint(path)
    before = loaded.tensors()
    other = random_checkpoint(7, NARROW)
    save_checkpoint(path, other.network, PREPROCESSING, {"name": "other"}, overwrite=True)
    assert load_checkpoint(path).digest != loaded.digest
    np.testing.assert_equal(loaded.tensors(), before)
    x = torch.randn(1, 4, 16, 32, 16)
    with torch.no_grad():
        torch.testing.assert_close(loaded.network(x), network(x))


def test_card_digest_and_weights_are_from_one_file_even_if_it_is_replaced(path, monkeypatch):
    """The file is replaced each time that loading opens it."""
    contents = [path.read_bytes()]
    other = random_checkpoint(7, NARROW)
    save_checkpoint(path, other.network, PREPROCESSING, {"name": "other"}, overwrite=True)
    contents.append(path.read_bytes())
    known = {}
    for content in contents:
        path.write_bytes(content)
        checkpoint = load_checkpoint(path)
        known[checkpoint.digest] = checkpoint.name, checkpoint.tensors()
    opened, replacements = Path.open, cycle(contents)

    def replaced(self, mode="r", *arguments, **options):
        if self == path:
            with opened(path, "wb") as file:
                file.write(next(replacements))
        return opened(self, mode, *arguments, **options)

    for skipped in range(2):
        monkeypatch.setattr(Path, "open", replaced)
        loaded = load_checkpoint(path)
        monkeypatch.undo()
        name, tensors = known[loaded.digest]
        assert loaded.name == name
        np.testing.assert_equal(loaded.tensors(), tensors)
        replacements = cycle(contents[:: (-1) ** (skipped + 1)])
