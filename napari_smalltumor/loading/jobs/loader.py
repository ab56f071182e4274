"""Read files in a worker, so that the window never waits for a disk."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, ref

from qtpy.compat import isalive
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QWidget

from napari_smalltumor.deferred_calls import when_idle
from napari_smalltumor.export.region_files import check_region_is_new
from napari_smalltumor.layers.create import LayerData
from napari_smalltumor.layers.warm_up import garbage_collection_paused
from napari_smalltumor.loading.jobs.job import LoadJob
from napari_smalltumor.loading.labels.schemes import ask_about_labels
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.questions import menu_is_open, user_is_busy
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


@dataclass(frozen=True)
class _Request:
    """A job, who was active when it was asked for, and whether it was dropped with the last one."""

    job: LoadJob
    patient: Patient | None
    follows_last: bool


@dataclass(frozen=True)
class _Pause:
    """What lies between two steps.

    Parameters
    ----------
    ms : int or None
        Time to the next step; None if a worker resumes.
    meanwhile : callable, optional
        Called once the next step is due. It may open a dialog, whose event loop does that step.
    """

    ms: int | None = 0
    meanwhile: Callable[[], object] | None = None


_Steps = Generator[_Pause, list[LayerData], None]


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
        # The steps are suspended for long and hold no viewer: it may be closed meanwhile.
        self._viewer, self._window = ref(viewer), window
        self._requests: deque[_Request] = deque()
        self._last_added = -_SAME_DROP_S
        self._steps: _Steps | None = None
        self._timer = QTimer(window)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._step)

    @property
    def busy(self) -> bool:
        """Whether files are being read, or their layers added."""
        return bool(self._requests)

    def add(self, job: LoadJob) -> None:
        """Read files after all earlier ones."""
        viewer = self._viewer()
        if viewer is None or any(job.key == request.job.key for request in self._requests):
            return
        now = time.monotonic()
        follows_last, self._last_added = now - self._last_added < _SAME_DROP_S, now
        self._requests.append(_Request(job, active_patient(viewer).current, follows_last))
        if len(self._requests) == 1:
            self._announce(job)
        if self._steps is None:
            self._steps = self._load_all()
            self._timer.start(0)

    def _step(self) -> None:
        if self._steps is not None:
            self._advance(self._steps.__next__)

    def _advance(self, step: Callable[[], _Pause]) -> None:
        """Do a step, unless the viewer was closed, and have the next one follow."""
        if self._viewer() is None:
            return
        try:
            pause = step()
        except StopIteration:
            self._steps = None
            return
        except Exception:  # of no job: what is dropped next must be read all the same
            self._steps = None
            self._requests.clear()
            active_patient(self._open_viewer).finish_arrivals()
            raise
        if pause.ms is not None:
            self._timer.start(pause.ms)
        if pause.meanwhile is not None:
            pause.meanwhile()

    def _load_all(self) -> _Steps:
        """Load what is asked for, also meanwhile, and show the last patient."""
        was_empty = not self._open_viewer.layers
        opened: list[Layer] = []
        while self._requests or user_is_busy():
            if self._requests:
                for _ in setup_steps(self._open_viewer):
                    yield _Pause()
                opened += yield from self._load(self._requests[0])
            else:
                yield _Pause(_RETRY_MS)
        viewer = self._open_viewer
        with garbage_collection_paused():
            active_patient(viewer).finish_arrivals()
        viewer.status = "Ready"
        if was_empty and viewer.layers:
            viewer.reset_view()
        when_idle(partial(ask_about_labels, viewer, opened))

    def _load(self, request: _Request) -> Generator[_Pause, list[LayerData], list[Layer]]:
        """Read the files of a job and add their layers; all are removed if one fails."""
        job = request.job
        added: list[Layer] = []
        error: Exception | None = None
        self._read(request)
        try:
            layers = yield _Pause(ms=None)
            yield _Pause()
            if self._make_sliders():
                yield _Pause()
            for data in layers:
                while menu_is_open():
                    yield _Pause(_RETRY_MS)
                self._add_layer(data, added)
                yield _Pause()
        except Exception as raised:  # the next job must be read all the same
            error = raised
            self._remove(added)
        while user_is_busy():  # what follows may make a patient active, or ask something
            yield _Pause(_RETRY_MS)
        self._requests.popleft()
        if error is not None:
            yield _Pause(meanwhile=partial(job.failed, error))
            return []
        yield _Pause(meanwhile=partial(job.opened, added))
        return added

    def _read(self, request: _Request) -> None:
        """Start a worker; the steps go on with its layers, or its exception."""
        job, steps = request.job, self._steps
        assert steps is not None
        self._announce(job)
        arrivals = active_patient(self._open_viewer).arrivals
        arrivals.requested_for, arrivals.follows_last = request.patient, request.follows_last
        run_in_thread(
            job.read,
            self._window,
            lambda layers: self._advance(partial(steps.send, layers)),
            lambda error: self._advance(partial(steps.throw, error)),
            name=f"reading of {job.name}",
        )

    def _announce(self, job: LoadJob) -> None:
        active_patient(self._open_viewer).arrivals.reading = job.name
        self._open_viewer.status = f"Reading {job.name}"

    def _make_sliders(self) -> bool:
        """Have napari make its sliders now, and not with the first layer; whether it had to."""
        viewer = self._open_viewer
        if viewer.layers or viewer.dims.ndim >= _AXES:
            return False
        viewer.dims.ndim = _AXES
        return True

    def _add_layer(self, data: LayerData, added: list[Layer]) -> None:
        """Add a layer of a job; it is among those that were added even if that fails half-way."""
        from napari.layers import Layer

        viewer = self._open_viewer
        with garbage_collection_paused():
            layer = Layer.create(*data)
            check_region_is_new(layer, [x for x in viewer.layers if x not in added])
            added.append(layer)
            active_patient(viewer).insert_arriving(layer)

    def _remove(self, layers: list[Layer]) -> None:
        for layer in layers:
            if layer in self._open_viewer.layers:
                self._open_viewer.layers.remove(layer)

    @property
    def _open_viewer(self) -> ViewerModel:
        viewer = self._viewer()
        assert viewer is not None, "no step is done for a viewer that was closed"
        return viewer


_LOADERS: WeakKeyDictionary[ViewerModel, Loader] = WeakKeyDictionary()


def loader_of(viewer: Viewer) -> Loader:
    """The loader of a viewer with a window; all calls for a viewer return the same object."""
    loader = _LOADERS.get(viewer)
    if loader is None or not isalive(loader._window):
        _LOADERS[viewer] = loader = Loader(viewer, viewer.window.main_menu)
    return loader
