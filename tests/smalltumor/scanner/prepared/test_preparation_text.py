"""A report says how the images of a case were prepared, and what was corrected by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from raw_scans import prepared_by_hand, write_raw_scan
from smalltumor.data.case import Case
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation, write_segmentation
from smalltumor.scanner.prepared.applied_steps import AppliedStep, StepKind
from smalltumor.scanner.prepared.preparation_text import preparation_text
from smalltumor.scanner.prepared.prepared_files import write_prepared
from smalltumor.scanner.prepared.stored_case import stored_paths

pytest.importorskip("SimpleITK", reason="SimpleITK is not installed: no transforms")


def written(folder, *kinds: StepKind) -> Case:
    """A prepared case whose T2 was registered, with further steps of T2."""
    case = prepared_by_hand(write_raw_scan(folder / "scan"))
    t2 = case.sequences["t2"]
    steps = (*t2.steps, *(AppliedStep(kind, "a step") for kind in kinds))
    sequences = {**case.sequences, "t2": replace(t2, steps=steps)}
    write_prepared(replace(case, sequences=sequences), folder / "Pat")
    return read_case(folder / "Pat")


@pytest.mark.parametrize(
    ("kinds", "text"),
    [
        ((), "T2 registered to T1CE"),
        ((StepKind.REGISTRATION_CORRECTION,), "T2 registered by hand"),
        (
            (StepKind.BRAIN_CORRECTION,),
            "T2 registered to T1CE; brain mask corrected by hand",
        ),
    ],
)
def test_registrations_and_corrections_by_hand_are_named(tmp_path, kinds, text):
    assert preparation_text(written(tmp_path, *kinds)) == f"prepared from a scan: {text}"


def test_nothing_is_said_of_other_cases_and_of_damaged_records(tmp_path, sample_folder):
    assert preparation_text(read_case(sample_folder)) == ""
    case = written(tmp_path)
    stored_paths(case)["record"].write_text("damaged")
    assert preparation_text(case) == ""


def test_the_page_of_a_report_says_it(tmp_path, smalltumor):
    pytest.importorskip("jinja2")
    case = written(tmp_path, StepKind.BRAIN_CORRECTION)
    classes = np.zeros(case.grid.shape, np.uint8)
    classes[8:12, 8:12, 8:12] = 3
    mask = tmp_path / "Pat_mask.nii.gz"
    write_segmentation(Segmentation(case.name, classes, case.grid, case.header), mask)
    page = tmp_path / "page.html"
    code, _, stderr = smalltumor("report", tmp_path / "Pat", mask, "-o", page)
    assert code == 0, stderr
    assert "brain mask corrected by hand" in page.read_text(encoding="utf-8")
