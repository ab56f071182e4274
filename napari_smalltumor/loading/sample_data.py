"""Sample data (File > Open Sample): the sample case of the package, without its expert's mask.

The mask is offered as the answer, to be compared with the result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from smalltumor.data.naming.find_cases import find_case_files
from smalltumor.data.sample import SAMPLE_CASE, sample_case_folder

from napari_smalltumor import notify
from napari_smalltumor.calling_viewer import calling_viewer
from napari_smalltumor.layers.create import LayerData
from napari_smalltumor.loading.files.case_layers import layers_of_case
from napari_smalltumor.loading.jobs.job import LoadJob
from napari_smalltumor.loading.jobs.load import add_layers, load, loads_in_background
from napari_smalltumor.viewer_setup import set_up

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

_NO_CHANNELS: LayerData = (np.zeros((0, 1, 1), np.uint8), {"channel_axis": 0}, "image")
"""An image without channels: napari adds no layer for it, and refuses a sample without data."""


def open_sample() -> list[LayerData]:
    """Open the sample case; a window whose event loop runs reads it in a worker.

    Returns
    -------
    list of LayerData
        The layers to add; an image without channels if they are added when they have been read.
    """
    viewer = calling_viewer()
    if viewer is None:
        return sample_layers()
    if not loads_in_background(viewer):
        set_up(viewer)
        return sample_layers()
    load_sample(viewer)
    return [_NO_CHANNELS]


def load_sample(viewer: ViewerModel) -> None:
    """Read the sample case, in a worker if the viewer's window can, and add its layers."""

    def opened(layers: list[Layer]) -> None:
        """Nothing is left to do."""

    key = str(sample_case_folder())
    load(viewer, LoadJob(SAMPLE_CASE, key, sample_layers, opened, notify.report_error))


def add_sample(viewer: ViewerModel) -> list[Layer]:
    """Read the sample case and add its layers to a viewer at once."""
    return add_layers(viewer, sample_layers())


def sample_layers() -> list[LayerData]:
    """Read the images of the sample case."""
    return layers_of_case(find_case_files(sample_case_folder()), with_labels=False)
