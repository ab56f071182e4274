"""A window asks what the numbers of a label file mean."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from napari_cases import oriented, random_volume, write_case_along
from qtpy.QtWidgets import QLabel
from smalltumor.labels.schemes import READ_SCHEMES

from napari_smalltumor import notify
from napari_smalltumor.layers.metadata import role_of
from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.loading.labels import schemes as label_schemes
from napari_smalltumor.loading.labels.dialog import SchemeDialog
from napari_smalltumor.loading.labels.scheme_choices import scheme_choices
from napari_smalltumor.patients.active_patient import active_patient

PED = READ_SCHEMES["brats2024-ped"]


def test_a_meaning_must_be_chosen_before_it_can_be_used(qtbot):
    dialog = SchemeDialog(None, "corrected.nii.gz", scheme_choices([0, 1, 2, 4]))
    qtbot.addWidget(dialog)
    assert not dialog.use_button.isEnabled() and dialog.chosen is None
    option = next(o for o, choice in dialog.options.items() if choice.scheme is PED)
    option.click()
    assert dialog.chosen is PED
    with qtbot.waitSignal(dialog.accepted):
        dialog.use_button.click()


@pytest.mark.parametrize(
    ("answer", "names"),
    [(PED, ["corrected labels"]), pytest.param(None, ["corrected"], marks=pytest.mark.one_binding)],
)
def test_labels_that_are_opened_in_a_window_have_the_meaning_that_was_chosen(
    make_napari_viewer, tmp_path, qtbot, in_loop, monkeypatch, answer, names
):
    asked, warned = [], []
    monkeypatch.setattr(
        label_schemes, "ask_scheme", lambda parent, file, choices: asked.append(file) or answer
    )
    monkeypatch.setattr(notify, "warn", warned.append)
    viewer = make_napari_viewer()
    folder = write_case_along(tmp_path / "Pat", labels=False)
    stored = np.array([0, 1, 2, 4], np.uint8)[random_volume(9) % 4]
    nib.save(oriented(stored, "LPS"), tmp_path / "corrected.nii.gz")
    for path in (folder, tmp_path / "corrected.nii.gz"):
        in_loop(viewer.open, str(path), plugin="napari-smalltumor")
    qtbot.waitUntil(lambda: bool(asked))
    qtbot.waitUntil(lambda: [layer.name for layer in viewer.layers[4:]] == names)
    assert asked == ["corrected.nii.gz (Pat)"] and warned == []
    assert active_patient(viewer).title == "Pat"
    assert patient_of(viewer.layers[-1]) == active_patient(viewer).current
    assert role_of(viewer.layers[-1]).scheme == (None if answer is None else "brats2018")


@pytest.mark.parametrize(("name", "asked"), [("Pat_seg.nii.gz", True), ("thalamus.nii.gz", False)])
def test_a_one_alone_is_asked_about_if_the_file_is_named_as_the_mask_of_a_tumour(
    monkeypatch, name, asked
):
    choices = []
    monkeypatch.setattr(label_schemes, "qt_main_window", lambda viewer: None)
    monkeypatch.setattr(
        label_schemes, "ask_scheme", lambda parent, file, offered: choices.extend(offered)
    )
    label_schemes.ask_scheme_of_values(None, Path(name), [0, 1], None)
    meanings = {choice.meaning for choice in choices}
    classes = {"1 necrosis or non-enhancing core", "1 edema", "1 enhancing tumour"}
    assert meanings == (classes if asked else set())


def test_the_dialog_says_what_to_do_with_the_mask_of_a_region(qtbot):
    for values, said in (([0, 1], True), ([0, 1, 2, 4], False)):
        dialog = SchemeDialog(None, "P_seg.nii.gz", scheme_choices(values))
        qtbot.addWidget(dialog)
        text = " ".join(label.text() for label in dialog.findChildren(QLabel))
        assert ("_wt or _tc" in text) == said


@pytest.mark.parametrize("values", [[0, 1], [0, 1, 2, 3]])
def test_all_texts_are_whole_and_no_gap_is_left(qtbot, values):
    dialog = SchemeDialog(None, "P_seg.nii.gz", scheme_choices(values))
    qtbot.addWidget(dialog)
    dialog.show()
    for label in dialog.findChildren(QLabel):
        assert label.height() >= label.heightForWidth(label.width())
    widgets = [*dialog.findChildren(QLabel), *dialog.options, dialog.use_button]
    edges = sorted((x.geometry().top(), x.geometry().bottom()) for x in widgets)
    gaps = [top - bottom for (_, bottom), (top, _) in pairwise(edges)]
    assert max(gaps) < 30
