"""Read what a job names: in a worker of a window, or at once without an event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_smalltumor.layers.create import LayerData
from napari_smalltumor.loading.jobs.job import LoadJob
from napari_smalltumor.main_window.segment_dock_opener import segment_dock_opener
from napari_smalltumor.viewer import unproxied
from napari_smalltumor.viewer_setup import set_up

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


def loads_in_background(viewer: ViewerModel) -> bool:
    """Whether a viewer has a window whose event loop runs; in a script it may not run yet."""
    if not hasattr(viewer, "window"):
        return False
    from qtpy.QtCore import QThread

    return bool(QThread.currentThread().loopLevel() > 0)


def load(viewer: ViewerModel, job: LoadJob) -> None:
    """Read files in a worker and add their layers; without an event loop, do so at once."""
    viewer = unproxied(viewer)
    if loads_in_background(viewer):
        from napari_smalltumor.loading.jobs.loader import loader_of

        segment_dock_opener(viewer).open_with_next_case()
        loader_of(viewer).add(job)
        return
    try:
        layer_data = job.read()
    except Exception as error:  # as of a worker
        job.failed(error)
        return
    job.opened(add_layers(viewer, layer_data))


def add_layers(viewer: ViewerModel, layer_data: list[LayerData]) -> list[Layer]:
    """Add the layers of a case to a viewer at once; if it was empty, its view is reset."""
    from napari.layers import Layer

    was_empty = not viewer.layers
    set_up(viewer)
    added = [viewer.add_layer(Layer.create(*data)) for data in layer_data]
    if was_empty and added:
        viewer.reset_view()
    return added
