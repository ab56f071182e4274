"""Whatever a user does, edits that are not done with are in a layer or in a file of their case."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from kept_edits import KeptEdits, contents_of
from napari.components import ViewerModel
from napari.layers import Labels, Layer
from smalltumor.data.case import Case
from smalltumor.geometry.grid import Grid
from smalltumor.labels.regions import Region

from napari_smalltumor import notify, questions, settings
from napari_smalltumor.autosave.autosave import Autosave
from napari_smalltumor.autosave.mask_files import SUFFIX
from napari_smalltumor.autosave.masks import layer_key, masks_among
from napari_smalltumor.autosave.restore_question import DISCARD, LATER, RESTORE, RestoreQuestion
from napari_smalltumor.case_data.records import file_name
from napari_smalltumor.layers.coordinates import from_display
from napari_smalltumor.layers.create import plain_labels_layer
from napari_smalltumor.layers.metadata import (
    LayerKind,
    LayerRole,
    case_of,
    checksum,
    fill_layer,
    region_layers,
    role_of,
)

SHAPE = (2, 2, 2)
numbers = st.integers(0, 100)
case_numbers = st.sampled_from([0, 0, 0, 1])
answers = st.sampled_from([RESTORE, LATER, DISCARD])
minute_is_over = st.booleans()


def cases() -> list[Case]:
    """Two examinations of one name. The voxels of each are in a half of its own of the display."""
    grid = Grid(SHAPE, np.eye(4))
    paths = [{"t1ce": Path(f"/data/{folder}/Pat_t1ce.nii.gz")} for folder in ("first", "second")]
    return [Case("Pat", {}, grid, paths=files) for files in paths]


class EditsOfTwoCases(RuleBasedStateMachine):
    """Random actions of a user in one window."""

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

    # what is there

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

    # what a user does

    @initialize()
    def open_and_edit(self):
        self.open(0)
        self.segment(0, 1)
        self.stroke(1, 1)

    @rule(number=case_numbers, saved=minute_is_over)
    def open(self, number, saved=False):
        layer = self.labels(number)
        if layer_key(layer) not in self.shown(number):
            self.reference[layer] = layer.data.tobytes()
            self.add(layer)
        if saved:
            self.save()

    @rule(number=case_numbers, seed=st.integers(1, 2), saved=minute_is_over)
    def segment(self, number, seed, saved=False):
        """Show a result; the user agrees that edits of regions in the viewer are replaced."""
        case = self.cases[number]
        present = region_layers(self.viewer.layers, case)
        for region in Region:
            mask = self.half(number, seed | 8)
            role = LayerRole(LayerKind.REGION, case, region=region)
            if region in present:
                fill_layer(present[region], mask, role)
                self.reference[present[region]] = mask.tobytes()
                self.since_saved[present[region]].append(mask.tobytes())
            else:
                filled = LayerRole(role.kind, case, region=region, checksum=checksum(mask))
                layer = Labels(mask, name=f"Pat {region.name}", metadata=filled.metadata())
                self.reference[layer] = mask.tobytes()
                self.add(layer)
        if saved:
            self.save()

    @precondition(lambda self: self.masks)
    @rule(layer=numbers, voxel=st.integers(0, 3), saved=minute_is_over)
    def stroke(self, layer, voxel, saved=False):
        mask = self.masks[layer % len(self.masks)]
        mask.data[self.number_of(mask)].flat[voxel] ^= 1
        self.since_saved[mask].append(mask.data.tobytes())
        if saved:
            self.save()

    @precondition(lambda self: self.masks)
    @rule(layer=numbers)
    def undo(self, layer):
        mask = self.masks[layer % len(self.masks)]
        before = self.reference[mask]
        if before is not None:
            mask.data[...] = np.frombuffer(before, np.uint8).reshape(SHAPE)
            self.since_saved[mask].append(before)

    @precondition(lambda self: self.masks)
    @rule(layer=numbers, voxel=st.integers(0, 3))
    def paint_and_remove(self, layer, voxel):
        self.stroke(layer, voxel)
        self._remove(self.masks[layer % len(self.masks)])

    @precondition(lambda self: self.masks)
    @rule(layer=numbers)
    def remove(self, layer):
        self._remove(self.masks[layer % len(self.masks)])

    def _remove(self, layer: Labels) -> None:
        number, key = self.number_of(layer), layer_key(layer)
        saved = self.in_files(number)
        self.viewer.layers.remove(layer)
        self.removed[number].append(layer)
        if self.is_edited(layer):
            history = self.since_saved[layer]
            if self.is_on:
                self.kept.add(number, key, [layer.data.tobytes()])
            elif (key, history[0]) in saved and self.was_saved(layer):
                self.kept.add(number, key, list(history))
        if not self.shown(number):
            self.kept.close(number)

    def was_saved(self, layer: Labels) -> bool:
        """Whether the file of this window has a version of a mask that is edited."""
        file = self.autosave.folder.file_of(self.cases[self.number_of(layer)])
        return file.exists() and layer_key(layer) in self.contents(file)

    @rule(number=case_numbers)
    def close(self, number):
        for layer in self.shown(number).values():
            self._remove(layer)

    @precondition(lambda self: self.masks)
    @rule(layer=numbers, voxel=st.integers(0, 3))
    def paint_and_close(self, layer, voxel):
        self.stroke(layer, voxel)
        self.close(self.number_of(self.masks[layer % len(self.masks)]))

    @precondition(lambda self: any(self.removed.values()))
    @rule(
        number=case_numbers,
        at_most=st.sampled_from([1, 2, 9]),
        in_order=st.booleans(),
        saved=minute_is_over,
    )
    def bring_back(self, number, at_most, in_order, saved=False):
        """Add layers again that were removed, if nothing is in their place."""
        removed = self.removed[number]
        for mask in (list(removed) if in_order else list(reversed(removed)))[:at_most]:
            if layer_key(mask) not in self.shown(number):
                removed.remove(mask)
                self.add(mask)
        if saved:
            self.save()

    @rule(number=case_numbers)
    def export(self, number):
        self._export(self.autosave.checksums(self.shown(number).values()))

    @precondition(lambda self: self.masks)
    @rule(layer=numbers, voxel=st.integers(0, 3), closed=st.booleans())
    def edit_during_export(self, layer, voxel, closed):
        """Paint and remove a mask, or close its case, while the masks of the case are written."""
        number = self.number_of(self.masks[layer % len(self.masks)])
        written = self.autosave.checksums(self.shown(number).values())
        contents = {mask: mask.data.tobytes() for mask in written}
        self.stroke(layer, voxel)
        if closed:
            self.close(number)
        else:
            self.remove(layer)
        self._export(written, contents)

    def _export(self, written, contents=None) -> None:
        contents = contents or {layer: layer.data.tobytes() for layer in written}
        for number in {self.number_of(layer) for layer in written}:
            of_case = {layer_key(x): contents[x] for x in written if self.number_of(x) == number}
            self.kept.export(number, of_case)
        self.reference |= contents
        self.autosave.mark_exported(written)

    @precondition(lambda self: self.masks)
    @rule(number=case_numbers, answer=answers)
    def is_asked(self, number, answer):
        """The user is asked about a case, as when it is opened."""
        for contents in self._ask(self.question, number, answer):
            self.kept.end(number, contents)
            if answer == RESTORE:
                for key in contents:
                    self.restored(self.shown(number)[key])

    @precondition(lambda self: self.is_on)
    @rule(number=case_numbers, answer=answers)
    def is_asked_in_another_window(self, number, answer):
        """The case is opened in another window, the user is asked there, and it is closed."""
        viewer = ViewerModel()
        autosave = Autosave(viewer.layers, Path(self.folder.name))
        viewer.add_layer(self.labels(number))
        for contents in self._ask(RestoreQuestion(viewer, autosave), number, answer):
            if answer == DISCARD:
                self.kept.end(number, contents)
        viewer.layers.clear()
        autosave.wait()

    def _ask(self, question: RestoreQuestion, number: int, answer: str) -> list[dict[str, bytes]]:
        """Give one answer to each question, and return what was restored or discarded."""
        case = self.cases[number]
        files = question.autosave.restorable_files(case)[: 1 if answer == RESTORE else None]
        contents = [self.contents(file) for file in files]
        self.answer = answer
        question.ask(case)
        return [] if answer == LATER else contents

    def restored(self, layer: Labels) -> None:
        """A mask was restored; it is edited, unless it is the result with which it was filled."""
        role, data = role_of(layer), layer.data.tobytes()
        is_result = role is not None and role.checksum == checksum(layer.data)
        self.reference[layer] = data if is_result else None
        self.since_saved[layer] = [data]

    def save(self):
        """What is done every minute."""
        self.autosave.save()
        if self.is_on:
            self.check_saved()

    def check_saved(self) -> None:
        for number in (0, 1):
            saved = self.in_files(number)
            for key, layer in self.shown(number).items():
                self.since_saved[layer] = [layer.data.tobytes()]
                if self.is_edited(layer):
                    assert (key, layer.data.tobytes()) in saved

    @rule(
        setting=st.one_of(
            st.tuples(st.just("autosave"), st.sampled_from([True, True, False])),
            st.tuples(st.just("reader"), st.sampled_from(["", "Ann", "Bob"])),
        )
    )
    def change_setting(self, setting):
        settings.put(*setting)

    # what always holds

    @invariant()
    def removed_edits_are_in_a_file(self):
        for number in (0, 1):
            assert self.kept.missing_in(number, self.in_files(number)) == []

    @invariant()
    def no_file_is_of_another_case(self):
        for number in (0, 1):
            for _, content in self.in_files(number):
                assert not np.frombuffer(content, np.uint8).reshape(SHAPE)[1 - number].any()

    @invariant()
    def writes_succeed(self):
        self.autosave.wait()
        assert self.autosave.problem() is None


EditsOfTwoCases.TestCase.settings = hypothesis_settings(max_examples=40, stateful_step_count=30)
TestEditsOfTwoCases = pytest.mark.slow(EditsOfTwoCases.TestCase)
