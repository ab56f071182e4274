"""A bright spot at known patient coordinates is found there by every command.

The network is a threshold on T1CE, so that the right answer is known to the voxel.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from nibabel.affines import apply_affine
from smalltumor.cli import main
from smalltumor.data.probabilities.network_output import Probabilities
from smalltumor.inference import fallback, predict
from synthetic import grid_along

SPOT_RAS_MM = np.array([12.0, -7.0, 10.0])
"""To the right, posterior and superior, so that every mirrored position is far away."""

SHAPE = (40, 44, 36)
PLACES = [("LPS", 0.0), ("RAS", 0.0), ("RPI", 0.0), ("PIR", 0.0), ("SAL", 0.0), ("IRA", 0.0)]
OBLIQUE = [("LPS", 7.0), ("AIR", 7.0), ("RSP", 30.0)]


@pytest.fixture(autouse=True)
def threshold(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Enhancing tumour is where T1CE, the second channel, is far above its mean."""

    def run_network(checkpoint, array, settings, progress):
        inside = (array[1] > array[1].max() / 2).astype(np.float32)
        none = np.zeros_like(inside)
        found = np.stack([1 - inside, none, none, inside])
        scores = Probabilities(found)
        return fallback.NetworkResult(scores, fallback.Attempt("torch", "cpu", None), "cpu", ())

    monkeypatch.setattr(predict, "run_network", run_network)
    yield


def write_head(folder: Path, axcodes: str, degrees: float) -> np.ndarray:
    """A head with a spot of 5 mm around `SPOT_RAS_MM` on T1CE; the affine it is stored with."""
    affine = grid_along(axcodes, SHAPE, degrees=degrees).affine.copy()
    middle = (np.array(SHAPE) - 1) / 2
    affine[:3, 3] -= apply_affine(affine, middle)
    places = apply_affine(affine, np.stack(np.indices(SHAPE), axis=-1))
    rng = np.random.default_rng(2)
    inside = np.linalg.norm(places, axis=-1) < 60
    spot = np.linalg.norm(places - SPOT_RAS_MM, axis=-1) < 5
    folder.mkdir()
    for modality in ("flair", "t1ce", "t1", "t2"):
        head = np.where(inside, rng.integers(90, 110, SHAPE), 0)
        image = np.where(spot & (modality == "t1ce"), 1000, head).astype(np.int16)
        nib.save(nib.Nifti1Image(image, affine), folder / f"Pat_{modality}.nii.gz")
    return affine


@pytest.mark.parametrize(("axcodes", "degrees"), PLACES + OBLIQUE)
def test_a_spot_is_found_at_its_patient_coordinates(axcodes, degrees, tmp_path):
    affine = write_head(tmp_path / "Pat", axcodes, degrees)
    mask, table = tmp_path / "mask.nii.gz", tmp_path / "table.csv"
    words = ["segment", tmp_path / "Pat", "-o", mask, "--lesions", table, "--regions"]
    assert main([str(word) for word in (*words, "--device", "cpu")]) == 0
    image = nib.load(mask)
    np.testing.assert_allclose(image.affine, affine, atol=1e-4)
    for path in (mask, tmp_path / "mask_et.nii.gz"):
        inside = np.argwhere(np.asarray(nib.load(path).dataobj) != 0)
        centre = apply_affine(image.affine, inside.mean(axis=0))
        np.testing.assert_allclose(centre, SPOT_RAS_MM, atol=0.7)
    (row,) = (row for row in csv.DictReader(table.open()) if row["list"] == "found")
    told = [float(row[f"centroid_{axis}_mm"]) for axis in "ras"]
    np.testing.assert_allclose(told, SPOT_RAS_MM, atol=0.7)
    voxel = [float(row[f"centroid_{axis}"]) for axis in "ijk"]
    np.testing.assert_allclose(apply_affine(affine, voxel), told, atol=1e-3)
    assert main(["lesions", str(mask), "--labels", "brats2018", "-o", str(tmp_path / "2.csv")]) == 0
    (again,) = csv.DictReader((tmp_path / "2.csv").open())
    assert [again[f"centroid_{axis}_mm"] for axis in "ras"] == [
        row[f"centroid_{axis}_mm"] for axis in "ras"
    ]
