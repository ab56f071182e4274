"""Whatever a user does, edits that are not done with are in a layer or in a file of their case."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from napari.components import ViewerModel
from napari.layers import Labels
from smalltumor.labels.regions import Region
from two_cases_with_edits import SHAPE, TwoCasesWithEdits

from napari_smalltumor import settings
from napari_smalltumor.autosave.autosave import Autosave
from napari_smalltumor.autosave.masks import layer_key
from napari_smalltumor.autosave.restore_question import DISCARD, LATER, RESTORE, RestoreQuestion
from napari_smalltumor.layers.metadata import (
    LayerKind,
    LayerRole,
    checksum,
    fill_layer,
    region_layers,
)

numbers = st.integers(0, 100)
case_numbers = st.sampled_from([0, 0, 0, 1])
answers = st.sampled_from([RESTORE, LATER, DISCARD])
minute_is_over = st.booleans()


class EditsOfTwoCases(TwoCasesWithEdits):
    """Random actions of a user in one window."""

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
