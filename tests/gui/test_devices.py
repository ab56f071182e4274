"""The device boxes list the devices of this computer, found in a thread."""

import os
import threading

import pytest
from deletion import delete
from event_loop import let_turns_pass
from qtpy.QtCore import QObject

from napari_smalltumor import devices, settings
from napari_smalltumor.finetune.dock import FinetuneDock
from napari_smalltumor.segment.dock import SegmentDock
from napari_smalltumor.segment.options import SegmentOptions


def test_auto_is_the_first_device_and_the_cpu_the_last(qtbot):
    found: list = []
    parent = QObject()
    devices.find_devices(parent, found.extend)
    qtbot.waitUntil(lambda: bool(found))
    assert found[0] == ("auto", "auto")
    assert found[-1] == (f"CPU, {os.cpu_count()} cores (cpu)", "cpu")


@pytest.fixture
def slow_search(monkeypatch):
    """A device search that waits for this event."""
    may_end = threading.Event()

    def search():
        assert may_end.wait(60)
        return [("auto", "auto"), ("Some GPU (cuda:0)", "cuda:0")]

    monkeypatch.setattr(devices, "_devices", search)
    monkeypatch.setattr(devices, "_memory", lambda: dict.fromkeys(dict(search()).values(), 1))
    yield may_end
    may_end.set()


@pytest.mark.parametrize("find", [devices.find_devices, devices.find_memory])
def test_a_search_that_ends_after_its_parent_was_deleted_delivers_nothing(qtbot, slow_search, find):
    found: list = []
    parent = QObject()
    worker = find(parent, found.append)
    delete(parent)
    slow_search.set()
    qtbot.waitUntil(lambda: not worker.is_running)
    let_turns_pass(qtbot)
    assert found == []


@pytest.mark.one_binding
@pytest.mark.parametrize("dock_class", [SegmentDock, FinetuneDock])
def test_a_search_that_ends_after_the_dock_was_deleted_changes_and_raises_nothing(
    make_napari_viewer, qtbot, slow_search, raised, dock_class, monkeypatch
):
    workers = []
    for name in ("find_devices", "find_memory"):
        find = getattr(devices, name)
        monkeypatch.setattr(devices, name, lambda *args, find=find: workers.append(find(*args)))
    viewer = make_napari_viewer()
    dock = dock_class(viewer)
    viewer.window.add_dock_widget(dock)
    titles = dock.panel.options if dock_class is SegmentDock else dock.panel.train
    before = titles._devices
    delete(dock.parent())
    slow_search.set()
    qtbot.waitUntil(lambda: not any(worker.is_running for worker in workers))
    let_turns_pass(qtbot)
    assert titles._devices == before
    assert raised == []


def test_a_chosen_device_that_is_absent_stays_chosen_and_is_marked_as_not_found(qtbot):
    settings.put("device", "cuda:3")
    options = SegmentOptions()
    qtbot.addWidget(options)
    assert options.device == "cuda:3"
    assert options._device.current_choice == "cuda:3 (not found)"
    options.set_devices([("auto", "auto"), ("Some GPU (cuda:3)", "cuda:3")])
    assert options._device.current_choice == "Some GPU (cuda:3)"
    options._device.value = "auto"
    assert settings.get("device") == "auto"
