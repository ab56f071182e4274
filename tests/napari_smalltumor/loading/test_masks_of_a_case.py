"""A mask is accepted or refused for the same reasons by reports, by Compare and by the window."""

from __future__ import annotations

from enum import IntEnum
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel
from napari_cases import write_case_along
from smalltumor.data.case import Case
from smalltumor.data.identity.image_digests import digests_of_images
from smalltumor.data.masks.case_mask import read_mask
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation, write_segmentation
from smalltumor.errors import CaseError

from napari_smalltumor import notify
from napari_smalltumor.compare.reference_file import read_reference
from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.loading.open_case import open_and_remember, open_case

OF_CASE = ("P7_seg", "p7_seg", "P7_visit1_seg", "P7_visit1_smalltumor", "corrected")
WITH_OTHER_WORDS = ("P7_reader2_seg", "reader2_seg")
OF_ANOTHER_SCAN = ("P7_visit2_seg", "P7_visit2_smalltumor")
OF_ANOTHER = ("P8_seg", "P70", "P8_smalltumor", "P8_visit1_seg")
RECORDS = ("own", "other", "none")
PLACES = ("beside", "elsewhere")


class Answer(IntEnum):
    """What becomes of a mask; the window shows it as a patient of its own instead of refusing."""

    REFUSED = 0
    WITH_WARNING = 1
    ACCEPTED = 2


@pytest.fixture
def warned(monkeypatch) -> list[str]:
    shown: list[str] = []
    for kind in ("warn", "error", "info"):
        monkeypatch.setattr(notify, kind, shown.append)
    return shown


@pytest.fixture
def case(tmp_path) -> Case:
    """The first visit of P7, as its folder states."""
    return read_case(write_case_along(tmp_path / "visit1" / "P7", labels=False))


def mask_file(case: Case, tmp_path: Path, name: str, record: str, place: str) -> Path:
    """A mask on the grid of the case, which records images or not."""
    other = read_case(write_case_along(tmp_path / "another", labels=False, seed=9))
    made_of = {"own": digests_of_images(case), "other": digests_of_images(other), "none": {}}
    folder = case.paths["t1ce"].parent if place == "beside" else tmp_path / "masks"
    folder.mkdir(exist_ok=True)
    classes = np.random.default_rng(3).integers(0, 4, case.grid.shape).astype(np.uint8)
    mask = Segmentation("P7", classes, case.grid, case.header, made_of=made_of[record])
    return write_segmentation(mask, folder / f"{name}.nii.gz")


def of_report(path: Path, case: Case) -> Answer:
    try:
        mask = read_mask(path, case)
    except CaseError:
        return Answer.REFUSED
    return Answer.WITH_WARNING if mask.other_images else Answer.ACCEPTED


def of_compare(path: Path, case: Case, warned: list[str]) -> Answer:
    warned.clear()
    try:
        read_reference(path, case)
    except CaseError:
        return Answer.REFUSED
    return Answer.WITH_WARNING if warned else Answer.ACCEPTED


def of_window(path: Path, case: Case, warned: list[str]) -> Answer:
    """Whether a mask joins the case that is open, and not a patient of its own."""
    viewer = ViewerModel()
    kept = path.read_bytes()
    path.unlink()
    open_case(viewer, case.paths["t1ce"].parent)
    path.write_bytes(kept)
    patient, before = patient_of(viewer.layers[0]), list(viewer.layers)
    warned.clear()
    open_and_remember(viewer, path)
    new = [layer for layer in viewer.layers if layer not in before]
    if not new or any(patient_of(layer) != patient for layer in new):
        return Answer.REFUSED
    return (
        Answer.WITH_WARNING if any("other images" in text for text in warned) else Answer.ACCEPTED
    )


@pytest.mark.parametrize(("record", "place"), [*product(RECORDS, PLACES)])
@pytest.mark.parametrize("name", [*OF_CASE, *WITH_OTHER_WORDS, *OF_ANOTHER_SCAN, *OF_ANOTHER])
def test_no_mask_is_accepted_by_one_and_refused_by_another(
    case, tmp_path, warned, name, record, place
):
    path = mask_file(case, tmp_path, name, record, place)
    report, compare = of_report(path, case), of_compare(path, case, warned)
    window = of_window(path, case, warned)
    answers = report, compare, window
    if record == "other":
        assert Answer.ACCEPTED not in answers
        assert window <= compare <= report  # the window is the strictest: masks are saved there
    elif name in OF_CASE:
        assert answers == (Answer.ACCEPTED,) * 3
    elif name in WITH_OTHER_WORDS:  # may be the name of another case, whose images are not open
        assert answers == (Answer.ACCEPTED, Answer.ACCEPTED, Answer.REFUSED)
    elif name in OF_ANOTHER_SCAN:  # which may be compared, but not measured as this one
        assert answers == (Answer.REFUSED, Answer.ACCEPTED, Answer.REFUSED)
    else:
        assert answers == (Answer.REFUSED,) * 3
