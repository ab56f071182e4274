"""Two open cases of one name are told apart by their folders, wherever one is named."""

from __future__ import annotations

import pytest
from napari.components import ViewerModel
from napari_cases import write_case_along

from napari_smalltumor import notify
from napari_smalltumor.layers.metadata import case_of
from napari_smalltumor.lesions.actions.large_deletion import may_delete
from napari_smalltumor.lesions.review.review import LesionReview
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.case_title import case_title


@pytest.fixture
def messages(monkeypatch) -> list[str]:
    shown: list[str] = []
    monkeypatch.setattr(notify, "info", shown.append)
    return shown


def test_cases_of_one_name_are_told_apart(tmp_path, messages):
    viewer, asked = ViewerModel(), []
    for visit in ("first", "second"):
        open_case(viewer, write_case_along(tmp_path / visit / "Pat"))
    assert messages[-1].startswith("Pat (second) is shown with the mask in Pat_seg.nii.gz")
    patients = active_patient(viewer)
    assert patients.title == "Pat (second)"
    case = case_of(patients.layers[0])
    assert case_title(viewer, case) == "Pat (second)"
    review = LesionReview(viewer)
    (lesion, *_) = review.source.snapshot(review.region).lesions(1)
    assert not lesion.is_small
    assert not may_delete(review, [lesion], lambda text: bool(asked.append(text)))
    assert asked[0].startswith("Pat (second): 1 lesion of ET")
