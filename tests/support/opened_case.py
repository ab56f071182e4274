"""A case that is open in a viewer without a window, is segmented, painted and autosaved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from napari.components import ViewerModel
from shown_layers import show_segmentation
from smalltumor.data.segmentation import Segmentation
from smalltumor.errors import SmalltumorError
from smalltumor.labels.regions import Region

from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.layers.metadata import case_of, region_layers
from napari_smalltumor.loading.open_case import open_case


class Opened:
    """A case that is open in a viewer, and the viewer's autosave."""

    def __init__(self, folder, viewer: ViewerModel | None = None) -> None:
        self.viewer = viewer or ViewerModel()
        self.autosave = ensure_autosave(self.viewer).autosave
        open_case(self.viewer, folder)
        self.case = case_of(self.viewer.layers[0])

    def segmented(self, seed: int = 5) -> Opened:
        classes = np.random.default_rng(seed).integers(0, 4, self.case.grid.shape).astype(np.uint8)
        result = Segmentation(self.case.name, classes, self.case.grid, self.case.header)
        show_segmentation(self.viewer, self.case, result)
        return self

    @property
    def regions(self):
        return region_layers(self.viewer.layers, self.case)

    def paint(self, at=(3, 4, 2)) -> None:
        """Toggle one voxel of ET."""
        et = self.regions[Region.ET]
        et.data_setitem(tuple(np.array([n]) for n in at), 1 - int(et.data[at]))

    def save(self) -> None:
        self.autosave.save()
        self.autosave.wait()

    @property
    def files(self):
        return sorted(self.autosave.folder.root.glob("*/*.safetensors"))


def saved_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*.safetensors"))


def empty_result(case) -> Segmentation:
    return Segmentation(case.name, np.zeros(case.grid.shape, np.uint8), case.grid, case.header)


def raise_disk_full(*arguments) -> None:
    """Takes the place of a function that writes."""
    raise SmalltumorError("the disk is full")
