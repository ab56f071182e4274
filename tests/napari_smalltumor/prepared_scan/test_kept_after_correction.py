"""What is kept of a case outside its layers stays with it when its own images are corrected."""

from __future__ import annotations

from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from napari.components import ViewerModel
from raw_scans import prepared_by_hand, write_raw_scan
from shown_layers import show_segmentation
from smalltumor.data.identity.image_digests import digests_of_images, recorded_images
from smalltumor.data.masks.case_mask import mask_beside
from smalltumor.data.masks.label_files import read_label_volume
from smalltumor.data.segmentation import Segmentation
from smalltumor.errors import CaseError, OutputError
from smalltumor.files.user_dirs import data_folder
from smalltumor.labels.regions import Region
from smalltumor.lesions import LesionList, measure_lesion
from smalltumor.scanner.preparation import correction as correction_module
from smalltumor.scanner.preparation.correction import Correction
from smalltumor.scanner.prepared.prepared_files import write_prepared
from smalltumor.scanner.prepared.stored_case import stored_case

from napari_smalltumor import notify
from napari_smalltumor.autosave.exports import export_times
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.export.case_export import export_case
from napari_smalltumor.layers.masks.region_masks import is_outdated
from napari_smalltumor.layers.metadata import case_of, region_layers
from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.lesions.decisions.verdicts import Verdict, decide, is_rejected
from napari_smalltumor.lesions.search.viewer_segmentation import lesion_sources
from napari_smalltumor.loading.open_case import open_and_remember, open_case
from napari_smalltumor.prepared_scan import job
from napari_smalltumor.prepared_scan.job import CorrectionJob
from napari_smalltumor.prepared_scan.scan_layers import show_images

pytest.importorskip("SimpleITK", reason="SimpleITK is not installed: no transforms")


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """A Dice in place of the one by the network."""
    monkeypatch.setattr(correction_module, "brain_overlap", lambda *arguments: 0.97)


def prepare(scan, folder, *, times: int = 1) -> None:
    """A scan whose intensities are so many times the usual ones, and its prepared case."""
    for file in write_raw_scan(scan).iterdir():
        image = nib.load(file)
        nib.save(nib.Nifti1Image(times * np.asarray(image.dataobj), image.affine), file)
    write_prepared(prepared_by_hand(scan), folder)


class Session:
    """A viewer with the prepared scan and a segmentation of two lesions."""

    def __init__(self, tmp_path) -> None:
        self.scan, self.folder = tmp_path / "scan", tmp_path / "Pat"
        if not self.folder.exists():
            prepare(self.scan, self.folder)
        self.viewer = ViewerModel()
        self.autosave = ensure_autosave(self.viewer).autosave
        open_case(self.viewer, self.folder)
        self.case = case_of(self.viewer.layers[0])
        classes = np.zeros(self.case.grid.shape, np.uint8)
        classes[8:10, 8:10, 8:10] = classes[14:17, 14:17, 14:17] = 3
        made_of = digests_of_images(self.case)
        result = Segmentation("Pat", classes, self.case.grid, self.case.header, made_of=made_of)
        show_segmentation(self.viewer, self.case, result)
        (self.source,) = lesion_sources(self.viewer.layers)
        self.lesions = self.source.snapshot(Region.ET).lesions(100)
        voxels = np.argwhere(np.ones((2, 2, 2))) + 11
        spot = measure_lesion(1, voxels, self.case.grid, Region.ET)
        self.candidate = replace(spot, list_name=LesionList.SECOND_LOOK, score=0.2)

    @property
    def et(self):
        return region_layers(self.viewer.layers, self.case)[Region.ET]

    def review(self) -> None:
        """Reject a candidate, accept both lesions and export."""
        decide(self.et, Verdict.REJECTED, [self.candidate])
        self.source.accept(Region.ET, self.lesions, True)
        self.autosave.mark_exported([self.et])
        self.autosave.wait()

    def paint(self, at=(12, 3, 3)) -> None:
        self.et.data_setitem(tuple(np.array([n]) for n in at), 1)
        self.save()

    def save(self) -> None:
        self.autosave.save()
        self.autosave.wait()

    def correct(self, *, brain_from: int = 12) -> None:
        """Take planes from the brain mask, as *Apply* does."""
        brain = stored_case(self.case).brain.copy()
        brain[:brain_from] = False
        correction = CorrectionJob(self.case, self.scan, Correction(brain=brain))
        prepared = correction(lambda *progress: None, lambda: False)
        show_images(self.viewer, self.case, prepared)

    def has_review(self) -> bool:
        return (
            is_rejected(self.et, self.candidate)
            and all(self.source.is_accepted(Region.ET, lesion) for lesion in self.lesions)
            and "et" in export_times(self.case)
        )

    @property
    def edits(self):
        return sorted(self.autosave.folder.root.glob("*/*.safetensors"))

    def crash(self) -> None:
        self.save()
        self.autosave.folder.unlock()  # as the system does when a process dies


def test_decisions_acceptances_and_times_of_exports_stay_with_a_corrected_scan(tmp_path):
    session = Session(tmp_path)
    session.review()
    assert session.has_review()
    session.correct()
    assert session.has_review()
    assert Session(tmp_path).has_review()
    session.correct(brain_from=13)
    assert Session(tmp_path).has_review()


