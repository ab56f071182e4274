"""The options of the Segment dock are the settings, wherever these are changed."""

from __future__ import annotations

from qtpy.QtWidgets import QToolButton
from synthetic import write_weights

from napari_smalltumor import settings
from napari_smalltumor.segment.options import SegmentOptions
from napari_smalltumor.segment.panel import SegmentPanel


def test_a_setting_that_is_changed_elsewhere_is_shown(qtbot):
    options = SegmentOptions()
    qtbot.addWidget(options)
    settings.put("style", "filled")
    settings.put("flips", True)
    settings.put("device", "cuda:7")
    assert options.region_style.value == "filled"
    assert options.flips
    assert options.device == "cuda:7"
    settings.put("device", "auto")
    assert options.device == "auto"
    assert [title for title, _ in options._devices] == ["auto"]


def test_the_title_of_the_folded_options_names_what_is_in_use(make_napari_viewer, qtbot):
    panel = SegmentPanel(make_napari_viewer())
    qtbot.addWidget(panel)
    section = panel.options_section
    assert (
        not panel.options.isVisibleTo(panel)
        and section.title == "Options: weights shipped (starter)"
    )
    settings.put("flips", True)
    settings.put("device", "cuda:7")
    assert section.title == "Options: weights shipped (starter), cuda:7 (not found), 8 flips"
    section.findChild(QToolButton).click()
    assert panel.options.isVisibleTo(panel)


def test_weights_that_are_not_the_shipped_ones_are_named_above_the_button(
    make_napari_viewer, qtbot, tmp_path
):
    best = tmp_path / "run" / "best.safetensors"
    best.parent.mkdir()
    write_weights(best)
    settings.put("weights", str(best))  # as in an earlier session
    panel = SegmentPanel(make_napari_viewer())
    qtbot.addWidget(panel)
    assert panel.weights_note == "Weights: run (best), not the shipped ones"
    panel.options.choose_weights("")
    assert panel.weights_note == ""


def titles(options: SegmentOptions) -> list[str]:
    native = options._weights.native
    return [native.itemText(number) for number in range(native.count())]


def test_weights_that_were_in_use_stay_in_the_list_when_the_shipped_ones_are_chosen(
    qtbot, tmp_path
):
    best = tmp_path / "2026-01-02_1200" / "best.safetensors"
    best.parent.mkdir()
    write_weights(best)
    options = SegmentOptions()
    qtbot.addWidget(options)
    options.choose_weights(str(best))
    listed = ["shipped (starter)", "2026-01-02_1200 (best)", "file..."]
    assert titles(options) == listed
    options.choose_weights("")
    assert titles(options) == listed and options.weights_path is None
    later = SegmentOptions()  # as in the next session
    qtbot.addWidget(later)
    assert titles(later) == listed
    best.unlink()
    later.choose_weights("")
    assert titles(later) == ["shipped (starter)", "file..."]


def test_weights_in_use_that_no_longer_exist_are_named_so(qtbot, tmp_path):
    options = SegmentOptions()
    qtbot.addWidget(options)
    settings.put("weights", str(tmp_path / "mine.safetensors"))
    assert options.summary == "weights mine (not found)"
