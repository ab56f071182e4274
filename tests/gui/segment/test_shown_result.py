"""The numbers in the Segment dock are those of the regions in the viewer, also after edits."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
from lesion_layers import classes, show_regions, synthetic_case
from napari_cases import write_case_along
from shown_layers import show_segmentation
from smalltumor.data.case import Case
from smalltumor.data.made_by import SEEN_IN_TRAINING, MadeBy
from smalltumor.data.segmentation import InferenceRun, Segmentation
from smalltumor.labels.regions import Region, TissueClass
from smalltumor.text import volume_text
from synthetic import grid_along

from napari_smalltumor import devices, settings
from napari_smalltumor.autosave.mask_files import SavedMask
from napari_smalltumor.autosave.restore import restore
from napari_smalltumor.export.save import save
from napari_smalltumor.layers.coordinates import to_display
from napari_smalltumor.layers.metadata import case_of
from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.lesions.dock import LesionsDock
from napari_smalltumor.lesions.search.snapshot import Snapshot
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.segment import shown_result
from napari_smalltumor.segment.results import run_line
from napari_smalltumor.segment.shown_result import ShownResult

VOXEL_ML = 1.0 * 1.5 * 2.0 / 1000


@pytest.fixture
def viewer(make_napari_viewer, monkeypatch):
    monkeypatch.setattr(devices, "find_devices", lambda *args: None)
    settings.put("threshold", 100)
    settings.put("speck_below_mm3", 0)
    return make_napari_viewer()


@pytest.fixture
def results(viewer, dock_of):
    """The results of a Segment dock, and a viewer with the synthetic case."""
    results = dock_of(viewer).panel.results
    assert results.text == ""
    show_regions(viewer, synthetic_case())
    return results


def ml(voxels: int) -> str:
    return f"{volume_text(voxels * VOXEL_ML)} ml"


def size(viewer, name: str) -> int:
    return int(np.count_nonzero(viewer.layers[name].data))


@pytest.mark.one_binding
def test_volumes_and_lesions_follow_the_brush_in_both_docks(viewer, results, qtbot):
    lesions = LesionsDock(viewer)
    viewer.window.add_dock_widget(lesions, area="right", name="Lesions")
    qtbot.waitUntil(lambda: "3 enhancing components, 2 small" in results.text)
    layer = viewer.layers["Pat ET"]
    layer.brush_size = 9
    layer.paint((2, 3, 4), 1)
    after = size(viewer, "Pat ET")
    assert after > 230
    qtbot.waitUntil(lambda: ml(after) in results.text)
    qtbot.waitUntil(lambda: ml(after) in lesions._summary_line.text())
    assert ml(size(viewer, "Pat WT")) in results.text
    layer.undo()
    qtbot.waitUntil(lambda: ml(230) in results.text)


@pytest.mark.one_binding
def test_a_removed_region_has_no_volume_and_no_regions_no_result(viewer, results, qtbot):
    qtbot.waitUntil(lambda: ml(230) in results.text)
    viewer.layers.remove("Pat ET")
    qtbot.waitUntil(lambda: "no layer" in results.text)
    assert "component" not in results.text
    viewer.layers.clear()
    qtbot.waitUntil(lambda: results.text == "")


@pytest.mark.one_binding
def test_a_dock_that_is_opened_later_shows_the_run_and_that_it_was_edited(viewer, dock_of, qtbot):
    run = InferenceRun(1.25, "cpu", "torch", "net", ("slower than requested",))
    case = synthetic_case()
    segmentation = Segmentation(case.name, classes(), case.grid, run=run)
    layers = show_segmentation(viewer, case, segmentation)
    results = dock_of(viewer).panel.results
    assert results.text.startswith("Pat\n") and ml(230) in results.text
    assert (
        "Segmented with the weights net in 1.2 s on the processor. Research only." in results.text
    )
    assert "slower than requested" in results.text
    layers[Region.ET].paint((2, 3, 4), 1)
    qtbot.waitUntil(lambda: "on the processor and edited since" in results.text)


def test_restored_masks_are_counted(viewer, results, qtbot):
    case = synthetic_case()
    mask = np.ones((2, 3, 4), np.uint8)
    masks = [SavedMask(r.name, mask, (1, 1, 1), r) for r in Region]
    restore(viewer, case, masks)
    qtbot.waitUntil(lambda: ml(24) in results.text)
    qtbot.waitUntil(lambda: "1 enhancing component, 1 small" in results.text)


@pytest.mark.parametrize(
    ("maker", "expected"),
    [
        (
            MadeBy("SEMIAUTOMATIC", "net", missing=("t2",)),
            "Segmented earlier with the weights net and edited since. Research only.\n",
        ),
        (MadeBy("AUTOMATIC", "net"), "Segmented earlier with the weights net. Research only.\n"),
        (MadeBy("MANUAL"), "Drawn by hand."),
        (None, ""),
    ],
)
def test_what_made_restored_masks_is_shown(viewer, results, qtbot, maker, expected):
    mask = np.ones((2, 3, 4), np.uint8)
    masks = [SavedMask(r.name, mask, (1, 1, 1), r, made_by=maker) for r in Region]
    restore(viewer, synthetic_case(), masks)
    qtbot.waitUntil(lambda: ml(24) in results.text)
    assert expected in results.text
    assert ("probabilities were not kept" in results.text) == ("Segmented" in expected)
    lacks = maker is not None and bool(maker.missing)
    assert ("⚠ The mask was segmented without T2" in results.text) == lacks


def test_a_dock_in_which_all_texts_fit_is_not_scrolled(viewer, dock_of, qtbot):
    dock = dock_of(viewer)
    maker = MadeBy("SEMIAUTOMATIC", "net", missing=("t2",))
    mask = np.ones((2, 3, 4), np.uint8)
    restore(
        viewer,
        synthetic_case(),
        [SavedMask(r.name, mask, (1, 1, 1), r, made_by=maker) for r in Region],
    )
    qtbot.waitUntil(lambda: "probabilities were not kept" in dock.panel.results.text)
    dock.setParent(None)
    dock.resize(360, dock.panel.heightForWidth(360) + 40)
    dock.show()
    qtbot.waitUntil(lambda: dock.verticalScrollBar().maximum() == 0)
    dock.resize(360, 200)
    qtbot.waitUntil(lambda: dock.verticalScrollBar().maximum() > 0)
    dock.close()


def test_masks_that_were_opened_name_their_file(viewer, results, qtbot, tmp_path):
    folder = write_case_along(tmp_path / "Two", labels=False)
    case = case_of(open_case(viewer, folder)[0])
    show_segmentation(
        viewer, case, Segmentation("Two", np.ones(case.grid.shape, np.uint8), case.grid)
    )
    (path,) = save(viewer, None)
    viewer.layers.clear()
    open_case(viewer, folder)
    written = datetime.fromtimestamp(path.stat().st_mtime)
    said = f"Opened from Two_smalltumor.nii.gz, written on {written:%Y-%m-%d %H:%M}."
    qtbot.waitUntil(lambda: said in results.text)


@pytest.mark.one_binding
def test_the_numbers_are_those_of_the_case_that_export_would_write(viewer, results, qtbot):
    show_regions(viewer, replace(synthetic_case(), name="Next"))
    qtbot.waitUntil(lambda: results.text.startswith("Next\n"))
    active_patient(viewer).activate(patient_of(viewer.layers["Pat ET"]))
    assert results.text == ""
    qtbot.waitUntil(lambda: results.text.startswith("Pat\n"))


@pytest.mark.one_binding
def test_a_count_is_not_shown_for_long_beside_volumes_of_newer_regions(
    viewer, results, qtbot, monkeypatch
):
    qtbot.waitUntil(lambda: "3 enhancing components" in results.text)
    proceed = threading.Event()
    count = Snapshot.lesions

    def wait_and_count(*arguments, **options):
        proceed.wait()
        return count(*arguments, **options)

    monkeypatch.setattr(Snapshot, "lesions", wait_and_count)
    try:
        viewer.layers["Pat ET"].data = np.zeros_like(viewer.layers["Pat ET"].data)
        qtbot.waitUntil(lambda: "Counting the enhancing components ..." in results.text)
        assert "3 enhancing" not in results.text and ml(0) in results.text
    finally:
        proceed.set()
    qtbot.waitUntil(lambda: "No enhancing component" in results.text)
    qtbot.wait(2 * shown_result._STALE_MS)
    assert "Counting" not in results.text


def test_both_docks_count_specks_apart_from_small_lesions(viewer, results, qtbot):
    settings.put("speck_below_mm3", 20)
    lesions = LesionsDock(viewer)
    viewer.window.add_dock_widget(lesions, area="right", name="Lesions")
    qtbot.waitUntil(lambda: "3 enhancing components, 1 small, 1 speck" in results.text)
    qtbot.waitUntil(lambda: "3 components, 1 small ○, 1 speck" in lesions._summary_line.text())
    lesions.review.accept(lesions.review.specks)
    qtbot.waitUntil(lambda: "3 enhancing components, 2 small" in results.text)
    assert "speck" not in results.text
    assert "3 components, 2 small ○, 1 accepted ✓, " in lesions._summary_line.text()


@pytest.mark.one_binding
def test_mirrored_regions_are_said_until_they_are_painted_elsewhere(viewer, dock_of, qtbot):
    results = dock_of(viewer).panel.results
    shape = (60, 60, 60)
    where = np.linalg.norm(np.indices(shape).T - np.array([18, 30, 30]), axis=-1).T
    tumour = (where < 10).astype(np.uint8) * TissueClass.ED
    flair = 100 + np.random.default_rng(0).integers(0, 40, shape) + 100 * (tumour > 0)
    case = Case("Pat", {"flair": flair.astype(np.int16)}, grid_along("LPS", shape))
    show_segmentation(viewer, case, Segmentation("Pat", tumour[::-1].copy(), case.grid))
    qtbot.waitUntil(lambda: "seems to be mirrored left to right" in results.text)
    assert "⚠ The mask seems" in results.text
    shown = results.findChild(ShownResult)
    shown.close()
    shown.open()
    assert "mirrored" not in results.text  # it may be of another patient
    qtbot.waitUntil(lambda: "⚠ The mask seems" in results.text)
    mask = to_display(tumour > 0, case.grid)
    viewer.layers["Pat WT"].data = mask.astype(np.uint8)
    qtbot.waitUntil(lambda: "mirrored" not in results.text)


def test_it_is_said_quietly_that_the_network_has_seen_the_patient():
    run = InferenceRun(1.0, "cpu", "torch", "net", seen_in_training=True)
    line = run_line(run, edited=False).splitlines()[-1]
    assert line == f"The{SEEN_IN_TRAINING.removeprefix('the')}."
    assert "trained on" not in run_line(replace(run, seen_in_training=False), edited=False)