def test_edits_before_and_after_a_correction_are_one_file_that_an_export_removes(tmp_path):
    session = Session(tmp_path)
    session.paint()
    (before,) = session.edits
    session.correct()
    session.paint((13, 3, 3))
    assert session.edits == [before]
    session.autosave.mark_exported(region_layers(session.viewer.layers, session.case).values())
    session.autosave.wait()
    assert session.edits == []
    session.viewer.layers.clear()
    session.autosave.wait()
    assert not before.parent.exists()


def test_edits_of_before_a_correction_are_offered_after_a_crash(tmp_path):
    session = Session(tmp_path)
    session.paint()
    session.correct()
    session.crash()
    again = Session(tmp_path)
    assert again.autosave.restorable_files(again.case) == session.edits != []


def test_nothing_is_lost_if_the_program_ends_while_a_correction_is_stored(tmp_path, monkeypatch):
    session = Session(tmp_path)
    session.review()
    session.paint()
    write = job.write_prepared

    def stored_and_killed(*arguments, **options):
        write(*arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(job, "write_prepared", stored_and_killed)
    with pytest.raises(KeyboardInterrupt):
        session.correct()
    session.crash()
    again = Session(tmp_path)
    assert again.has_review()
    assert again.autosave.restorable_files(again.case) == session.edits != []


def test_a_correction_that_cannot_be_written_changes_nothing(tmp_path, monkeypatch):
    session = Session(tmp_path)
    session.review()

    def full(*arguments, **options):
        raise OutputError("the disk is full")

    monkeypatch.setattr(job, "write_prepared", full)
    with pytest.raises(OutputError):
        session.correct()
    assert session.has_review() and Session(tmp_path).has_review()


def test_a_correction_of_another_scan_at_the_same_place_has_nothing_of_the_first(tmp_path):
    session = Session(tmp_path)
    session.review()
    session.correct()
    session.crash()
    session.folder.rename(tmp_path / "earlier")
    session.scan.rename(tmp_path / "earlier scan")
    prepare(session.scan, session.folder, times=2)
    other = Session(tmp_path)
    assert not other.has_review()
    other.correct()
    assert not other.has_review()
    other.review()
    assert session.has_review() and other.has_review()
    assert len(list(data_folder().glob("decisions/*"))) == 2


@pytest.mark.parametrize("brain_from", [6, 11], ids=["outside", "in the middle"])
def test_a_mask_that_was_exported_before_the_correction_opens_with_the_corrected_images(
    tmp_path, monkeypatch, brain_from
):
    session = Session(tmp_path)
    path = session.folder / "Pat_smalltumor.nii.gz"
    export_case(session.viewer, session.case, path, scheme="brats2018")
    assert recorded_images(read_label_volume(path))
    session.correct(brain_from=brain_from)
    warned: list[str] = []
    monkeypatch.setattr(notify, "warn", warned.append)
    again = ViewerModel()
    open_case(again, session.folder)
    case = case_of(again.layers[0])
    assert set(region_layers(again.layers, case)) == set(Region)
    assert not any("made of other images" in text for text in warned)
    elsewhere = tmp_path / "masks" / path.name
    elsewhere.parent.mkdir()
    path.rename(elsewhere)
    viewer = ViewerModel()
    for opened in (session.folder, elsewhere):
        open_and_remember(viewer, opened)
    assert len({patient_of(layer) for layer in viewer.layers}) == 1
    assert not any("made of other images" in text for text in warned)


def test_a_mask_on_a_native_grid_records_no_images_of_the_grid_of_t1ce(tmp_path):
    session = Session(tmp_path)
    path = tmp_path / "Pat_t2_smalltumor.nii.gz"
    export_case(session.viewer, session.case, path, scheme="brats2018", native="t2")
    assert recorded_images(read_label_volume(path)) == {}


@pytest.mark.parametrize("step", ["reading the scan", "writing the case"])
def test_no_image_of_another_patient_is_replaced_whose_files_came_meanwhile(tmp_path, step):
    session = Session(tmp_path)
    other = tmp_path / "other"
    prepare(tmp_path / "other_scan", other, times=2)

    def progress(fraction: float, name: str) -> None:
        if name == step:
            for file in other.iterdir():
                (session.folder / file.name).write_bytes(file.read_bytes())

    brain = stored_case(session.case).brain.copy()
    brain[:12] = False
    job = CorrectionJob(session.case, session.scan, Correction(brain=brain))
    with pytest.raises(CaseError, match="nothing was corrected"):
        job(progress, lambda: False)
    for file in other.iterdir():
        assert (session.folder / file.name).read_bytes() == file.read_bytes()


@pytest.mark.parametrize("is_corrected", [False, True])
def test_that_images_were_changed_after_the_mask_is_known_when_it_is_opened_again(
    tmp_path, is_corrected
):
    session = Session(tmp_path)
    export_case(
        session.viewer, session.case, session.folder / "Pat_smalltumor.nii.gz", scheme="brats2018"
    )
    if is_corrected:
        session.correct()
    viewer = ViewerModel()
    open_case(viewer, session.folder)
    case = case_of(viewer.layers[0])
    assert region_layers(viewer.layers, case).keys() == set(Region)
    assert is_outdated(viewer.layers, case) == is_corrected
    texts = [text for text in mask_beside(case).warnings if "segment the case again" in text]
    assert len(texts) == is_corrected
    assert not is_corrected or texts[0].startswith(
        "FLAIR, T1CE, T1 and T2 were changed after Pat_smalltumor.nii.gz was made"
    )
