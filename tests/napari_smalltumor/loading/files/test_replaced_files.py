"""Nothing of a folder joins an open patient whose files hold another patient's images by now."""

import nibabel as nib
import numpy as np
import pytest
from napari_cases import random_volume, write_case_along
from smalltumor.data.volumes.nifti import stem
from smalltumor.errors import CaseError, OutputError
from smalltumor.scanner.preparation.correction import Correction

from napari_smalltumor import notify, questions
from napari_smalltumor.case_data.records import case_key
from napari_smalltumor.compare.choices import expert_file, reference_choices
from napari_smalltumor.compare.reference_file import read_reference
from napari_smalltumor.export.case_export import export_bids, export_case
from napari_smalltumor.export.dialogs.preconditions import confirm_regions
from napari_smalltumor.export.layer_files import write_layer
from napari_smalltumor.layers.changed_images import ChangedImagesError
from napari_smalltumor.layers.masks.regions import region_layer
from napari_smalltumor.layers.metadata import case_of
from napari_smalltumor.layers.patient import patient_of_case
from napari_smalltumor.loading.folders.case_opener import CaseOpener
from napari_smalltumor.loading.open_case import open_and_remember, open_case
from napari_smalltumor.loading.window_reader import get_reader
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.output_folder import output_folder
from napari_smalltumor.prepared_scan.job import CorrectionJob
from napari_smalltumor.scanner import dicom_seg
from napari_smalltumor.viewer import unproxied


@pytest.fixture
def errors(monkeypatch) -> list[str]:
    shown: list[str] = []
    monkeypatch.setattr(notify, "error", shown.append)
    monkeypatch.setattr(notify, "info", shown.append)
    return shown


@pytest.fixture
def folder(tmp_path):
    """A case without an expert's mask."""
    return write_case_along(tmp_path / "current", labels=False)


def _write_another_patient(folder, *, labels=True):
    """Overwrite the images of a folder, as an export of the next patient does."""
    write_case_along(folder, labels=labels)
    for path in folder.glob("*_t*.nii.gz"):
        image = nib.load(path)
        nib.save(nib.Nifti1Image(np.asarray(image.dataobj)[::-1], image.affine), path)


def _with_regions(viewer, case):
    from napari.layers import Layer
    from smalltumor.labels.regions import Region

    mask = np.zeros(case.grid.shape, bool)
    mask[3:5, 3:5, 3:5] = True
    for region in (Region.WT, Region.TC, Region.ET):
        viewer.add_layer(Layer.create(*region_layer(case, region, mask)))


def test_a_folder_with_another_patient_adds_no_mask_to_the_open_images(viewer, folder, errors):
    before = open_case(viewer, folder)
    _write_another_patient(folder)
    open_and_remember(viewer, folder)
    assert list(viewer.layers) == before
    (said,) = errors
    assert said == (
        f"{folder} no longer holds the images that are shown of current, and nothing was opened; "
        "close current and open the folder again"
    )


def test_napari_s_reader_does_not_add_it_either(viewer, folder, errors, monkeypatch):
    before = open_case(viewer, folder)
    _write_another_patient(folder)
    monkeypatch.setattr("napari.viewer.current_viewer", lambda: viewer)
    assert get_reader(str(folder))(str(folder)) == [(None,)]
    assert list(viewer.layers) == before
    assert "no longer holds the images that are shown of current" in errors[0]


@pytest.mark.parametrize("name", ["current_seg.nii.gz", "current_t1ce.nii.gz"])
def test_one_of_its_files_is_not_opened_beside_the_open_images(viewer, folder, errors, name):
    before = open_case(viewer, folder)
    _write_another_patient(folder)
    open_and_remember(viewer, folder / name)
    assert list(viewer.layers) == before
    assert "no longer holds the images that are shown of current" in errors[0]


@pytest.mark.parametrize("name", ["P7_visit1_smalltumor", "p7_smalltumor", "P7_visit1_seg"])
def test_a_mask_by_the_visit_of_its_folder_is_not_opened_beside_the_images_of_another_patient(
    viewer, tmp_path, errors, name
):
    folder = write_case_along(tmp_path / "visit1" / "P7")
    mask = (folder / "P7_seg.nii.gz").rename(folder / f"{name}.nii.gz")
    kept = mask.read_bytes()
    mask.unlink()
    before = open_case(viewer, folder)
    _write_another_patient(folder)
    mask.write_bytes(kept)
    open_and_remember(viewer, mask)
    assert list(viewer.layers) == before
    assert "no longer holds the images that are shown of P7" in errors[0]


def test_a_folder_of_another_name_in_its_place_is_told(viewer, tmp_path, errors):
    first = write_case_along(tmp_path / "P1", labels=False)
    open_case(viewer, first)
    second = write_case_along(tmp_path / "P2", name="P1")
    _write_another_patient(first)
    first.rename(tmp_path / "old")
    (tmp_path / "old").rename(first)
    assert second.is_dir()
    open_and_remember(viewer, first)
    assert "close P1 and open the folder again" in errors[0]


def test_images_of_other_names_do_not_join_a_patient_whose_files_are_gone(viewer, tmp_path, errors):
    folder = tmp_path / "current"
    write_case_along(folder, name="x", labels=False)
    for path in folder.iterdir():
        path.rename(folder / path.name.removeprefix("x_"))
    before = open_case(viewer, folder)
    for path in list(folder.iterdir()):
        path.rename(folder / f"{stem(path).upper()}.nii.gz")
    open_and_remember(viewer, folder)
    assert list(viewer.layers) == before
    assert "close current" in errors[0]


