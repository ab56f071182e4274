"""A record tells the images that the network saw, whatever is in their files afterwards."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from cohort_files import NAMES
from smalltumor.cohort.pipeline import pipeline
from smalltumor.cohort.results.records import (
    CohortCaseRecord,
    has_other_files,
    sha256_of_images,
    sizes_of_images,
)
from smalltumor.cohort.results.results_folder import ResultsFolder
from smalltumor.data.naming.find_cases import find_case_files, find_cases
from smalltumor.data.read_case import read_case, read_case_files
from smalltumor.errors import CaseError


def replace_images(folder) -> None:
    """Another patient's images take the place of those of a case."""
    for path in folder.glob("*.nii.gz"):
        image = nib.load(path)
        nib.save(nib.Nifti1Image(np.asarray(image.dataobj)[::-1] + 1, image.affine), path)


def test_images_that_are_replaced_after_the_network_are_not_those_of_the_record(
    cohort, data, tmp_path, monkeypatch
):
    before = {files.name: sha256_of_images(files) for files in find_cases(data)}
    sizes = {files.name: sizes_of_images(files) for files in find_cases(data)}
    run = pipeline.run_network

    def then_replace(case, *arguments):
        computed = run(case, *arguments)
        if case.name == "bob":
            replace_images(data / "bob")
        return computed

    monkeypatch.setattr(pipeline, "run_network", then_replace)
    code, *_ = cohort()
    assert code == 0
    for files in find_cases(data):
        record = CohortCaseRecord.read(ResultsFolder(tmp_path / "out").record(files.name))
        assert record.digests == before[files.name] and record.images == sizes[files.name]
        assert has_other_files(record, files) == (files.name == "bob")
    assert set(before) == set(NAMES)


@pytest.mark.parametrize("stacked", [True, False])
def test_the_contents_of_a_case_are_those_of_its_files(data, tmp_path, stacked):
    folder = data / "ann"
    if stacked:
        case = read_case(folder)
        four = np.stack([case.volumes[m] for m in ("flair", "t1", "t1ce", "t2")], axis=-1)
        folder = tmp_path / "four.nii.gz"
        nib.save(nib.Nifti1Image(four, case.grid.affine), folder)
    files = find_case_files(folder)
    case = read_case_files(files, with_contents=True)
    assert case.digests == sha256_of_images(files)
    assert {m: c.size for m, c in case.contents.items()} == sizes_of_images(files)
    assert not read_case_files(files).contents


def test_a_file_of_another_format_is_told_too(data, tmp_path):
    case = read_case(data / "ann")
    for modality, volume in case.volumes.items():
        image = nib.MGHImage(volume.astype(np.int32), case.grid.affine)
        (tmp_path / "mgz").mkdir(exist_ok=True)
        nib.save(image, tmp_path / "mgz" / f"ann_{modality}.mgz")
    files = find_case_files(tmp_path / "mgz")
    assert read_case_files(files, with_contents=True).digests == sha256_of_images(files)


def test_a_file_that_is_replaced_between_its_header_and_its_voxels_is_refused(data, monkeypatch):
    from smalltumor.data.volumes import nifti

    path = data / "ann" / "ann_t1.nii.gz"
    parse = nifti.parse_header

    def slowly(*arguments):
        header = parse(*arguments)
        image = nib.load(path)
        moved = image.affine + np.diag([0, 0, 3.0], 1)
        nib.save(nib.Nifti1Image(np.asarray(image.dataobj), moved), path)
        return header

    monkeypatch.setattr(nifti, "parse_header", slowly)
    with pytest.raises(CaseError, match="was replaced while it was read; read it again"):
        nifti.read_nifti(path)
