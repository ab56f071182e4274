"""The options of the Segment dock are the settings, wherever these are changed."""

from __future__ import annotations

from qtpy.QtWidgets import QToolButton

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
