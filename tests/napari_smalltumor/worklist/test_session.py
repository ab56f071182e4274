"""One case of a worklist is open at a time, and its mask is saved beside the network's."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from cohort_results import write_results
from napari.components import ViewerModel
from napari.layers import Layer
from smalltumor.cohort.results.records import CohortCaseRecord, sha256_of_images, sizes_of_images
from smalltumor.cohort.results.results_folder import TABLE, ResultsFolder
from smalltumor.cohort.results.stored_mask import read_stored_mask
from smalltumor.cohort.reviews.worklist import Worklist, read_worklist
from smalltumor.data.identity.image_digests import digests_of_images
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.data.read_case import read_case
from smalltumor.errors import OutputError
from smalltumor.labels.regions import Region

from napari_smalltumor import notify, questions, settings
from napari_smalltumor.autosave.restore_question import RESTORE
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.closing.close_patient import close_patient
from napari_smalltumor.layers.metadata import LayerKind, cases_among, region_layers, role_of
from napari_smalltumor.loading.jobs.job import LoadJob
from napari_smalltumor.loading.open_case import open_and_remember, open_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.worklist import session as module
from napari_smalltumor.worklist import texts
from napari_smalltumor.worklist.session import ReviewSession, review_session
from napari_smalltumor.worklist.visited_places import VisitedPlaces


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> tuple[Path, Path]:
    return write_results(tmp_path_factory.mktemp("cohort"))


@pytest.fixture
def output(written, tmp_path) -> Path:
    return Path(shutil.copytree(written[1], tmp_path / "out"))


@pytest.fixture
def worklist(output) -> Worklist:
    return read_worklist(output)


@pytest.fixture
def session(viewer) -> ReviewSession:
    return ReviewSession(viewer)


@pytest.fixture
def errors(monkeypatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(notify, "report_error", lambda error: found.append(str(error)))
    return found


@pytest.fixture(autouse=True)
def visited(monkeypatch) -> None:
    """The reader has gone to all candidates and small lesions."""
    monkeypatch.setattr(VisitedPlaces, "remaining", 0)


def entry(worklist: Worklist, name: str):
    return next(each for each in worklist.entries if each.name == name)


def regions(viewer):
    (case,) = cases_among(viewer.layers)
    return region_layers(viewer.layers, case)


def paint(viewer) -> None:
    """Add a voxel to WT."""
    layer = regions(viewer)[Region.WT]
    layer.data_setitem((np.array([0]), np.array([0]), np.array([0])), 1)


def mask(path: Path) -> np.ndarray:
    return read_stored_mask(path, "bob", "brats2018").classes


def test_a_case_is_opened_with_the_networks_mask_as_regions(viewer, session, worklist):
    assert session.open(worklist, entry(worklist, "bob"))
    assert active_patient(viewer).title == "bob"
    assert set(regions(viewer)) == set(Region)
    expected = np.count_nonzero(mask(worklist.folder / "bob.nii.gz") == 3)
    assert np.count_nonzero(regions(viewer)[Region.ET].data) == expected
    assert session.is_active


def test_the_next_case_takes_its_place(viewer, session, worklist):
    for name in ("bob", "ann"):
        session.open(worklist, entry(worklist, name))
    assert [patient.name for patient in active_patient(viewer).patients] == ["ann"]
    assert session.current.begun.case == "ann"


def test_edits_that_were_not_saved_are_asked_about(viewer, session, worklist, monkeypatch):
    asked: list[str] = []
    monkeypatch.setattr(
        questions, "ask", lambda *words, harmless: asked.append(words[2]) or harmless
    )
    session.open(worklist, entry(worklist, "bob"))
    paint(viewer)
    assert not session.open(worklist, entry(worklist, "ann"))
    assert len(asked) == 1 and "bob" in asked[0]
    assert active_patient(viewer).title == "bob"


def test_a_reviewed_mask_is_saved_beside_the_networks_and_no_more_asked_about(
    viewer, session, worklist, monkeypatch
):
    network = worklist.folder / "bob.nii.gz"
    before = network.read_bytes()
    session.open(worklist, entry(worklist, "bob"))
    paint(viewer)
    review = session.save("Anna")
    assert review.edited and network.read_bytes() == before
    own = worklist.folder / "reviews" / "Anna" / "bob_review1.nii.gz"
    assert np.count_nonzero(mask(own)) == np.count_nonzero(mask(network)) + 1
    monkeypatch.setattr(questions, "ask", lambda *words, harmless: pytest.fail(words[2]))
    assert session.open(worklist, entry(worklist, "ann"))
    session.open(worklist, entry(worklist, "bob"))
    wt = regions(viewer)[Region.WT]
    assert np.count_nonzero(wt.data) == np.count_nonzero(mask(own))
    assert not session.save("Anna").edited


def test_a_reviewed_mask_records_its_images_and_opens_with_them_alone(
    viewer, session, worklist, written, monkeypatch
):
    warned: list[str] = []
    monkeypatch.setattr(notify, "warn", warned.append)
    session.open(worklist, entry(worklist, "bob"))
    session.save("Anna")
    own = worklist.folder / "reviews" / "Anna" / "bob_review1.nii.gz"
    shutil.copy(own, worklist.folder / "bob_smalltumor.nii.gz")
    recorded = read_stored_mask(own, "bob", "brats2018").made_of
    assert recorded == digests_of_images(read_case(written[0] / "bob"))
    viewer.layers.clear()
    open_case(viewer, written[0] / "bob")
    open_and_remember(viewer, worklist.folder / "bob_smalltumor.nii.gz")
    shown = active_patient(viewer)
    assert len(shown.patients) == 1 and len(shown.layers) == 7
    assert not any("other images" in text for text in warned)


def test_a_mask_is_not_saved_for_another_patient(viewer, session, worklist, written):
    session.open(worklist, entry(worklist, "bob"))
    open_case(viewer, written[0] / "ann")
    with pytest.raises(OutputError, match="ann is active, not bob, which is being reviewed"):
        session.save("Anna")
    assert not (worklist.folder / "reviews").exists()


def test_a_mask_is_not_saved_over_a_faster_readers(viewer, session, worklist):
    session.open(worklist, entry(worklist, "bob"))
    viewer_of_other = type(viewer)()
    other = ReviewSession(viewer_of_other)
    other.open(worklist, entry(worklist, "bob"))
    other.save("Ben")
    with pytest.raises(OutputError, match="Ben has reviewed bob meanwhile"):
        session.save("Anna")


def test_a_case_that_was_closed_is_not_under_review_any_more(viewer, session, worklist):
    session.open(worklist, entry(worklist, "bob"))
    viewer.layers.clear()
    assert session.current is None
    with pytest.raises(OutputError, match="no case of the worklist is open"):
        session.save("Anna")


def test_the_open_case_becomes_active_again_with_its_edits(viewer, session, worklist, written):
    session.open(worklist, entry(worklist, "bob"))
    paint(viewer)
    open_case(viewer, written[0] / "ann")
    assert session.open(worklist, entry(worklist, "bob"))
    assert session.is_active
    assert len(active_patient(viewer).patients) == 2


def test_a_mask_that_is_gone_closes_nothing(viewer, session, worklist, errors):
    session.open(worklist, entry(worklist, "bob"))
    (worklist.folder / "bob.nii.gz").unlink()
    assert not session.open(worklist, entry(worklist, "bob"))
    assert len(errors) == 1 and "bob.nii.gz cannot be read" in errors[0]
    assert session.is_active


def test_a_case_that_cannot_be_opened_closes_nothing(viewer, session, worklist, errors):
    session.open(worklist, entry(worklist, "bob"))
    paint(viewer)
    table = worklist.folder / TABLE
    rows = table.read_text().splitlines(keepends=True)
    table.write_text("".join(row for row in rows if not row.startswith("ann,")))
    (worklist.folder / "ann.nii.gz").unlink()
    assert not session.open(worklist, entry(worklist, "ann"))
    assert len(errors) == 1 and "ann has no mask of the present run" in errors[0]
    assert session.is_active and active_patient(viewer).title == "bob"


def test_regions_that_are_open_are_not_taken_for_the_mask(
    viewer, session, worklist, errors, written
):
    session.open(worklist, entry(worklist, "bob"))
    ReviewSession(viewer).open(worklist, entry(worklist, "bob"))
    assert len(errors) == 1 and "bob has ET, TC or WT open already" in errors[0]


def test_other_images_under_the_name_of_a_case_are_refused(
    viewer, session, written, output, tmp_path, errors
):
    data = Path(shutil.copytree(written[0], tmp_path / "data"))
    with next((data / "bob").iterdir()).open("ab") as file:
        file.write(b" ")
    worklist = read_worklist(output, data)
    session.open(worklist, entry(worklist, "bob"))
    assert errors == ["the images of bob have changed since its mask was made"]
    assert not viewer.layers and session.current is None and not session.opening


def test_a_mask_that_another_program_changed_after_its_review_is_shown_with_a_warning(
    viewer, session, worklist, monkeypatch
):
    session.open(worklist, entry(worklist, "bob"))
    session.save("Anna")
    shutil.copy(
        worklist.folder / "ann.nii.gz", worklist.folder / "reviews" / "Anna" / "bob_review1.nii.gz"
    )
    warned: list[str] = []
    monkeypatch.setattr(notify, "warn", warned.append)
    session.open(worklist, entry(worklist, "bob"))
    assert any("was changed by another program since it was reviewed" in text for text in warned)


def test_a_review_of_other_images_is_not_shown_on_these(
    viewer, session, output, written, tmp_path, monkeypatch
):
    data = Path(shutil.copytree(written[0], tmp_path / "data"))
    worklist = read_worklist(output, data)
    session.open(worklist, entry(worklist, "bob"))
    paint(viewer)
    session.save("Anna")
    session.open(worklist, entry(worklist, "ann"))
    _put_other_images(output, data / "bob")
    worklist = read_worklist(output, data)
    assert entry(worklist, "bob").review is None
    warned: list[str] = []
    monkeypatch.setattr(notify, "warn", warned.append)
    session.open(worklist, entry(worklist, "bob"))
    assert session.current.begun.path == output / "bob.nii.gz"
    assert any("Anna has reviewed bob" in text and "on other images" in text for text in warned)


def test_other_images_of_the_same_size_are_refused(
    viewer, session, output, written, tmp_path, errors
):
    data = Path(shutil.copytree(written[0], tmp_path / "data"))
    path = next((data / "bob").iterdir())
    content = bytearray(path.read_bytes())
    content[4] ^= 1  # the time in the header of gzip
    path.write_bytes(content)
    worklist = read_worklist(output, data)
    session.open(worklist, entry(worklist, "bob"))
    assert errors == ["the images of bob have changed since its mask was made"]


def test_a_review_goes_on_when_its_layers_are_brought_back(viewer, session, worklist):
    session.open(worklist, entry(worklist, "bob"))
    paint(viewer)
    layers = list(viewer.layers)
    viewer.layers.clear()
    assert session.current is None
    viewer.layers.extend(layers)
    assert session.is_active
    assert session.save("Anna").edited


def test_the_same_files_opened_anew_are_no_review(viewer, session, worklist, written):
    session.open(worklist, entry(worklist, "bob"))
    close_patient(viewer, active_patient(viewer).current)
    open_case(viewer, written[0] / "bob")
    assert session.current is None


def test_all_docks_of_a_viewer_have_one_review(viewer, worklist):
    review_session(viewer).open(worklist, entry(worklist, "bob"))
    assert review_session(viewer).is_active


def test_layers_that_come_while_a_case_waits_to_be_read_are_seen(
    viewer, session, worklist, written, errors, monkeypatch
):
    jobs: list[LoadJob] = []
    monkeypatch.setattr(module, "load", lambda viewer, job: jobs.append(job))
    session.open(worklist, entry(worklist, "bob"))
    open_case(viewer, written[0] / "bob")
    assert all(role_of_data(data) is not LayerKind.IMAGE for data in jobs[0].read())


@pytest.fixture
def jobs(monkeypatch) -> list[LoadJob]:
    """What is to be read, in the place of reading it."""
    jobs: list[LoadJob] = []
    monkeypatch.setattr(module, "load", lambda viewer, job: jobs.append(job))
    return jobs


@pytest.mark.parametrize("reviewed", ["active", "not active", "none"])
def test_no_patient_is_active_while_the_next_case_is_read(
    viewer, session, worklist, written, tmp_path, reviewed, request
):
    other = shutil.copytree(written[0] / "bob", tmp_path / "Zoe" / "bob")
    open_case(viewer, other)
    patients = active_patient(viewer)
    zoe = patients.current
    if reviewed != "none":
        session.open(worklist, entry(worklist, "bob"))
        if reviewed == "not active":
            patients.activate(zoe)
    jobs = request.getfixturevalue("jobs")
    assert session.open(worklist, entry(worklist, "ann"))
    assert patients.patients == [zoe] and patients.current is None
    assert not any(layer.visible for layer in viewer.layers)
    assert all(layer.locked for layer in viewer.layers)
    viewer.scene.camera.center = (0.0, 900.0, 900.0)  # as it was for the patient before
    (job,) = jobs
    job.opened([viewer.add_layer(Layer.create(*data)) for data in job.read()])
    assert patients.title == "ann" and session.is_active
    assert max(viewer.scene.camera.center) < 900


def test_if_the_next_case_cannot_be_read_the_user_chooses_who_is_active(
    viewer, session, worklist, written, errors, jobs
):
    open_case(viewer, written[0] / "bob")
    patients = active_patient(viewer)
    bob = patients.current
    session.open(worklist, entry(worklist, "ann"))
    with patients.in_background():  # such as a result that arrives late
        viewer.add_layer(Layer.create(*viewer.layers[0].as_layer_data_tuple()))
    jobs[0].failed(OutputError("gone"))
    assert errors == ["gone"] and patients.current is None
    patients.activate(bob)
    assert patients.current == bob and any(layer.visible for layer in viewer.layers)


def test_a_case_that_has_just_been_read_is_not_left_behind(viewer, session, worklist):
    patients = active_patient(viewer)
    session.open(worklist, entry(worklist, "bob"))
    patients.arrivals._held.add(session.current.patient)
    assert not session.open(worklist, entry(worklist, "ann"))
    patients.finish_arrivals()
    assert session.open(worklist, entry(worklist, "ann"))
    assert [patient.name for patient in patients.patients] == ["ann"]


@pytest.mark.parametrize("reviewed", [True, False])
def test_edits_of_an_older_mask_are_not_restored_without_saying_so(
    viewer, session, worklist, monkeypatch, reviewed
):
    asked: list[str] = []

    def answer(parent, title, text, *answers, harmless):
        if title == "Close the patient?":
            return "Close without saving"
        asked.append(text)
        return harmless

    monkeypatch.setattr(questions, "ask", answer)
    autosave = ensure_autosave(viewer)
    session.open(worklist, entry(worklist, "bob"))
    paint(viewer)
    session.open(worklist, entry(worklist, "ann"))
    autosave.autosave.wait()
    if reviewed:
        other_viewer = type(viewer)()
        other = ReviewSession(other_viewer)
        other.open(worklist, entry(worklist, "bob"))
        regions(other_viewer)[Region.WT].data[1, 1, 1] = 1
        other.save("Ben")
    session.open(worklist, entry(worklist, "bob"))
    asked.clear()
    autosave._ask_about_cases()
    assert len(asked) == 1
    assert ("on another mask: bob WT changed since" in asked[0]) == reviewed


def edit_expert_mask(folder: Path) -> None:
    """Leave edits of an expert's mask beside the images of bob in the autosave."""
    viewer = ViewerModel()
    watcher = ensure_autosave(viewer)
    image = nib.load(next(folder.glob("*_t1ce.nii.gz")))
    expert = np.zeros(image.shape, np.uint8)
    expert[4:6, 4:6, 4:6] = 4
    nib.save(nib.Nifti1Image(expert, image.affine), folder / "bob_seg.nii.gz")
    open_case(viewer, folder)
    (labels,) = (x for x in viewer.layers if role_of(x).kind is LayerKind.TISSUE_CLASSES)
    labels.data_setitem(tuple(np.array([n]) for n in (1, 1, 1)), 4)
    watcher.autosave.save()
    viewer.layers.clear()
    watcher.autosave.wait()
    watcher.autosave.folder.unlock()
    (folder / "bob_seg.nii.gz").unlink()  # a worklist reads it in no event


