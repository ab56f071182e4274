"""The Lesions dock judges the candidates that a cohort's run has stored, by the same keys."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from lesion_layers import save_table
from planes_in_window import open_planes, press
from second_look_cases import Spot, ball, case_with, output_for
from shown_layers import show_segmentation
from smalltumor.cohort.results.results_folder import ResultsFolder
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.regions import Region
from stored_results import write_results

from napari_smalltumor import keys, notify, questions, settings
from napari_smalltumor.closing.close_patient import close_patient
from napari_smalltumor.lesions import texts
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.widgets.docks.open_dock import open_dock

FOUND, FAINT = Spot((24, 42, 28), 4, 500, logit=8), Spot((20, 30, 22), 2, 500, logit=4.2)
OF_ANN, OF_BOB = Spot((42, 30, 32), 4, 500, logit=3.2), Spot((42, 30, 20), 4, 500, logit=3.2)


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    spots = {"ann": (FOUND, OF_ANN), "bob": (FOUND, OF_BOB)}
    return write_results(tmp_path_factory.mktemp("cohort"), spots)


@pytest.fixture
def output(written, tmp_path) -> Path:
    settings.put("speck_below_mm3", 0)
    return Path(shutil.copytree(written, tmp_path / "out"))


class Docks:
    """The docks Worklist and Lesions in a window, with a worklist of two cases."""

    def __init__(self, viewer, qtbot, output):
        self.viewer, self.qtbot, self.output = viewer, qtbot, output
        self.window = open_planes(viewer)
        self.lesions = open_dock(viewer, "Lesions")
        self.worklist = open_dock(viewer, "Worklist")
        self.worklist.open_results(output)
        qtbot.waitUntil(lambda: self.worklist.worklist is not None)

    @property
    def review(self):
        return self.lesions.review

    def open(self, name):
        names = [entry.name for entry in self.worklist.worklist.entries]
        self.worklist.table.activated.emit(self.worklist.model.index(names.index(name), 1))
        self.wait()
        assert active_patient(self.viewer).title == name

    def wait(self):
        """Until both lists are found."""
        finders = self.lesions.finder, self.lesions.candidate_finder
        self.qtbot.waitUntil(lambda: not any(finder.busy for finder in finders))

    def press(self, key):
        press(self.window, key)

    def sizes(self):
        layers = self.review.source.layers
        return [np.count_nonzero(layers[region].data) for region in Region]

    def are_at(self, spot):
        """Whether a candidate is at a spot."""
        inside = ball(spot.centre, spot.radius)
        return any(inside[tuple(x.indices.T)].any() for x in self.review.candidates)

    def click(self, spot):
        source = self.review.source
        place = source.any_layer.data_to_world(source.to_data(spot.centre))
        self.lesions.clicks.on_click(tuple(place), False)


@pytest.fixture
def docks(make_napari_viewer, qtbot, output):
    return Docks(make_napari_viewer(), qtbot, output)


@pytest.mark.slow
def test_stored_candidates_are_stepped_through_added_rejected_and_taken_back_by_keys(
    docks, tmp_path, monkeypatch
):
    docks.open("ann")
    before, candidates = docks.sizes(), list(docks.review.candidates)
    assert docks.are_at(OF_ANN) and not docks.are_at(OF_BOB)
    assert docks.lesions.candidates_title.text() == f"Second look: {len(candidates)} candidate" + (
        "s" if len(candidates) > 1 else ""
    )
    docks.press(keys.NEXT_LISTED)
    assert docks.worklist.message.text().startswith("Candidate")
    assert docks.review.current is candidates[0]
    docks.review.leave()
    docks.press(keys.NEXT)
    docks.press(keys.NEXT)
    assert docks.review.current is candidates[0]
    docks.press(keys.ACCEPT)
    added = [after - n for after, n in zip(docks.sizes(), before, strict=True)]
    assert added == [candidates[0].voxels] * 3
    docks.press(keys.UNDO)
    assert docks.sizes() == before and docks.review.candidates[0] is candidates[0]
    docks.press(keys.DELETE)
    assert candidates[0] not in docks.review.candidates and docks.sizes() == before
    docks.wait()
    save_table(docks.lesions, tmp_path / "lesions.csv", monkeypatch)
    with (tmp_path / "lesions.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["accepted"] == "false"]
    (row,) = [row for row in rows if row["list"] == "second_look"]
    assert float(row["score"]) == pytest.approx(candidates[0].score, abs=1e-6)
    assert row["decided_by"] and row["decided_at"]


@pytest.mark.slow
def test_decisions_and_a_reviewed_mask_hold_when_the_case_is_opened_again(docks, monkeypatch):
    monkeypatch.setattr(questions, "confirm", lambda *words: True)  # not all places are visited
    settings.put("reader", "Anna")
    docks.worklist.reader_field.setText("Anna")
    docks.open("ann")
    offered = len(docks.review.candidates)
    docks.review.go_to(docks.review.candidates[0])
    docks.press(keys.ACCEPT)
    docks.wait()
    after = docks.sizes()
    docks.press(keys.REVIEWED)
    assert docks.worklist.message.text().startswith("Saved ann, edited")
    docks.open("bob")
    rejected = docks.review.candidates[0]
    docks.review.reject([rejected])
    docks.open("ann")
    assert docks.sizes() == after and not docks.are_at(OF_ANN)
    assert len(docks.review.candidates) == offered - 1
    docks.open("bob")
    places = [x.centroid_ras_mm for x in docks.review.candidates]
    assert rejected.centroid_ras_mm not in places


@pytest.mark.slow
def test_with_two_patients_open_each_has_its_own_candidates(docks):
    docks.open("ann")
    ann, of_ann = active_patient(docks.viewer).current, len(docks.review.candidates)
    open_case(docks.viewer, docks.worklist.worklist.info.data / "bob")
    docks.wait()
    assert active_patient(docks.viewer).title == "bob" and docks.review.candidates == []
    assert docks.lesions.candidates_title.text() == ""
    active_patient(docks.viewer).activate(ann)
    docks.wait()
    assert len(docks.review.candidates) == of_ann and docks.are_at(OF_ANN)
    docks.review.go_to(docks.review.candidates[0])
    close_patient(docks.viewer, ann)
    docks.wait()
    assert docks.review.candidates == [] and docks.review.current is None


def test_a_result_of_the_network_takes_the_place_of_what_was_stored(docks):
    docks.open("ann")
    stored = list(docks.review.candidates)
    case = docks.review.source.case
    elsewhere = Spot(OF_BOB.centre, 4, 500, logit=3.2)
    result = Segmentation.from_probabilities(case, output_for(case_with(), FOUND, elsewhere))
    show_segmentation(docks.viewer, case, result)
    docks.qtbot.waitUntil(
        lambda: (
            docks.lesions.candidate_finder._origin.key is result
            and not docks.lesions.candidate_finder.busy
        )
    )
    assert docks.review.candidates and not set(docks.review.candidates) & set(stored)
    assert all(x.mean_probability is not None for x in docks.review.candidates)


def test_a_click_adds_a_spot_that_was_not_stored(docks):
    docks.open("ann")
    before = docks.sizes()
    docks.review.reject(list(docks.review.candidates))
    docks.click(OF_ANN)
    added = [after - n for after, n in zip(docks.sizes(), before, strict=True)]
    assert added == [pytest.approx(257, rel=0.4)] * 3 and len(set(added)) == 1
    assert docks.lesions.message.startswith("Added")
    docks.press(keys.UNDO)
    assert docks.sizes() == before
    docks.click(FOUND)
    assert docks.lesions.message == texts.IN_MASK


@pytest.mark.one_binding
def test_a_candidate_that_a_stroke_has_reached_is_offered_no_more(docks):
    docks.open("ann")
    candidate = docks.review.candidates[0]
    layer = docks.review.source.layers[Region.ET]
    voxel = docks.review.source.to_data(candidate.indices[:1]).astype(int)
    layer.data_setitem(tuple(np.array([n]) for n in voxel[0]), 1)
    docks.qtbot.waitUntil(lambda: candidate not in docks.review.candidates)


@pytest.mark.slow
@pytest.mark.one_binding
def test_the_dock_says_why_there_are_no_candidates_and_a_click_adds_all_the_same(
    docks, monkeypatch
):
    warned = []
    monkeypatch.setattr(notify, "warn", warned.append)
    files = ResultsFolder(docks.output)
    files.candidates("bob").write_bytes(files.candidates("ann").read_bytes())
    files.candidates("ann").unlink()
    title = docks.lesions.candidates_title
    docks.open("ann")
    not_stored = "Candidates were not stored. Alt+G segments again and replaces the mask."
    assert title.text() == not_stored and not warned
    assert "ann_candidates.nii.gz is missing. Alt+G segments the case again" in title.toolTip()
    docks.open("bob")
    expected = (
        "The candidate files are damaged or do not match this mask. Alt+G segments again and "
        "replaces it."
    )
    assert title.text() == expected and len(warned) == 1
    assert docks.review.candidates == []
    before = docks.sizes()
    docks.click(OF_BOB)
    assert docks.sizes()[0] > before[0]


@pytest.mark.one_binding
def test_specks_of_a_stored_mask_are_folded_by_the_probabilities_of_its_table(
    make_napari_viewer, qtbot, tmp_path
):
    settings.put("speck_below_mm3", 2000)
    settings.put("speck_probability", 0.8)
    output = write_results(tmp_path, {"ann": (FOUND, FAINT)})
    docks = Docks(make_napari_viewer(), qtbot, output)
    docks.open("ann")
    means = [x.mean_probability for x in docks.review.lesions]
    assert len(means) == 2 and means[0] < 0.8 < means[1]
    assert docks.review.specks == docks.review.lesions[:1]
