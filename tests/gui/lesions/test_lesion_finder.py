"""The search for lesions in a worker: failures, changes during a search, and memory."""

from __future__ import annotations

import gc
import threading

import numpy as np
import pytest
from event_loop import let_workers_end
from lesion_layers import show_regions, synthetic_case
from napari.components import ViewerModel
from qtpy.QtCore import QPoint
from qtpy.QtWidgets import QMenu
from smalltumor.labels.regions import Region

from napari_smalltumor.layers.editing.nesting import NestedRegions
from napari_smalltumor.layers.editing.painted_masks import PaintedMasks
from napari_smalltumor.lesions.search import snapshot as snapshot_module
from napari_smalltumor.lesions.search.finder import LesionFinder
from napari_smalltumor.lesions.search.snapshot import Snapshot
from napari_smalltumor.lesions.search.viewer_segmentation import lesion_sources


class Search:
    """The real search, which waits until the test lets it proceed and can fail."""

    def __init__(self) -> None:
        self.started, self.proceed = threading.Event(), threading.Event()
        self.proceed.set()
        self.failures = 0
        self.calls = 0
        self._measure = snapshot_module.measure_lesions

    def __call__(self, *args, **options):
        self.calls += 1
        self.started.set()
        assert self.proceed.wait(60)
        if self.failures:
            self.failures -= 1
            raise MemoryError("out of memory")
        return self._measure(*args, **options)


@pytest.fixture
def search(monkeypatch):
    search = Search()
    monkeypatch.setattr(snapshot_module, "measure_lesions", search)
    yield search
    search.proceed.set()


@pytest.fixture
def source():
    viewer = ViewerModel()
    show_regions(viewer, synthetic_case())
    (source,) = lesion_sources(viewer.layers)
    return source


@pytest.fixture
def finder(qtbot):
    finder = LesionFinder()
    finder.results, finder.messages = [], []
    finder.found.connect(lambda lesions: finder.results.append([x.voxels for x in lesions]))
    finder.failed.connect(finder.messages.append)
    yield finder
    finder.stop()


def erase(source, size):
    """Erase the enhancing lesion of that many voxels, as the eraser does."""
    lesion = next(x for x in source.snapshot(Region.ET).lesions(99) if x.voxels == size)
    layer = source.layers[Region.ET]
    layer.data[source.box_in_data(lesion)] = 0
    layer.refresh()


def test_a_failed_search_is_repeated_for_the_same_mask(finder, source, search, qtbot, raised):
    search.failures = 1
    finder.set_target(source, Region.ET, 100)
    qtbot.waitUntil(lambda: bool(finder.messages))
    finder.search()
    qtbot.waitUntil(lambda: bool(finder.results))
    assert finder.results == [[2, 12, 216]]
    assert finder.messages == ["out of memory"]
    assert raised == []


def test_a_failed_search_is_reported_once(finder, source, search, qtbot, raised, monkeypatch):
    from napari.utils.notifications import notification_manager

    shown = []
    monkeypatch.setattr(notification_manager, "dispatch", shown.append)
    search.failures = 1
    finder.set_target(source, Region.ET, 100)
    qtbot.waitUntil(lambda: bool(finder.messages))
    let_workers_end(qtbot)
    assert (finder.messages, raised, shown) == (["out of memory"], [], [])


def test_the_lesions_of_a_mask_that_changed_during_the_search_are_not_shown(
    finder, source, search, qtbot
):
    search.proceed.clear()
    finder.set_target(source, Region.ET, 100)
    qtbot.waitUntil(search.started.is_set)
    source.layers[Region.ET].data_setitem(tuple(np.array([n]) for n in (0, 0, 0)), 1)
    search.proceed.set()
    qtbot.waitUntil(lambda: not finder.busy)
    assert finder.results == [[1, 2, 12, 216]]


def test_a_search_is_not_discarded_when_the_layer_was_only_redrawn(finder, source, search, qtbot):
    search.proceed.clear()
    finder.set_target(source, Region.ET, 100)
    qtbot.waitUntil(search.started.is_set)
    source.layers[Region.ET].refresh()
    search.proceed.set()
    qtbot.waitUntil(lambda: not finder.busy)
    assert finder.results == [[2, 12, 216]]
    assert search.calls == 1


