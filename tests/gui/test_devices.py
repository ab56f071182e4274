"""The devices in the dock are those of this machine, by name, and arrive without waiting."""

import os

from napari_smalltumor import devices, settings
from napari_smalltumor.segment.options import SegmentOptions


def test_the_processor_is_always_offered(qtbot):
    found: list = []
    devices.find_devices(found.extend)
    qtbot.waitUntil(lambda: bool(found))
    assert found[0] == ("auto", "auto")
    assert found[-1] == (f"CPU, {os.cpu_count()} cores (cpu)", "cpu")


def test_a_chosen_card_that_is_not_here_stays_chosen_and_says_so(qtbot):
    settings.put("device", "cuda:3")
    options = SegmentOptions()
    qtbot.addWidget(options)
    assert options.device == "cuda:3"
    assert options._device.current_choice == "cuda:3 (not found)"
    options.set_devices([("auto", "auto"), ("Some GPU (cuda:3)", "cuda:3")])
    assert options._device.current_choice == "Some GPU (cuda:3)"
    options._device.value = "auto"
    assert settings.get("device") == "auto"