def test_an_edited_mask_of_an_expert_is_restored_hidden(
    viewer, session, worklist, written, monkeypatch
):
    asked: list[str] = []

    def restore(parent, title, text, *answers, harmless):
        asked.append(text)
        return RESTORE

    edit_expert_mask(written[0] / "bob")
    monkeypatch.setattr(questions, "ask", restore)
    monkeypatch.setattr(notify, "info", lambda text: None)
    shown: list[str] = []
    watcher = ensure_autosave(viewer)
    session.open(worklist, entry(worklist, "bob"))
    events = viewer.layers.events
    events.inserted.connect(
        lambda event: shown.append(event.value.name) if event.value.visible else None
    )
    watcher._ask_about_cases()
    (labels,) = (x for x in viewer.layers if role_of(x).kind is LayerKind.TISSUE_CLASSES)
    assert "such as an expert's, whose layer is hidden" in asked[0] and len(asked) == 1
    assert shown == [] and not labels.visible and labels not in viewer.layers.selection
    assert all(layer.visible for layer in regions(viewer).values())
    assert watcher.autosave.edited(viewer.layers) == [labels.name]


def role_of_data(data) -> LayerKind:
    """The role of a layer that is to be added."""
    return role_of(Layer.create(*data)).kind


def _put_other_images(output: Path, folder: Path) -> None:
    """Other images under the name of a case, which is segmented again."""
    for path in folder.iterdir():
        image = nib.load(path)
        nib.save(nib.Nifti1Image(np.asarray(image.dataobj)[::-1], image.affine), path)
    files = next(case for case in find_cases(folder.parent) if case.name == folder.name)
    record = ResultsFolder(output).record(folder.name)
    sizes, digests = sizes_of_images(files), sha256_of_images(files)
    replace(CohortCaseRecord.read(record), images=sizes, digests=digests).write(record)


@pytest.mark.parametrize("also_draws", [False, True])
def test_restored_edits_are_those_of_the_reader_who_has_made_them(
    viewer, session, worklist, monkeypatch, also_draws
):
    monkeypatch.setattr(questions, "ask", lambda *words, harmless: RESTORE)
    monkeypatch.setattr(notify, "info", lambda text: None)
    settings.put("reader", "carl")
    watcher = ensure_autosave(viewer)
    session.open(worklist, entry(worklist, "bob"))
    paint(viewer)
    watcher.autosave.save()
    viewer.layers.clear()
    watcher.autosave.wait()
    settings.put("reader", "dora")
    session.open(worklist, entry(worklist, "bob"))
    watcher._ask_about_cases()
    if also_draws:
        regions(viewer)[Region.WT].data_setitem(tuple(np.array([1]) for _ in range(3)), 1)
    review = session.save("dora")
    assert review.reader == "dora"
    assert review.editors == (("carl", "dora") if also_draws else ("carl",))
    assert texts.saved(review).endswith("as reviewed by dora.")
