"""Keys that judge a lesion act on none that was not drawn yet."""

from __future__ import annotations

import pytest
from lesion_layers import show_regions, synthetic_case
from qtpy.QtCore import Qt, QTimer

from napari_smalltumor import settings
from napari_smalltumor.lesions.dock import LesionsDock
from napari_smalltumor.main_window.planes_window import planes_window


@pytest.mark.parametrize("key", [Qt.Key.Key_W, Qt.Key.Key_K])
def test_a_second_press_judges_no_lesion_that_follows_the_first(make_napari_viewer, qtbot, key):
    settings.put("threshold", 100)
    settings.put("speck_below_mm3", 0)
    viewer = make_napari_viewer()
    show_regions(viewer, synthetic_case())
    dock = LesionsDock(viewer)
    viewer.window.add_dock_widget(dock, area="right", name="Lesions")
    window = planes_window(viewer).main_window
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    qtbot.waitUntil(lambda: len(dock.review.lesions) == 3)
    dock.review_actions.next_small()
    first, second = dock.review.small
    pressed: list[Qt.Key] = []

    def press_twice() -> None:
        for _ in range(2):
            qtbot.keyClick(dock.table, key)
            pressed.append(key)

    QTimer.singleShot(0, press_twice)  # in the event loop, as in use
    qtbot.waitUntil(lambda: len(pressed) == 2 and not dock.finder.busy)
    left = [x.voxels for x in dock.review.lesions if not dock.review.is_accepted(x)]
    assert first.voxels not in left
    assert second.voxels in left
    assert dock.review.current.voxels == second.voxels
    qtbot.keyClick(dock.table, key)
    qtbot.waitUntil(lambda: not dock.finder.busy)
    left = [x.voxels for x in dock.review.lesions if not dock.review.is_accepted(x)]
    assert second.voxels not in left