def test_a_copy_of_the_same_images_is_open_already(viewer, folder, errors):
    before = open_case(viewer, folder)
    write_case_along(folder, labels=False)
    assert open_case(viewer, folder) == []
    assert list(viewer.layers) == before
    assert errors == ["current is open already."]


def test_after_closing_the_new_patient_opens(viewer, folder):
    open_case(viewer, folder)
    _write_another_patient(folder)
    viewer.layers.clear()
    opened = open_case(viewer, folder)
    assert len(opened) == 5
    assert not case_of(opened[0]).has_changed_images


def test_a_list_of_cases_says_so_when_it_shows_the_open_patient(viewer, folder, errors):
    from smalltumor.data.naming.find_cases import find_case_files

    open_case(viewer, folder)
    _write_another_patient(folder)
    CaseOpener(viewer, open_and_remember).open(find_case_files(folder), lambda: None)
    assert "no longer holds the images" in errors[0]


def test_the_expert_s_mask_of_another_patient_is_neither_offered_nor_read(viewer, tmp_path):
    folder = write_case_along(tmp_path / "P1")
    layers = open_case(viewer, folder)
    case = case_of(layers[0])
    viewer.layers.remove(next(x for x in layers if x.name.endswith("labels")))
    assert expert_file(viewer) == folder / "P1_seg.nii.gz"
    _write_another_patient(folder)
    assert expert_file(viewer) is None
    assert reference_choices(viewer) == []
    with pytest.raises(ChangedImagesError, match="may be of another patient"):
        read_reference(folder / "P1_seg.nii.gz", case)


def test_nothing_is_written_beside_the_images_of_another_patient(viewer, folder, tmp_path):
    case = case_of(open_case(viewer, folder)[0])
    _with_regions(viewer, case)
    _write_another_patient(folder, labels=False)
    names = sorted(path.name for path in folder.iterdir())
    layer = viewer.layers["current ET"]
    attributes = layer.as_layer_data_tuple()[1]
    for write in (
        lambda to: export_case(viewer, case, to / "current_smalltumor.nii.gz", scheme="brats2018"),
        lambda to: export_bids(viewer, case, to, scheme="brats2018"),
        lambda to: write_layer(
            to / "current_et.nii.gz",
            (layer.data, attributes, "labels"),
            scheme="brats2018",
            overwrite=False,
        ),
    ):
        with pytest.raises(OutputError, match="choose another folder"):
            write(folder)
    assert sorted(path.name for path in folder.iterdir()) == names
    elsewhere = tmp_path / "out"
    elsewhere.mkdir()
    assert export_case(viewer, case, elsewhere / "a.nii.gz", scheme="brats2018")
    assert output_folder(unproxied(viewer), patient_of_case(case)) != folder


def test_an_export_asks_when_the_folder_holds_other_images(viewer, folder, monkeypatch):
    case = case_of(open_case(viewer, folder)[0])
    _with_regions(viewer, case)
    asked: list[str] = []
    buttons: list[str] = []

    def confirm(parent, title, text, action):
        asked.append(text)
        buttons.append(action)
        return False

    monkeypatch.setattr(questions, "confirm", confirm)
    assert confirm_regions(None, viewer, case, "Export anyway")
    _write_another_patient(folder)
    assert not confirm_regions(None, viewer, case, "Export anyway")
    assert asked[0].startswith(f"current: {folder} no longer holds the images that are shown")
    assert buttons == ["Choose another folder"]


def test_no_dicom_seg_refers_to_the_scan_of_another_patient(viewer, folder, errors, monkeypatch):
    monkeypatch.setattr(dicom_seg, "check_packages", lambda: None)
    monkeypatch.setattr(dicom_seg, "_study_of", lambda *a: pytest.fail("a scan was looked for"))
    _with_regions(viewer, case_of(open_case(viewer, folder)[0]))
    _write_another_patient(folder)
    dicom_seg.ask_and_export_dicom_seg(viewer, None)
    assert errors[-1].endswith("a DICOM SEG cannot refer to their scan.")


def test_a_prepared_scan_of_another_patient_is_not_corrected(viewer, folder):
    case = case_of(open_case(viewer, folder)[0])
    _write_another_patient(folder)
    job = CorrectionJob(case, folder, Correction())
    with pytest.raises(CaseError, match="nothing was corrected"):
        job(lambda *a: None, lambda: False)


def test_edits_and_decisions_of_another_patient_in_the_same_files_are_not_of_this_one(
    viewer, folder
):
    before = case_key(case_of(open_case(viewer, folder)[0]))
    viewer.layers.clear()
    assert case_key(case_of(open_case(viewer, folder)[0])) == before
    viewer.layers.clear()
    _write_another_patient(folder)
    assert case_key(case_of(open_case(viewer, folder)[0])) != before


def test_the_folder_of_an_open_4d_file_makes_its_patient_active(
    viewer, tmp_path, errors, monkeypatch
):
    warnings: list[str] = []
    monkeypatch.setattr(notify, "warn", warnings.append)
    stacked = np.stack([random_volume(n) for n in range(4)], axis=-1)
    (tmp_path / "four").mkdir()
    nib.save(nib.Nifti1Image(stacked, np.eye(4)), tmp_path / "four" / "scan.nii.gz")
    open_and_remember(viewer, tmp_path / "four")
    open_case(viewer, write_case_along(tmp_path / "Other", labels=False))
    title = active_patient(viewer).title
    assert title == "Other"
    warnings.clear()
    errors.clear()
    open_and_remember(viewer, tmp_path / "four")
    assert errors == ["scan is open already."]
    assert warnings == []
    assert active_patient(viewer).title == "scan"
