"""Segmentations from class probabilities, and their files."""

from __future__ import annotations

from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from smalltumor.data import segmentation as segmentation_module
from smalltumor.data.case import Case
from smalltumor.data.probabilities.cropped import CroppedProbabilities
from smalltumor.data.probabilities.network_output import HalfResolutionLogits, Probabilities
from smalltumor.data.segmentation import (
    Segmentation,
    write_probabilities,
    write_regions,
    write_segmentation,
)
from smalltumor.errors import OutputError
from smalltumor.geometry.network_grid import network_grid_of
from smalltumor.labels.regions import Region, TissueClass
from smalltumor.labels.schemes import SCHEMES
from synthetic import ORIENTATIONS, grid_along


def cropped(grid, start=(2, 1, 3), half=False) -> CroppedProbabilities:
    """Random network output of a box of the network's grid."""
    values = np.random.default_rng(5).random((4, 4, 5, 4)).astype(np.float32)
    scores = (
        HalfResolutionLogits(values * 9, (7, 8, 6))
        if half
        else Probabilities(values / values.sum(0))
    )
    return CroppedProbabilities(scores, start, network_grid_of(grid))


def segmentation_on(axcodes="LPS", half=False, **options) -> Segmentation:
    grid = grid_along(axcodes, (12, 12, 12), **options)
    return Segmentation.from_probabilities(Case("case", {}, grid), cropped(grid, half=half))


@pytest.mark.parametrize("axcodes", ORIENTATIONS)
def test_the_most_probable_class_is_at_the_networks_position(axcodes):
    segmentation = segmentation_on(axcodes)
    crop = segmentation.cropped
    seen = crop.values.argmax(axis=0)
    for voxel in [(0, 0, 0), (3, 4, 3), (1, 2, 3)]:
        place = crop.network_grid.grid.to_patient(np.array(voxel) + crop.start)
        source = np.rint(nib.affines.apply_affine(np.linalg.inv(segmentation.grid.affine), place))
        assert segmentation.classes[tuple(source.astype(int))] == seen[voxel]
    assert np.count_nonzero(segmentation.classes) == np.count_nonzero(seen)


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("options", [{}, {"spacing": (0.8, 1.2, 1.0), "degrees": 25}])
def test_probabilities_at_voxels_are_those_of_the_whole_volume(options, half):
    segmentation = segmentation_on("PIR", half, **options)
    whole = segmentation.probabilities()
    np.testing.assert_allclose(whole.sum(axis=0), 1, atol=1e-5)
    voxels = np.argwhere(np.ones(segmentation.grid.shape))
    at = segmentation.cropped.at(voxels)
    expected = whole[:, voxels[:, 0], voxels[:, 1], voxels[:, 2]]
    np.testing.assert_allclose(at, expected, atol=1e-5)


def test_the_classes_of_a_resampled_grid_are_the_most_probable_ones():
    segmentation = segmentation_on("RAS", spacing=(0.8, 1.2, 1.0), degrees=25)
    np.testing.assert_array_equal(segmentation.probabilities().argmax(axis=0), segmentation.classes)


def test_regions_have_volumes_in_ml():
    segmentation = segmentation_on()
    for region in Region:
        expected = np.count_nonzero(segmentation.mask(region)) / 1000
        assert segmentation.volume_ml(region) == pytest.approx(expected)
    assert segmentation.volume_ml(Region.WT) > segmentation.volume_ml(Region.ET) > 0
    assert segmentation.volumes_ml() == {r: segmentation.volume_ml(r) for r in Region}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_labels_are_written_in_the_requested_scheme(tmp_path, scheme):
    segmentation = segmentation_on()
    path = write_segmentation(segmentation, tmp_path / "m.nii.gz", scheme=scheme)
    stored = np.asanyarray(nib.load(path).dataobj)
    np.testing.assert_array_equal(SCHEMES[scheme].decode(stored), segmentation.classes)
    assert set(np.unique(stored)) <= set(SCHEMES[scheme].values)


def test_an_unknown_scheme_is_refused(tmp_path):
    with pytest.raises(OutputError, match="brats2018, brats2023, msd"):
        write_segmentation(segmentation_on(), tmp_path / "m.nii.gz", scheme="brats1999")


def test_regions_are_three_nested_masks(tmp_path):
    segmentation = segmentation_on()
    paths = write_regions(segmentation, tmp_path / "case.nii.gz")
    assert [p.name for p in paths] == ["case_et.nii.gz", "case_tc.nii.gz", "case_wt.nii.gz"]
    for path, region in zip(paths, Region, strict=True):
        stored = np.asanyarray(nib.load(path).dataobj)
        np.testing.assert_array_equal(stored == 1, segmentation.mask(region))


def test_no_region_is_written_if_one_of_the_files_exists(tmp_path):
    (tmp_path / "case_wt.nii").touch()
    with pytest.raises(OutputError, match=r"case_wt\.nii exists"):
        write_regions(segmentation_on(), tmp_path / "case.nii")
    assert [p.name for p in tmp_path.iterdir()] == ["case_wt.nii"]


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_regions_are_not_mixed_with_earlier_ones_if_one_cannot_be_written(
    tmp_path, monkeypatch, failing
):
    before = segmentation_on()
    write_regions(before, tmp_path / "case.nii.gz")
    calls, write = [], segmentation_module.write_volume

    def fail(path, *arguments, **options):
        calls.append(path)
        if len(calls) == failing + 1:
            raise OutputError(f"{path} could not be written: No space left on device")
        write(path, *arguments, **options)

    monkeypatch.setattr(segmentation_module, "write_volume", fail)
    empty = replace(before, classes=np.zeros_like(before.classes))
    with pytest.raises(OutputError, match=r"case_(et|tc|wt)\.nii\.gz could not be written"):
        write_regions(empty, tmp_path / "case.nii.gz", overwrite=True)
    assert len(list(tmp_path.iterdir())) == 3
    for region in Region:
        stored = np.asanyarray(nib.load(tmp_path / f"case_{region.value}.nii.gz").dataobj)
        np.testing.assert_array_equal(stored == 1, before.mask(region))


def test_probabilities_are_written_with_the_class_axis_last(tmp_path):
    segmentation = segmentation_on()
    path = write_probabilities(segmentation, tmp_path / "p.nii.gz")
    stored = nib.load(path)
    assert stored.shape == (12, 12, 12, 4)
    np.testing.assert_array_equal(stored.get_fdata().argmax(axis=-1), segmentation.classes)


def test_a_drawn_segmentation_has_no_probabilities(tmp_path):
    grid = grid_along("LPS")
    drawn = Segmentation("drawn", np.full(grid.shape, TissueClass.ET, np.uint8), grid)
    assert drawn.probabilities() is None
    with pytest.raises(OutputError, match="no class probabilities"):
        write_probabilities(drawn, tmp_path / "p.nii.gz")


def test_a_source_image_is_never_overwritten(tmp_path):
    source = tmp_path / "t1ce.nii.gz"
    source.write_bytes(b"image")
    grid = grid_along("LPS")
    segmentation = Segmentation("x", np.zeros(grid.shape, np.uint8), grid, sources=(source,))
    with pytest.raises(OutputError, match="one of the case's files"):
        write_segmentation(segmentation, source, overwrite=True)
    assert source.read_bytes() == b"image"
