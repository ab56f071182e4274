"""Two prepared scans, A and B, in one window with the Prepared scan dock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from raw_scans import prepared_by_hand, write_raw_scan
from smalltumor.scanner.preparation import correction
from smalltumor.scanner.prepared.prepared_files import write_prepared

from napari_smalltumor import devices
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.prepared_scan.dock import PreparedScanDock
from napari_smalltumor.scanner.known_scans import forget_scan, remember_scan

if TYPE_CHECKING:
    import pytest
    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from napari_smalltumor.layers.patient import Patient


@contextmanager
def known_prepared_scans(folder: Path) -> Iterator[dict[str, Path]]:
    """Folders of the prepared cases A and B, whose scans are known meanwhile."""
    made = {}
    for name in "AB":
        scan = write_raw_scan(folder / f"scan {name}")
        made[name] = folder / name
        write_prepared(prepared_by_hand(scan, name), made[name])
        remember_scan(made[name], scan)
    yield made
    for prepared in made.values():
        forget_scan(prepared)


def open_prepared(
    viewer: Viewer, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> Viewer:
    """Open both cases, without a search for devices and networks that tell brains apart."""
    monkeypatch.setattr(devices, "find_devices", lambda *arguments: None)
    monkeypatch.setattr(correction, "brain_overlap", lambda *arguments: 0.97)
    for folder in folders.values():
        open_case(viewer, folder)
    return viewer


def dock_of_a(viewer: Viewer, qtbot: QtBot) -> PreparedScanDock:
    """The dock; A is the active patient."""
    dock = PreparedScanDock(viewer)
    viewer.window.add_dock_widget(dock, area="right")
    activate(viewer, dock, qtbot, "A")
    return dock


def patient(viewer: Viewer, name: str) -> Patient:
    """The patient with this name."""
    patients = active_patient(viewer)
    return next(p for p in patients.patients if patients.title_of(p) == name)


def activate(viewer: Viewer, dock: PreparedScanDock, qtbot: QtBot, name: str) -> None:
    """Make a patient active, and wait until the dock shows its scan."""
    active_patient(viewer).activate(patient(viewer, name))
    qtbot.waitUntil(lambda: dock.prepared is not None and dock.prepared.name == name)
