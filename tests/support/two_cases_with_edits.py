"""Two cases in one window, and what must be kept of the edits of their masks."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis.stateful import RuleBasedStateMachine
from kept_edits import KeptEdits, contents_of
from napari.components import ViewerModel
from napari.layers import Labels, Layer
from smalltumor.data.case import Case
from smalltumor.geometry.grid import Grid

from napari_smalltumor import notify, questions, settings
from napari_smalltumor.autosave.autosave import Autosave
from napari_smalltumor.autosave.mask_files import SUFFIX
from napari_smalltumor.autosave.masks import layer_key, masks_among
from napari_smalltumor.autosave.restore_question import LATER, RestoreQuestion
from napari_smalltumor.case_data.records import file_name
from napari_smalltumor.layers.coordinates import from_display
from napari_smalltumor.layers.create import plain_labels_layer
from napari_smalltumor.layers.metadata import case_of, checksum, role_of

SHAPE = (2, 2, 2)


def cases() -> list[Case]:
    """Two examinations of one name. The voxels of each are in a half of its own of the display."""
    grid = Grid(SHAPE, np.eye(4))
    paths = [{"t1ce": Path(f"/data/{folder}/Pat_t1ce.nii.gz")} for folder in ("first", "second")]
    return [Case("Pat", {}, grid, paths=files) for files in paths]


class TwoCasesWithEdits(RuleBasedStateMachine):
    """One window with two cases, the edits of their masks, and what is kept of these."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(settings, "_session", {})
        self.patch.setattr(questions, "ask", lambda *args, **options: self.answer)
        self.patch.setattr(notify, "info", lambda message: None)
        self.viewer = ViewerModel()
        self.autosave = Autosave(self.viewer.layers, Path(self.folder.name))
        self.question = RestoreQuestion(self.viewer, self.autosave)
        self.answer = LATER
        self.cases = cases()
        self.reference: dict[Labels, bytes | None] = {}
        """Data of each mask when it was opened, filled or exported; None if it was restored."""
        self.since_saved: dict[Labels, list[bytes]] = defaultdict(list)
        self.removed: dict[int, list[Labels]] = {0: [], 1: []}
        self.kept = KeptEdits()

    def teardown(self) -> None:
        self.patch.undo()
        self.folder.cleanup()

    @property
    def is_on(self) -> bool:
        return settings.get("autosave")

    @property
    def masks(self) -> list[Labels]:
        return list(masks_among(self.viewer.layers))

    def number_of(self, layer: Labels) -> int:
        return next(n for n, case in enumerate(self.cases) if case_of(layer) is case)

    def shown(self, number: int) -> dict[str, Labels]:
        case = self.cases[number]
        return {layer_key(x): x for x in masks_among(self.viewer.layers) if case_of(x) is case}

    def is_edited(self, layer: Labels) -> bool:
        return layer.data.tobytes() != self.reference[layer]

    def files(self, number: int) -> list[Path]:
        return list(Path(self.folder.name).glob(f"*/{file_name(self.cases[number], SUFFIX)}"))

    def contents(self, file: Path) -> dict[str, bytes]:
        return contents_of(file, self.cases[0].grid)

    def in_files(self, number: int) -> set[tuple[str, bytes]]:
        self.autosave.wait()
        return {pair for file in self.files(number) for pair in self.contents(file).items()}

    def half(self, number: int, seed: int) -> np.ndarray:
        """A mask on the display whose voxels are in the half of a case."""
        data = np.zeros(SHAPE, np.uint8)
        data[number].flat = [seed >> bit & 1 for bit in range(4)]
        return data

    def labels(self, number: int) -> Labels:
        """The layer of the labels beside the images."""
        case = self.cases[number]
        stored = from_display(self.half(number, 6), case.grid)
        return Layer.create(*plain_labels_layer(case, stored, f"labels {number}"))

    def add(self, layer: Labels) -> None:
        self.since_saved[layer] = [layer.data.tobytes()]
        self.viewer.add_layer(layer)
        self.kept.end(self.number_of(layer), {layer_key(layer): layer.data.tobytes()})

    def was_saved(self, layer: Labels) -> bool:
        """Whether the file of this window has a version of a mask that is edited."""
        file = self.autosave.folder.file_of(self.cases[self.number_of(layer)])
        return file.exists() and layer_key(layer) in self.contents(file)

    def restored(self, layer: Labels) -> None:
        """A mask was restored; it is edited, unless it is the result with which it was filled."""
        role, data = role_of(layer), layer.data.tobytes()
        is_result = role is not None and role.checksum == checksum(layer.data)
        self.reference[layer] = data if is_result else None
        self.since_saved[layer] = [data]
