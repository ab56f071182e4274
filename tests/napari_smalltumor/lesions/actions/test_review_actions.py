"""What buttons and keys do with the selected rows: no window, not even an application."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from lesion_layers import show_regions, synthetic_case
from smalltumor.labels.regions import Region
from smalltumor.lesions import LesionList

from napari_smalltumor.layers.editing.earlier_scan import mark_as_earlier_scan
from napari_smalltumor.lesions import texts
from napari_smalltumor.lesions.actions.review_actions import ReviewActions
from napari_smalltumor.lesions.review.review import LesionReview
from napari_smalltumor.lesions.search.specks import SpeckRule
from napari_smalltumor.lesions.table.model import LesionsModel
from napari_smalltumor.patients.active_patient import active_patient


@dataclass
class Dock:
    """What the dock does without widgets: a table that shows a review, and selected rows."""

    review: LesionReview
    model: LesionsModel = field(default_factory=LesionsModel)
    rows: list[int] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    agrees: bool = True

    def __post_init__(self):
        self.actions = ReviewActions(
            self.review,
            self.model,
            lambda: self.rows,
            self.said.append,
            self.search,
            confirm=self.confirm,
        )
        self.review.lesions_changed.connect(self.show)
        self.search()

    def confirm(self, text):
        self.asked.append(text)
        return self.agrees

    def select(self, rows):
        """A single row that is selected is shown, as in the dock."""
        self.rows = rows
        if len(rows) == 1:
            self.actions.go_to_row(rows[0])

    def search(self):
        snapshot = self.review.source.snapshot(self.review.region)
        self.review.set_lesions(snapshot.lesions(100))

    def show(self):
        self.rows = []
        accepted = [x for x in self.review.lesions if self.review.is_accepted(x)]
        self.model.set_lesions(
            self.review.lesions,
            accepted,
            specks=self.review.specks,
            unfolded=self.review.unfolded,
        )

    @property
    def current(self):
        return self.review.current and self.review.current.voxels

    @property
    def voxels(self):
        return [lesion.voxels for lesion in self.review.lesions]


@pytest.fixture
def dock(viewer) -> Dock:
    """Lesions of 2, 12 and 216 voxels; the last one is not small."""
    show_regions(viewer, synthetic_case())
    return Dock(LesionReview(viewer))


def test_after_a_deletion_the_next_small_lesion_is_current_and_shown(viewer, dock):
    dock.actions.next_small()
    before = viewer.dims.point
    dock.actions.delete()
    assert dock.voxels == [12, 216] and dock.current == 12
    assert viewer.dims.point != before
    dock.actions.delete()
    assert dock.current is None and dock.voxels == [216]
    dock.actions.delete()
    assert dock.voxels == [216], "a key pressed once too often deleted the tumour"
    assert dock.said[-1] == "Select a lesion to delete"


@pytest.mark.parametrize("action", ["accept", "delete"])
def test_a_lesion_that_is_not_in_view_is_shown_before_it_is_judged(viewer, dock, action):
    """Another list or the slider may have led to another lesion, which the user then means."""
    dock.actions.next_small()
    shown = viewer.dims.point
    viewer.dims.set_point(0, viewer.dims.range[0].stop)
    getattr(dock.actions, action)()
    assert dock.said[-1] == texts.NOT_IN_VIEW and viewer.dims.point == shown
    assert dock.voxels == [2, 12, 216] and not dock.review.can_undo
    getattr(dock.actions, action)()
    assert dock.review.can_undo


@pytest.mark.parametrize("action", ["accept", "delete"])
def test_nothing_is_undone_in_a_mask_that_was_removed(viewer, dock, action):
    dock.actions.next_small()
    getattr(dock.actions, action)()
    et = viewer.layers["Pat ET"]
    before = et.data.copy()
    viewer.layers.remove(et)
    dock.actions.undo()
    assert dock.said[-1] == "ET was removed. Restore it to undo what was done in it"
    assert dock.review.can_undo and np.array_equal(et.data, before)


def test_several_selected_rows_are_judged_wherever_the_view_is(viewer, dock):
    viewer.dims.set_point(0, viewer.dims.range[0].stop)
    dock.select([0, 1])
    dock.actions.delete()
    assert dock.voxels == [216]


@pytest.mark.parametrize("rows", [[2], [0, 1, 2]])
def test_a_lesion_that_is_not_small_is_deleted_only_if_the_user_agrees(dock, rows):
    dock.agrees = False
    dock.select(rows)
    dock.actions.delete()
    assert dock.voxels == [2, 12, 216] and not dock.review.can_undo
    dock.agrees = True
    dock.actions.delete()
    assert 216 not in dock.voxels and len(dock.asked) == 2
    assert dock.asked[1].startswith("Pat: 1 lesion of ET that is not small, 0.648 ml")


def test_small_lesions_are_deleted_without_a_question(dock):
    dock.select([0, 1])
    dock.actions.delete()
    assert dock.voxels == [216] and dock.asked == []


def test_nothing_is_deleted_if_another_patient_came_while_the_user_was_asked(viewer, dock):
    def open_another(text):
        show_regions(viewer, replace(synthetic_case(), name="Second"))
        return True

    dock.actions = replace(dock.actions, confirm=open_another)
    dock.select([2])
    before = [np.count_nonzero(x.data) for x in viewer.layers]
    dock.actions.delete()
    assert [np.count_nonzero(viewer.layers[f"{p} ET"].data) for p in ("Pat", "Second")] == [230] * 2
    assert before.count(230) == 1


@pytest.mark.parametrize("action", ["accept", "delete"])
def test_the_lesion_of_before_is_not_judged_until_it_is_listed_again(viewer, dock, action):
    patients, et = active_patient(viewer), viewer.layers["Pat ET"]
    before = et.data.copy()
    dock.select([0])
    show_regions(viewer, replace(synthetic_case(), name="Other"))
    patients.activate(patients.patients[0])
    getattr(dock.actions, action)()
    assert np.array_equal(et.data, before)
    assert dock.current is None and dock.said[-1].startswith("Select a lesion")
    patients.activate(patients.patients[1])  # before the search has ended
    patients.activate(patients.patients[0])
    dock.search()
    assert dock.current == 2
    assert not any(map(dock.review.is_accepted, dock.review.lesions))


def test_after_the_last_small_lesion_a_candidate_is_current(dock):
    candidate = replace(dock.review.lesions[0], list_name=LesionList.SECOND_LOOK)
    dock.review.set_candidates([candidate])
    dock.select([1])
    dock.actions.delete()
    assert dock.review.current is candidate


def test_after_every_small_lesion_is_accepted_a_candidate_is_current(dock):
    candidate = replace(dock.review.lesions[0], list_name=LesionList.SECOND_LOOK)
    dock.review.set_candidates([candidate])
    dock.select([0, 1])
    dock.actions.accept()
    assert dock.review.current is candidate


def test_next_passes_over_accepted_lesions_and_previous_does_not(dock):
    """Else accepting again, in the rhythm of next and accept, would take it back."""
    dock.select([0])
    dock.actions.accept()
    first, second = dock.review.small
    assert dock.review.current is second
    dock.actions.next_small()
    assert dock.review.current is second
    dock.actions.previous_small()
    assert dock.review.current is first
    dock.actions.next_small()
    dock.actions.accept()
    dock.actions.next_small()
    assert dock.review.current in (first, second)


def test_after_the_last_row_the_one_before_is_current(dock):
    dock.select([2])
    dock.actions.delete()
    assert dock.current == 12


def test_several_rows_are_deleted_and_restored_at_once(dock):
    dock.select([0, 2])
    dock.actions.delete()
    assert dock.voxels == [12] and dock.current == 12
    dock.actions.undo()
    assert dock.voxels == [2, 12, 216] and dock.current == 2
    assert dock.said[-1] == "Restored 2 lesions"
    assert not dock.review.can_undo


def test_several_rows_are_accepted_and_taken_back_at_once(dock):
    dock.select([0, 1])
    dock.actions.accept()
    assert [dock.review.is_accepted(x) for x in dock.review.lesions] == [True, True, False]
    assert dock.said[-1] == "Every small lesion is accepted"
    dock.actions.undo()
    assert not any(map(dock.review.is_accepted, dock.review.lesions))
    assert dock.said[-1] == "2 lesions no longer accepted"


def test_accepting_the_only_lesion_says_nothing_of_small_ones_if_it_is_large(dock):
    dock.select([0, 1])
    dock.actions.delete()
    dock.actions.go_to_row(0)
    dock.actions.accept()
    assert [dock.review.is_accepted(x) for x in dock.review.lesions] == [True]
    assert dock.said[-1] == "Accepted 1 lesion"


def test_rows_of_which_some_are_accepted_are_all_accepted_first(dock):
    dock.review.accept(dock.review.lesions[:1])
    dock.select([0, 1])
    dock.actions.accept()
    assert all(map(dock.review.is_accepted, dock.review.lesions[:2]))
    dock.select([0, 1])
    dock.actions.accept()
    assert not any(map(dock.review.is_accepted, dock.review.lesions))


def test_accepting_goes_on_to_the_next_that_is_not_accepted(dock):
    dock.actions.next_small()
    dock.actions.accept()
    assert dock.current == 12


@pytest.fixture
def with_specks(dock) -> Dock:
    """The lesions of 2 and 12 voxels are specks."""
    dock.review.rule = SpeckRule(40, 1.0)
    return dock


def test_specks_are_deleted_in_one_step_and_restored_in_one(with_specks):
    layer = with_specks.review.source.layers[Region.ET]
    before = layer.data.copy()
    with_specks.actions.delete_specks()
    assert with_specks.voxels == [216] and layer.data.sum() == 216
    with_specks.actions.undo()
    assert with_specks.voxels == [2, 12, 216]
    assert (layer.data == before).all()
    with_specks.actions.delete_specks()
    with_specks.actions.delete_specks()
    assert with_specks.said[-1] == "No specks"


def test_deleting_the_row_of_the_specks_deletes_them(with_specks):
    with_specks.rows = [with_specks.model.specks_row]
    with_specks.actions.delete()
    assert with_specks.voxels == [216]


def test_next_passes_folded_specks_and_stops_at_listed_ones(with_specks):
    with_specks.actions.next_small()
    assert with_specks.current is None and with_specks.said[-1] == "No small lesions in the table"
    with_specks.actions.toggle_specks()
    with_specks.actions.next_small()
    assert with_specks.current == 2


def test_folded_specks_are_not_accepted_unseen(with_specks):
    with_specks.rows = [with_specks.model.specks_row]
    with_specks.actions.accept()
    assert not any(map(with_specks.review.is_accepted, with_specks.review.lesions))
    assert with_specks.said[-1] == "List the specks (J) to accept one of them"


def test_selecting_the_row_of_the_specks_leaves_the_lesion_before(with_specks):
    with_specks.actions.go_to_row(0)
    assert with_specks.current == 216
    with_specks.actions.go_to_row(with_specks.model.specks_row)
    assert with_specks.current is None


def test_an_action_without_a_selection_says_so(dock):
    dock.actions.delete()
    dock.actions.accept()
    assert dock.said == ["Select a lesion to delete", "Select a lesion to accept"]
    dock.actions.undo()
    assert dock.voxels == [2, 12, 216]


@pytest.mark.parametrize("action", ["accept", "delete"])
def test_nothing_is_changed_in_a_mask_that_is_hidden(viewer, dock, action):
    dock.select([0])
    viewer.layers["Pat ET"].visible = False
    before = viewer.layers["Pat ET"].data.copy()
    getattr(dock.actions, action)()
    assert dock.said[-1] == "ET is hidden. Show it to edit lesions"
    assert (viewer.layers["Pat ET"].data == before).all() and not dock.review.can_undo


@pytest.mark.parametrize("action", ["accept", "delete", "delete_specks", "undo"])
def test_nothing_is_changed_while_the_earlier_scan_is_shown(viewer, with_specks, action):
    dock = with_specks
    dock.review.set_unfolded(True)
    dock.select([2])
    dock.actions.delete()
    earlier = viewer.add_image(np.zeros((4, 4, 4)), name="earlier T1CE")
    mark_as_earlier_scan(earlier, "visit 1")
    dock.select([0])
    before = viewer.layers["Pat ET"].data.copy()
    getattr(dock.actions, action)()
    assert dock.said[-1] == texts.EARLIER_SCAN
    assert dock.voxels == [12, 216] and (viewer.layers["Pat ET"].data == before).all()
    assert not any(map(dock.review.is_accepted, dock.review.lesions))
    earlier.visible = False
    dock.actions.undo()
    assert dock.voxels == [2, 12, 216]


@pytest.mark.parametrize("action", ["accept", "delete"])
def test_no_candidate_is_decided_on_while_the_earlier_scan_is_shown(viewer, dock, action):
    candidate = replace(dock.review.lesions[0], list_name=LesionList.SECOND_LOOK)
    dock.review.set_candidates([candidate])
    dock.review.go_to(candidate)
    mark_as_earlier_scan(viewer.add_image(np.zeros((4, 4, 4))), "visit 1")
    getattr(dock.actions, action)()
    assert dock.said[-1] == texts.EARLIER_SCAN
    assert dock.review.candidates == [candidate] and not dock.review.can_undo


def test_a_rejection_is_not_taken_back_in_a_mask_that_was_removed(viewer, dock):
    candidate = replace(dock.review.lesions[0], list_name=LesionList.SECOND_LOOK)
    dock.review.set_candidates([candidate])
    dock.review.reject([candidate])
    viewer.layers.remove("Pat ET")
    dock.actions.undo()
    assert dock.said[-1] == "ET was removed. Restore it to undo what was done in it"
    assert dock.review.can_undo


def test_a_deletion_is_not_taken_back_while_its_mask_is_hidden(viewer, dock):
    dock.select([0])
    dock.actions.delete()
    viewer.layers["Pat ET"].visible = False
    dock.actions.undo()
    assert dock.review.can_undo and "is hidden" in dock.said[-1]
    viewer.layers["Pat ET"].visible = True
    dock.actions.undo()
    assert dock.voxels == [2, 12, 216]
