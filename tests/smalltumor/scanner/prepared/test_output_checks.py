"""A case that people have corrected is not prepared again in its place."""

from __future__ import annotations

from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from raw_scans import prepared_by_hand, write_raw_scan
from smalltumor.errors import OutputError
from smalltumor.scanner.prepared.applied_steps import AppliedStep, StepKind
from smalltumor.scanner.prepared.output_checks import check_prepared
from smalltumor.scanner.prepared.prepared_files import prepared_paths, write_prepared

pytest.importorskip("SimpleITK", reason="SimpleITK is not installed: no transforms")


@pytest.fixture
def case(tmp_path):
    return prepared_by_hand(write_raw_scan(tmp_path / "scan"))


def check(case, folder):
    check_prepared(folder, case.name, case.sequences, [], overwrite=True)


def with_step(case, modality, kind):
    sequence = case.sequences[modality]
    changed = replace(sequence, steps=(*sequence.steps, AppliedStep(kind, "by hand")))
    return replace(case, sequences={**case.sequences, modality: changed})


def test_a_case_that_nobody_has_corrected_is_replaced(case, tmp_path):
    write_prepared(case, tmp_path / "Pat")
    check(case, tmp_path / "Pat")


@pytest.mark.parametrize(
    ("kind", "modality", "text"),
    [
        (StepKind.BRAIN_CORRECTION, "t1ce", "a brain mask of"),
        (StepKind.REGISTRATION_CORRECTION, "flair", "registrations of"),
    ],
)
def test_corrections_in_the_window_are_not_replaced(case, tmp_path, kind, modality, text):
    write_prepared(with_step(case, modality, kind), tmp_path / "Pat")
    with pytest.raises(OutputError, match=f"{text} .* that people have corrected; move or delete"):
        check(case, tmp_path / "Pat")


def test_a_brain_mask_that_another_program_has_changed_is_not_replaced(case, tmp_path):
    write_prepared(case, tmp_path / "Pat")
    path = prepared_paths(tmp_path / "Pat", case.name)["brain"]
    image = nib.load(path)
    voxels = np.asarray(image.dataobj).copy()
    voxels[0, 0, 0] = 1 - voxels[0, 0, 0]
    nib.save(nib.Nifti1Image(voxels, image.affine, image.header), path)
    with pytest.raises(OutputError, match="holds a brain mask of"):
        check(case, tmp_path / "Pat")
