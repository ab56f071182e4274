"""Import of published DMFNet checkpoints."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch
from smalltumor.cli import main
from smalltumor.errors import CheckpointError
from smalltumor.models.checkpoint import load_checkpoint, save_checkpoint
from smalltumor.models.dmfnet_import import import_dmfnet


@pytest.fixture
def published(shared):
    return shared / "reference" / "dmfnet_small.pth"


@pytest.fixture
def numbers(shared):
    with np.load(shared / "reference" / "dmfnet_small_io.npz") as file:
        return torch.from_numpy(file["x"]), file["y"]


def test_the_output_of_the_published_code_is_reproduced(published, numbers):
    x, y = numbers
    checkpoint = import_dmfnet(published)
    assert (checkpoint.config.width, checkpoint.config.channels) == (8, 32)
    assert checkpoint.config.groups == 4
    with torch.no_grad():
        np.testing.assert_allclose(checkpoint.network(x).numpy(), y, atol=1e-5)


def test_imported_weights_are_the_same_after_writing_and_reading(published, numbers, tmp_path):
    x, y = numbers
    checkpoint = import_dmfnet(published)
    save_checkpoint(
        tmp_path / "w.safetensors",
        checkpoint.network,
        checkpoint.preprocessing,
        checkpoint.card,
        half=False,
    )
    with torch.no_grad():
        again = load_checkpoint(tmp_path / "w.safetensors").network(x).numpy()
    np.testing.assert_allclose(again, y, atol=1e-5)


def test_the_command_line_keeps_float32_unless_half_precision_is_requested(
    published, numbers, tmp_path
):
    x, y = numbers
    full, half = tmp_path / "full.safetensors", tmp_path / "half.safetensors"
    assert main(["import-dmfnet", str(published), str(full)]) == 0
    assert main(["import-dmfnet", str(published), str(half), "--half"]) == 0
    with torch.no_grad():
        np.testing.assert_allclose(load_checkpoint(full).network(x).numpy(), y, atol=1e-5)
        np.testing.assert_allclose(load_checkpoint(half).network(x).numpy(), y, atol=1e-2)
    assert half.stat().st_size < 0.7 * full.stat().st_size


def test_data_parallel_prefix_and_bare_state_are_accepted(published, numbers, tmp_path):
    state = torch.load(published, weights_only=True)["state_dict"]
    torch.save({f"module.{name}": value for name, value in state.items()}, tmp_path / "bare.pth")
    x, y = numbers
    with torch.no_grad():
        found = import_dmfnet(tmp_path / "bare.pth").network(x).numpy()
    np.testing.assert_allclose(found, y, atol=1e-5)


def test_code_in_a_pickle_is_not_run(tmp_path):
    class Malicious:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "created"),)

    torch.save({"state_dict": Malicious()}, tmp_path / "malicious.pth")
    with pytest.raises(CheckpointError, match=r"malicious\.pth"):
        import_dmfnet(tmp_path / "malicious.pth")
    assert not (tmp_path / "created").exists()


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 cut"])
def test_an_error_names_the_file_that_cannot_be_read(content, tmp_path):
    (tmp_path / "x.pth").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"x\.pth"):
        import_dmfnet(tmp_path / "x.pth")


@pytest.mark.parametrize(
    "damage", ["a tensor is missing", "a tensor has another shape", "there is an extra tensor"]
)
def test_another_network_is_refused(published, damage, tmp_path):
    state = torch.load(published, weights_only=True)["state_dict"]
    if damage == "a tensor is missing":
        del state["decoder_block2.conv3x3x3_m2.conv.weight"]
    elif damage == "a tensor has another shape":
        state["decoder_block2.conv3x3x3_m2.conv.weight"] = torch.zeros(3, 3)
    else:
        state["unknown.weight"] = torch.zeros(3)
    torch.save({"state_dict": state}, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match=r"x\.pth: not a DMFNet checkpoint"):
        import_dmfnet(tmp_path / "x.pth")
