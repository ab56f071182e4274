"""A series whose left and right are not known is never registered without a word."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from raw_scans import NAMES, write_raw_scan
from smalltumor.data.volumes.nifti import read_nifti
from smalltumor.errors import GridMismatchError
from smalltumor.scanner.preparation import prepare as prepare_module
from smalltumor.scanner.preparation.prepare import prepare
from smalltumor.scanner.preparation.steps import SeriesImage, check_registrable
from smalltumor.scanner.source import Source, find_source
from smalltumor.scanner.volume_series import series_of_file


@pytest.fixture
def folder(tmp_path) -> Path:
    return write_raw_scan(tmp_path / "scan")


@pytest.fixture
def unregistered(monkeypatch) -> None:
    """Preparing stops where the images would be registered."""

    def register_all(images, *_):
        raise InterruptedError

    monkeypatch.setattr(prepare_module, "_register_all", register_all)


def lose_orientation(path: Path) -> None:
    image = nib.load(path)
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj), None), path)


def contradict_sides(path: Path) -> None:
    image = nib.load(path)
    image.header.set_sform(np.diag([-1, 1, 1, 1]) @ image.affine, 1)
    image.header.set_qform(image.affine, 1)
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj), None, image.header), path)


def source(folder: Path) -> Source:
    return find_source(folder, {})


@pytest.mark.parametrize("modality", ["t1ce", "flair"])
@pytest.mark.parametrize("spoil", [lose_orientation, contradict_sides])
def test_one_series_of_unknown_sides_is_refused_by_name(folder, unregistered, modality, spoil):
    spoil(folder / f"{NAMES[modality]}.nii.gz")
    with pytest.raises(GridMismatchError, match=rf"{NAMES[modality]}\.nii\.gz: .*may be mirrored"):
        prepare(source(folder), brain_extraction="never")


def test_a_brain_mask_that_may_be_mirrored_is_refused(folder, unregistered, tmp_path):
    nib.save(nib.Nifti1Image(np.ones((9, 9, 9), np.uint8), None), tmp_path / "brain.nii.gz")
    mask = read_nifti(tmp_path / "brain.nii.gz")
    with pytest.raises(GridMismatchError, match=r"brain\.nii\.gz: .*may be mirrored"):
        prepare(source(folder), brain_mask=mask)


def test_headers_that_all_contradict_themselves_get_a_warning_in_the_case(folder, monkeypatch):
    monkeypatch.setattr(prepare_module, "_register_all", lambda *_: [])
    for name in NAMES.values():
        contradict_sides(folder / f"{name}.nii.gz")
    (warning,) = prepare(source(folder), brain_extraction="never").warnings[:1]
    assert warning == (
        "FLAIR, T1CE, T1 and T2: sform and qform disagree about left and right; the sform is used"
    )


def test_what_the_dialog_reads_of_a_scan_tells_that_it_will_be_refused(folder):
    images = {m: SeriesImage.of(s) for m, s in source(folder).assignment.chosen.items()}
    check_registrable(images)
    path = folder / f"{NAMES['flair']}.nii.gz"
    lose_orientation(path)
    images["flair"] = SeriesImage.of(series_of_file(path))
    with pytest.raises(GridMismatchError, match="may be mirrored"):
        check_registrable(images)
