"""A case without T1, T2 or FLAIR in the Segment dock."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from napari_smalltumor import devices, settings
from napari_smalltumor.layers.metadata import region_of
from napari_smalltumor.loading.open_case import open_case


@pytest.fixture
def folder(tmp_path, synthetic_case) -> Path:
    """Folder of a case without FLAIR."""
    folder = shutil.copytree(synthetic_case, tmp_path / "case")
    (folder / "case_flair.nii.gz").rename(tmp_path / "case_flair.nii.gz")
    return folder


@pytest.fixture
def empty(make_napari_viewer, dock_of, monkeypatch):
    """A viewer without layers, and its Segment dock."""
    monkeypatch.setattr(devices, "find_devices", lambda *args: None)
    viewer = make_napari_viewer()
    return viewer, dock_of(viewer)


def regions(viewer) -> list:
    return [layer for layer in viewer.layers if region_of(layer) is not None]


@pytest.mark.slow
def test_a_folder_of_three_images_is_segmented_and_the_dock_says_what_is_missing(
    empty, folder, dropout_weights, run
):
    viewer, dock = empty
    open_case(viewer, folder)
    panel = dock.panel
    assert panel.pickers._combos["flair"].current_choice == "none (missing)"
    assert not panel._segment.isEnabled()
    assert panel._segment.toolTip() == "Choose a layer for FLAIR"
    assert panel.choice_warning == "⚠ No image for FLAIR; the chosen weights need all four"
    settings.put("weights", str(dropout_weights))
    assert panel._segment.isEnabled()
    assert panel.choice_warning.startswith("⚠ FLAIR is missing; the result is less reliable")
    assert run(dock)
    assert len(regions(viewer)) == 3
    assert "⚠ Segmented without FLAIR; less reliable" in panel.results.text


def test_every_sequence_without_a_layer_is_shown_in_the_same_words(empty):
    combos = empty[1].panel.pickers._combos.values()
    assert {combo.current_choice for combo in combos} == {"none (missing)"}


@pytest.mark.one_binding
def test_without_t1ce_nothing_is_segmented(empty, folder, dropout_weights):
    viewer, dock = empty
    settings.put("weights", str(dropout_weights))
    open_case(viewer, folder)
    viewer.layers.remove("case T1CE")
    assert dock.panel.pickers._combos["t1ce"].current_choice == "none (missing)"
    assert not dock.panel._segment.isEnabled()
    assert dock.panel._segment.toolTip() == "Choose a layer for T1CE"


@pytest.mark.slow
def test_an_image_that_is_set_to_none_stays_so_and_the_regions_are_replaced(
    opened, dropout_weights, run
):
    viewer, dock = opened
    settings.put("weights", str(dropout_weights))
    assert run(dock)
    before = regions(viewer)
    dock.panel.pickers.choose("flair", None)
    assert run(dock)
    assert dock.panel.pickers.chosen["flair"] is None
    assert regions(viewer) == before
    assert "Segmented without FLAIR" in dock.panel.results.text
    dock.panel.pickers.choose("t1", None)
    dock.panel.pickers.choose("t1", viewer.layers["case T1"])
    assert dock.panel.pickers.chosen["flair"] is None


@pytest.mark.one_binding
def test_a_missing_image_that_is_opened_is_chosen(empty, folder, dropout_weights):
    viewer, dock = empty
    settings.put("weights", str(dropout_weights))
    open_case(viewer, folder)
    dock.panel.pickers.choose("flair", None)
    (added,) = viewer.open(str(folder.parent / "case_flair.nii.gz"), plugin="napari-smalltumor")
    assert dock.panel.pickers.chosen["flair"] is added
    assert dock.panel.choice_warning == ""


@pytest.mark.slow
def test_masks_are_replaced_when_a_missing_image_is_added(empty, folder, dropout_weights, run):
    viewer, dock = empty
    settings.put("weights", str(dropout_weights))
    open_case(viewer, folder)
    assert run(dock)
    before = regions(viewer)
    added = shutil.copy(folder.parent / "case_flair.nii.gz", folder)
    viewer.open(str(added), plugin="napari-smalltumor")
    assert dock.panel.pickers.chosen["flair"] is viewer.layers["case FLAIR"]
    assert run(dock)
    assert regions(viewer) == before
    assert "without FLAIR" not in dock.panel.results.text


@pytest.mark.one_binding
def test_a_modality_without_a_layer_or_with_another_one_is_marked(empty, folder):
    viewer, dock = empty
    pickers = dock.panel.pickers

    def marked() -> list[str]:
        return [m for m, title in pickers._titles.items() if title.text().startswith("⚠")]

    assert marked() == []  # nothing is open
    open_case(viewer, folder)
    assert marked() == ["flair"]
    pickers.choose("t1", viewer.layers["case T2"])
    assert marked() == ["t1", "flair"]
