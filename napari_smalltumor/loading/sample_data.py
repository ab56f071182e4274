"""Sample data (File > Open Sample): the sample case of the package."""

from __future__ import annotations

from smalltumor.data.case_files import find_case_files
from smalltumor.data.sample import sample_case_folder

from napari_smalltumor.layers.create import LayerData
from napari_smalltumor.loading.reader import layers_of_case
from napari_smalltumor.viewer_setup import set_up_current_viewer


def open_sample() -> list[LayerData]:
    """Read the layers of the sample case BraTS2021_00019."""
    set_up_current_viewer()
    return layers_of_case(find_case_files(sample_case_folder()))
