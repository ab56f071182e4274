"""What the checks of the input find reaches the user of the library and the command line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from smalltumor.cli.finding_texts import finding_text
from smalltumor.cohort.cases import cohort_cases
from smalltumor.cohort.cohort import segment_cohort
from smalltumor.cohort.settings import CohortSettings
from smalltumor.data.input_checks import Finding, FindingKind
from smalltumor.data.read_case import read_case
from smalltumor.errors import CaseError
from smalltumor.inference import segment
from smalltumor.models.checkpoint import load_checkpoint


@pytest.fixture(scope="module")
def swapped(sample_folder: Path, tmp_path_factory) -> Path:
    """The sample with voxels of 2 mm, and T2 and FLAIR swapped."""
    folder = tmp_path_factory.mktemp("cases") / "swapped"
    folder.mkdir()
    case = read_case(sample_folder)
    images = dict(case.volumes) | {"t2": case.volumes["flair"], "flair": case.volumes["t2"]}
    affine = case.grid.affine @ np.diag([2, 2, 2, 1])
    for modality, volume in images.items():
        image = nib.Nifti1Image(volume[::2, ::2, ::2], affine)
        nib.save(image, folder / f"swapped_{modality}.nii.gz")
    return folder


@pytest.mark.slow
def test_the_command_line_names_the_options(swapped, tmp_path, smalltumor) -> None:
    code, _, stderr = smalltumor("segment", swapped, "-o", tmp_path / "mask.nii.gz")
    assert code == 0
    (line,) = [line for line in stderr.splitlines() if "swapped" in line]
    assert "T2 and FLAIR seem to be swapped" in line
    assert "--t2 FILE --flair FILE" in line


@pytest.mark.slow
def test_the_run_and_the_table_of_a_cohort_have_the_finding(
    swapped, tmp_path, narrow_weights
) -> None:
    cases = cohort_cases(swapped.parent, tmp_path / "masks")
    settings = CohortSettings(tmp_path / "masks", device="cpu", backend="torch")
    (row,) = segment_cohort(cases, load_checkpoint(narrow_weights), settings)
    assert "T2 and FLAIR seem to be swapped" in row.warnings


@pytest.mark.slow
def test_one_image_in_two_roles_is_not_segmented(swapped, narrow_weights) -> None:
    case = read_case(swapped)
    twice = replace(case, volumes=dict(case.volumes) | {"t1": case.volumes["t1ce"]})
    with pytest.raises(CaseError, match="T1CE and T1 are the same image"):
        segment(twice, load_checkpoint(narrow_weights), device="cpu", backend="torch")


def test_a_misaligned_image_is_named_with_its_option() -> None:
    finding = Finding(FindingKind.MISALIGNED, 0.91, ("flair",))
    assert "FLAIR does not show the brain" in finding_text(finding)
    assert "--flair FILE" in finding_text(finding)
