"""Two open cases of one name are told apart by their folders, wherever one is named."""

from __future__ import annotations

import pytest
from napari.components import ViewerModel
from napari_cases import write_case_along
from qtpy.QtCore import QObject

from napari_smalltumor import notify
from napari_smalltumor.compare.choices import ReferenceChoice
from napari_smalltumor.compare.reference_reader import ReferenceReader
from napari_smalltumor.layers.changed_images import ChangedImagesError
from napari_smalltumor.layers.metadata import case_of
from napari_smalltumor.lesions.actions.large_deletion import confirm_deletion
from napari_smalltumor.lesions.review.review import LesionReview
from napari_smalltumor.loading.files.replaced_files import check_file_unchanged
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
    assert not confirm_deletion(review, [lesion], lambda text: bool(asked.append(text)))
    assert asked[0].startswith("Pat (second): 1 lesion of ET")


@pytest.fixture
def two_visits(tmp_path) -> ViewerModel:
    """Two visits of one name; the second is active."""
    viewer = ViewerModel()
    for visit in ("first", "second"):
        open_case(viewer, write_case_along(tmp_path / visit / "Pat"))
    return viewer


def test_a_refused_mask_names_the_visit_that_it_was_chosen_for(two_visits, tmp_path, qtbot):
    owner = QObject()
    reader = ReferenceReader(two_visits, owner)
    other = write_case_along(tmp_path / "other" / "Next") / "Next_seg.nii.gz"
    reader.choose(ReferenceChoice(other.name, path=other))
    qtbot.waitUntil(lambda: not reader.busy)
    assert reader.message.startswith("Pat (second): By its name, Next_seg.nii.gz is a mask of Next")


def test_replaced_images_are_told_of_the_visit_whose_they_are(two_visits, tmp_path):
    folder = write_case_along(tmp_path / "else" / "Pat", axcodes="RAS")
    image = tmp_path / "first" / "Pat" / "Pat_t1ce.nii.gz"
    image.write_bytes((folder / "Pat_t2.nii.gz").read_bytes())
    with pytest.raises(ChangedImagesError, match=r"shown of Pat \(first\).*close Pat \(first\)"):
        check_file_unchanged(image, two_visits.layers)


def test_the_status_bar_says_nothing_of_the_visit_before(two_visits):
    patients = active_patient(two_visits)
    two_visits.status = {"layer_base": "Pat (second) T1CE", "value": "12"}
    two_visits.tooltip.text = "Pat (second) T1CE"
    patients.activate(patients.patients[0])
    assert two_visits.status == "Ready" and two_visits.tooltip.text == ""
    shown: list = []
    two_visits.events.status.connect(lambda event: shown.append(event.value))
    for name in ("Pat (second) T1CE", "Pat (first) T1CE"):  # found by napari's thread, too late
        two_visits.status = {"layer_name": name, "layer_base": name, "value": "12"}
        two_visits.tooltip.text = name
    assert shown[1] == "Ready" and shown[-1]["layer_name"] == "Pat (first) T1CE"
