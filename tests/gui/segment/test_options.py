"""The options of the Segment dock are the settings, wherever these are changed."""

from __future__ import annotations

from napari_smalltumor import settings
from napari_smalltumor.segment.options import SegmentOptions


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
