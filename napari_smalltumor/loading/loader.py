"""Read files in a worker, so that the window never waits for a disk."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, ref

from qtpy.compat import isalive
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QWidget

from napari_smalltumor.export.region_files import check_region_is_new
from napari_smalltumor.layers.create import LayerData
from napari_smalltumor.layers.warm_up import garbage_collection_paused
from napari_smalltumor.loading.job import LoadJob
from napari_smalltumor.loading.labels.schemes import ask_about_labels
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.questions import dialog_is_open
from napari_smalltumor.viewer_setup import setup_steps
from napari_smalltumor.workers import run_in_thread

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer
    from napari.viewer import Viewer

    from napari_smalltumor.layers.patient import Patient

_AXES = 3
_SAME_DROP_S = 1.0
"""Files that are asked for within this time of each other were dropped together."""

_RETRY_MS = 50
"""Another patient is not shown under the brush or a dialog; both are looked at this often."""


class Loader:
    """Reads files one job after another, and shows their patients when all have been read.

    A layer is added in each turn of the event loop, so that the window answers in between. New
    patients are neither shown nor listed before all layers of all jobs are there: nothing of a case
    that is half read can be segmented, edited or exported.

    Parameters
    ----------
    viewer : ViewerModel
    window : QWidget
        A widget of the viewer's window; nothing happens after its deletion.
    """

    def __init__(self, viewer: ViewerModel, window: QWidget) -> None:
        self._viewer, self._window = ref(viewer), window
        self._jobs: deque[tuple[LoadJob, Patient | None, bool]] = deque()
        self._last_added = -_SAME_DROP_S
        self._layers: deque[LayerData] = deque()
        self._added: list[Layer] = []
        self._opened: list[Layer] = []
        self._setup: Iterator[None] | None = None
        self._is_reading = self._is_read = False
        self._was_empty = False
        self._timer = QTimer(window)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._step)

    @property
    def busy(self) -> bool:
        """Whether files are being read, or their layers added."""
        return bool(self._jobs)

    def add(self, job: LoadJob) -> None:
        """Read files after all earlier ones."""
        viewer = self._viewer()
        if viewer is None or any(job.key == other.key for other, *_ in self._jobs):
            return
        now = time.monotonic()
        is_same_drop, self._last_added = now - self._last_added < _SAME_DROP_S, now
        self._jobs.append((job, active_patient(viewer).current, is_same_drop))
        if len(self._jobs) == 1:
            self._was_empty = not viewer.layers
            self._announce(viewer, job)
            self._timer.start(0)

    def _step(self) -> None:
        """Add the next layer, end a job, set the viewer up for the next one, or begin it."""
        viewer = self._viewer()
        if viewer is None or self._is_reading:
            return
        if self._layers:
            self._add_layer(viewer)
        elif self._is_read:
            job, layers = self._end_job()
            self._opened += layers
            self._timer.start(0)
            job.opened(layers)
        elif self._jobs:
            if self._is_set_up(viewer):
                self._read_next(viewer)
            else:
                self._timer.start(0)
        else:
            self._finish(viewer)

    def _is_set_up(self, viewer: ViewerModel) -> bool:
        """Do the next step of setting the viewer up; whether there was none left."""
        if self._setup is None:
            self._setup = setup_steps(viewer)
        try:
            next(self._setup)
        except StopIteration:
            self._setup = None
            return True
        return False

    def _read_next(self, viewer: ViewerModel) -> None:
        (job, patient, is_same_drop), self._is_reading = self._jobs[0], True
        self._announce(viewer, job)
        arrivals = active_patient(viewer).arrivals
        arrivals.requested_for, arrivals.follows_last = patient, is_same_drop
        run_in_thread(
            job.read, self._window, self._on_read, self._on_failed, name=f"reading of {job.name}"
        )

    def _announce(self, viewer: ViewerModel, job: LoadJob) -> None:
        active_patient(viewer).arrivals.reading = job.name
        viewer.status = f"Reading {job.name}"

    def _on_read(self, layers: list[LayerData]) -> None:
        self._is_reading, self._is_read = False, True
        self._layers.extend(layers)
        self._timer.start(0)

    def _add_layer(self, viewer: ViewerModel) -> None:
        from napari.layers import Layer

        if not viewer.layers and viewer.dims.ndim < _AXES:
            viewer.dims.ndim = _AXES  # napari makes its sliders now, and not with the first layer
            self._timer.start(0)
            return
        try:
            with garbage_collection_paused():
                layer = Layer.create(*self._layers.popleft())
                check_region_is_new(layer, [x for x in viewer.layers if x not in self._added])
                active_patient(viewer).insert_arriving(layer)
                self._added.append(layer)
        except Exception as error:  # the next job must be read all the same
            self._on_failed(error)
        else:
            self._timer.start(0)

    def _on_failed(self, error: Exception) -> None:
        viewer = self._viewer()
        job, layers = self._end_job()
        for layer in layers:
            if viewer is not None and layer in viewer.layers:
                viewer.layers.remove(layer)
        self._timer.start(0)
        job.failed(error)

    def _end_job(self) -> tuple[LoadJob, list[Layer]]:
        """Forget the job that has ended; return it and the layers that it added."""
        added, self._added = self._added, []
        self._is_reading = self._is_read = False
        self._layers.clear()
        job, *_ = self._jobs.popleft()
        return job, added

    def _finish(self, viewer: ViewerModel) -> None:
        """Show the last patient, but neither under the brush nor under a dialog of another one."""
        is_drawing = QGuiApplication.mouseButtons() != Qt.MouseButton.NoButton
        if is_drawing or dialog_is_open():
            self._timer.start(_RETRY_MS)
            return
        with garbage_collection_paused():
            active_patient(viewer).finish_arrivals()
        viewer.status = "Ready"
        if self._was_empty and viewer.layers:
            viewer.reset_view()
        opened, self._opened = self._opened, []
        QTimer.singleShot(0, partial(ask_about_labels, viewer, opened))


_LOADERS: WeakKeyDictionary[ViewerModel, Loader] = WeakKeyDictionary()


def loader_of(viewer: Viewer) -> Loader:
    """The loader of a viewer with a window; all calls for a viewer return the same object."""
    loader = _LOADERS.get(viewer)
    if loader is None or not isalive(loader._window):
        _LOADERS[viewer] = loader = Loader(viewer, viewer.window.main_menu)
    return loader
