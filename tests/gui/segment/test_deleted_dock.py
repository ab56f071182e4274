"""A Segment dock that Qt has deleted follows nothing any more."""

from __future__ import annotations

import pytest
from deletion import delete

from napari_smalltumor import settings
from napari_smalltumor.loading.open_case import open_case


def delete_after_closing(viewer, dock):
    """Close the dock as its button does, and let Qt delete the widget."""
    viewer.window.remove_dock_widget(dock)
    delete(dock)


def delete_with_parent(viewer, dock):
    """Delete the dock without taking it out of its window first."""
    delete(dock.parent())


@pytest.mark.parametrize("delete_dock", [delete_after_closing, delete_with_parent])
def test_a_deleted_dock_ignores_later_changes(
    opened, synthetic_case, qtbot, raised, errors, delete_dock
):
    viewer, dock = opened
    delete_dock(viewer, dock)
    viewer.layers[0].name = "renamed"
    viewer.layers.move(0, 2)
    viewer.layers.clear()
    open_case(viewer, synthetic_case)
    settings.put("weights", "")
    qtbot.wait(800)  # its timers, of 250 and then 400 ms, would have fired
    assert (errors, raised) == ([], [])


def is_connected(emitter, receiver) -> bool:
    callbacks = [callback for callback in emitter.callbacks if isinstance(callback, tuple)]
    return any(reference() is receiver for reference, _ in callbacks)


@pytest.mark.parametrize("delete_dock", [delete_after_closing, delete_with_parent])
def test_pickers_of_a_deleted_dock_are_disconnected_from_the_viewer(opened, delete_dock):
    viewer, dock = opened
    events, pickers = viewer.layers.events, dock.panel.pickers
    emitters = [events.inserted, events.removed, events.reordered, viewer.layers[0].events.name]
    assert all(is_connected(emitter, pickers) for emitter in emitters)
    delete_dock(viewer, dock)
    assert not any(is_connected(emitter, pickers) for emitter in emitters)


@pytest.mark.one_binding
@pytest.mark.parametrize("delete_dock", [delete_after_closing, delete_with_parent])
def test_a_run_goes_on_when_its_dock_is_deleted(opened, slow, qtbot, raised, errors, delete_dock):
    viewer, dock = opened
    dock.segment()
    qtbot.waitUntil(lambda: slow.started.is_set())
    delete_dock(viewer, dock)
    slow.go.set()
    qtbot.waitUntil(lambda: len(viewer.layers) == 7)
    assert (errors, raised) == ([], [])