def test_the_lesions_of_a_hidden_region_follow_the_brush_on_a_region_inside_it(
    finder, source, qtbot
):
    """napari emits nothing for a hidden layer, which its inner regions change nevertheless."""
    nesting = NestedRegions(source.layers, PaintedMasks())
    source.layers[Region.TC].visible = False
    finder.set_target(source, Region.TC, 100)
    qtbot.waitUntil(lambda: not finder.busy)
    source.layers[Region.ET].data_setitem(tuple(np.array([n]) for n in (0, 0, 0)), 1)
    qtbot.waitUntil(lambda: len(finder.results) > 1)
    assert finder.results[-1] == sorted([1, *finder.results[0]])
    nesting.disconnect()


def test_lesions_are_shown_when_no_menu_is_open(finder, source, search, qtbot):
    menu = QMenu()
    menu.addAction("Duplicate Layer")
    menu.popup(QPoint(0, 0))
    finder.set_target(source, Region.ET, 100)
    qtbot.waitUntil(search.started.is_set)
    let_workers_end(qtbot)
    assert finder.busy and finder.results == []
    menu.close()
    qtbot.waitUntil(lambda: not finder.busy)
    assert finder.results == [[2, 12, 216]]


def test_the_lesions_of_another_region_are_not_shown(finder, source, search, qtbot):
    search.proceed.clear()
    finder.set_target(source, Region.WT, 100)
    qtbot.waitUntil(search.started.is_set)
    finder.set_target(source, Region.ET, 100)
    search.proceed.set()
    qtbot.waitUntil(lambda: not finder.busy and bool(finder.results))
    let_workers_end(qtbot)
    assert finder.results == [[2, 12, 216]]


def test_a_search_that_ends_after_the_finder_was_stopped_is_discarded(
    finder, source, search, qtbot, raised
):
    search.proceed.clear()
    finder.set_target(source, Region.ET, 100)
    qtbot.waitUntil(search.started.is_set)
    finder.stop()
    search.proceed.set()
    let_workers_end(qtbot)
    assert (finder.results, finder.messages, raised) == ([], [], [])


def test_an_edit_is_searched_and_a_redrawn_mask_is_not(finder, source, search, qtbot):
    finder.set_target(source, Region.ET, 100)
    qtbot.waitUntil(lambda: not finder.busy)
    source.layers[Region.ET].refresh()
    qtbot.waitUntil(lambda: not finder.busy)
    assert search.calls == 1
    erase(source, 2)
    qtbot.waitUntil(lambda: not finder.busy)
    assert finder.results == [[2, 12, 216], [12, 216]]


def test_a_search_that_is_asked_for_reports_a_mask_that_is_the_same_again(
    finder, source, search, qtbot
):
    """A lesion was deleted and restored, both before the search that the deletion started ended."""
    finder.set_target(source, Region.ET, 100)
    qtbot.waitUntil(lambda: not finder.busy)
    before = source.layers[Region.ET].data.copy()
    erase(source, 2)
    search.proceed.clear()
    finder.search()
    source.layers[Region.ET].data[:] = before
    finder.search()
    search.proceed.set()
    qtbot.waitUntil(lambda: not finder.busy)
    assert finder.results == [[2, 12, 216]] * 2


@pytest.mark.one_binding
def test_copies_of_the_mask_are_released(finder, make_napari_viewer, qtbot):
    viewer = make_napari_viewer()
    show_regions(viewer, synthetic_case())
    (source,) = lesion_sources(viewer.layers)
    finder.set_target(source, Region.ET, 100)
    for size in (2, 12, 216):
        qtbot.waitUntil(lambda: not finder.busy)
        erase(source, size)
    qtbot.waitUntil(lambda: not finder.busy)
    gc.collect()
    copies = [x for x in gc.get_objects() if isinstance(x, Snapshot)]
    assert len(copies) <= 1  # the one that the next search is compared with
