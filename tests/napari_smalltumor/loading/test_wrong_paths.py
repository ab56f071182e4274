"""Whatever is opened that is no case ends in layers, in a dialog, or in a sentence."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from napari_cases import write_case_along

from napari_smalltumor import notify
from napari_smalltumor.layers.metadata import LayerKind, role_of
from napari_smalltumor.loading.open_case import open_and_remember, open_files
from napari_smalltumor.loading.window_reader import get_reader


@pytest.fixture
def said(monkeypatch) -> list[str]:
    messages: list[str] = []
    for name in ("info", "warn", "error"):
        monkeypatch.setattr(notify, name, messages.append)
    monkeypatch.setattr(notify, "unexpected", lambda error: pytest.fail(repr(error)))
    return messages


@pytest.fixture
def prepared(monkeypatch) -> list[Path]:
    """The folder of each scan whose dialog is shown."""
    shown: list[Path] = []

    def show(viewer, plan, open_folder):
        shown.append(plan.location)

    monkeypatch.setattr("napari_smalltumor.loading.folders.scans.show_preparation", show)
    return shown


@pytest.fixture
def case(tmp_path):
    return write_case_along(tmp_path / "Pat")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "other").mkdir()
    return tmp_path / "other"


def test_a_folder_without_images_says_which_folder_to_open(viewer, folder, said):
    open_and_remember(viewer, folder)
    assert len(said) == 1 and "holds no case: no files named like CASE_flair.nii.gz" in said[0]
    assert said[0].endswith(
        "open the folder with the images of one patient, or of a scan in DICOM or NIfTI files"
    )


def test_a_volume_without_a_sequence_in_its_name_is_opened_by_itself(viewer, case, folder, said):
    file = shutil.copy(case / "Pat_t2.nii.gz", folder / "picture.nii.gz")
    for path in (folder, file):
        viewer.layers.clear()
        said.clear()
        open_and_remember(viewer, path)
        assert [layer.name for layer in viewer.layers] == ["picture"]
        assert said == [
            "The sequence of picture.nii.gz is not recognised by its name. Choose the image as "
            "T1, T1CE, T2 or FLAIR in the Segment dock."
        ]


def test_a_folder_of_volumes_without_sequences_is_offered_as_a_scan(
    viewer, case, folder, said, prepared
):
    for name, modality in zip("abcd", ("t1", "t2", "flair", "t1ce"), strict=True):
        shutil.copy(case / f"Pat_{modality}.nii.gz", folder / f"img{name}.nii.gz")
    open_and_remember(viewer, folder)
    assert prepared == [folder]
    assert said == [] and not viewer.layers


def test_a_mask_alone_is_opened_from_its_file_and_from_its_folder(viewer, case, folder, said):
    file = shutil.copy(case / "Pat_seg.nii.gz", folder / "Pat_seg.nii.gz")
    for path in (folder, file):
        viewer.layers.clear()
        open_and_remember(viewer, path)
        (layer,) = viewer.layers
        assert role_of(layer).kind in (LayerKind.TISSUE_CLASSES, LayerKind.LABELS)


def test_one_image_of_a_case_is_opened_without_a_word_about_the_others(viewer, case, said):
    open_files(viewer, [case / "Pat_t1ce.nii.gz"])
    assert [layer.name for layer in viewer.layers] == ["Pat T1CE"] and said == []


def test_files_of_several_patients_are_opened_as_the_cases_that_they_are(viewer, case, said):
    other = write_case_along(case.parent / "Next", labels=False)
    loose = shutil.copy(case / "Pat_t1.nii.gz", case.parent / "loose.nii.gz")
    open_files(viewer, [*sorted(case.iterdir()), loose, *sorted(other.iterdir())])
    names = [layer.name for layer in viewer.layers]
    assert len(names) == 5 + 4 + 1 and {"Pat T1CE", "Next T1CE", "loose"} <= set(names)


def test_a_4d_file_of_other_volumes_is_named_with_what_a_case_has(viewer, folder, said):
    file = folder / "seven.nii.gz"
    nib.save(nib.Nifti1Image(np.ones((8, 8, 8, 7), np.int16), np.eye(4)), file)
    open_and_remember(viewer, file)
    assert said == [f"{file} has 7 volumes; a 4D file of a case has FLAIR, T1, T1CE, T2"]


@pytest.mark.parametrize("name", ["damaged.nii", "damaged.nii.gz"])
def test_napari_is_told_by_our_reader_that_a_file_is_damaged(viewer, folder, said, name):
    file = folder / name
    file.write_bytes(b"\x1f\x8bnonsense" if name.endswith("gz") else b"nonsense")
    assert get_reader(str(file)) is not None  # otherwise napari asks for another reader
    open_and_remember(viewer, file)
    assert len(said) == 1 and said[0].startswith(str(file))


def test_an_archive_without_images_is_not_refused_with_a_traceback(viewer, folder, said):
    with zipfile.ZipFile(folder / "notes.zip", "w") as archive:
        archive.writestr("notes.txt", "no image")
    assert get_reader(str(folder / "notes.zip")) is not None
    open_and_remember(viewer, folder / "notes.zip")
    assert said == [f"{folder / 'notes.zip'} holds no images in DICOM, NIfTI, .mha or .nrrd files"]
