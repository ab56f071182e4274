"""The network as a MONAI bundle."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from smalltumor import segment
from smalltumor.data.made_by import recorded_made_by
from smalltumor.data.masks.label_files import read_label_volume
from smalltumor.data.read_case import read_case
from smalltumor.errors import OutputError
from smalltumor.inference.backends import torch_backend
from smalltumor.inference.pool import Pool
from smalltumor.model_export import write_bundle
from smalltumor.models.checkpoint import load_checkpoint
from synthetic import write_case


@pytest.fixture
def bundle(narrow_weights: Path, tmp_path: Path) -> Path:
    return write_bundle(load_checkpoint(narrow_weights), tmp_path / "bundle")


def test_a_run_by_monai_gives_the_mask_of_our_own_segmentation(
    bundle: Path, narrow_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from monai.bundle import ConfigParser

    # The bundle computes in single precision, also where a processor has bfloat16.
    monkeypatch.setattr(torch_backend, "torch_precision", lambda device: torch.float32)
    monkeypatch.setattr(torch_backend, "_backends", Pool())  # none of an earlier test
    case = write_case(tmp_path / "cases" / "BraTS2021_00001")
    parser = ConfigParser()
    parser.read_config(bundle / "configs" / "inference.json")
    parser.update(
        {
            "bundle_root": str(bundle),
            "dataset_dir": str(tmp_path / "cases"),
            "output_dir": str(tmp_path / "masks"),
            "device": "$torch.device('cpu')",
        }
    )
    ((written,),) = parser.get_parsed_content("run")
    ours = segment(read_case(case), load_checkpoint(narrow_weights), device="cpu", backend="torch")
    theirs = nibabel.load(written)
    stored = np.where(ours.classes == 3, 4, ours.classes)  # as BraTS 2021 writes ET
    assert len(np.unique(stored)) > 1
    np.testing.assert_array_equal(np.asarray(theirs.dataobj), stored)
    np.testing.assert_array_equal(theirs.affine, ours.grid.affine)
    assert recorded_made_by(read_label_volume(written)) == ours.made_by


@pytest.mark.slow
def test_the_command_of_its_readme_writes_a_mask_for_each_case(
    bundle: Path, tmp_path: Path
) -> None:
    for number in (1, 2):
        name = f"BraTS2021_0000{number}"
        write_case(tmp_path / "cases" / name, name=name)
    command = [sys.executable, "-m", "monai.bundle", "run", "--config_file"]
    command += ["configs/inference.json", "--bundle_root", "."]
    command += ["--dataset_dir", str(tmp_path / "cases"), "--output_dir", str(tmp_path / "masks")]
    done = subprocess.run(
        command,
        cwd=bundle,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    written = sorted(path.name for path in (tmp_path / "masks").iterdir())
    assert written == ["BraTS2021_00001.nii.gz", "BraTS2021_00002.nii.gz"]


def test_it_has_what_the_model_zoo_expects_and_no_pickle(bundle: Path) -> None:
    files = {path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file()}
    assert files == {
        "LICENSE",
        "configs/inference.json",
        "configs/metadata.json",
        "docs/README.md",
        "models/model.safetensors",
    }
    metadata = json.loads((bundle / "configs" / "metadata.json").read_text())
    outputs = metadata["network_data_format"]["outputs"]["pred"]
    assert outputs["channel_def"]["3"] == "enhancing tumour"
    assert metadata["network_data_format"]["inputs"]["image"]["channel_def"]["0"] == "FLAIR"
    assert "not for diagnosis" in metadata["intended_use"]


def test_its_weights_are_those_that_were_exported(bundle: Path, narrow_weights: Path) -> None:
    assert (bundle / "models" / "model.safetensors").read_bytes() == narrow_weights.read_bytes()


def test_a_full_disk_leaves_no_part_of_a_bundle_and_the_next_attempt_writes_it(
    narrow_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    checkpoint = load_checkpoint(narrow_weights)
    folder = tmp_path / "new" / "bundle"
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OutputError, match="No space left"):
            write_bundle(checkpoint, folder)
    assert not folder.parent.exists()
    write_bundle(checkpoint, folder)
    assert (folder / "LICENSE").is_file()


def test_a_folder_with_files_is_refused(narrow_weights: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="not empty"):
        write_bundle(load_checkpoint(narrow_weights), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
