"""A case of a worklist is opened with its own stored candidates, or with the reason why not."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from napari.layers import Layer
from second_look_cases import Spot, ball
from smalltumor.cohort.results.folder_settings import FolderSettings
from smalltumor.cohort.results.records import CohortCaseRecord
from smalltumor.cohort.results.results_folder import TABLE, ResultsFolder
from smalltumor.cohort.results.stored_mask import read_stored_mask
from smalltumor.cohort.reviews import stored_candidates
from smalltumor.cohort.reviews.worklist import read_worklist
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.data.segmentation import write_segmentation
from smalltumor.errors import CaseError
from smalltumor.labels.regions import Region, TissueClass
from stored_results import write_results

from napari_smalltumor import notify, questions
from napari_smalltumor.layers.metadata import cases_among, region_layers, role_of
from napari_smalltumor.lesions.second_look.origins import StoredOrigin, origin_of
from napari_smalltumor.worklist import review_layers
from napari_smalltumor.worklist.review_layers import layers_to_review
from napari_smalltumor.worklist.session import ReviewSession

FOUND = Spot((24, 42, 28), 4, 500, logit=8)
OF_ANN, OF_BOB = Spot((42, 30, 32), 4, 500, logit=3.2), Spot((42, 30, 20), 4, 500, logit=3.2)


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    spots = {"ann": (FOUND, OF_ANN), "bob": (FOUND, OF_BOB)}
    return write_results(tmp_path_factory.mktemp("cohort"), spots)


@pytest.fixture
def output(written, tmp_path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "out"))


@pytest.fixture
def files(output) -> ResultsFolder:
    return ResultsFolder(output)


@pytest.fixture
def warned(monkeypatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(notify, "warn", found.append)
    return found


def open_case(viewer, output: Path, name: str = "ann"):
    """Open a case of the results; give its layer of ET."""
    worklist = read_worklist(output)
    session = ReviewSession(viewer)
    assert session.open(worklist, next(e for e in worklist.entries if e.name == name))
    case = next(case for case in cases_among(viewer.layers) if case.name == name)
    return region_layers(viewer.layers, case)[Region.ET]


def stored_of(layer):
    return role_of(layer).candidates


def test_each_case_has_its_own_candidates(viewer, output, warned):
    ann, bob = (stored_of(open_case(type(viewer)(), output, name)) for name in ("ann", "bob"))
    for stored, own, others in ((ann, OF_ANN, OF_BOB), (bob, OF_BOB, OF_ANN)):
        assert not stored.problem and not stored.score_warning and len(stored.found) == 1
        voxels = np.concatenate([each.voxels for each in stored.candidates])
        assert ball(own.centre, own.radius)[tuple(voxels.T)].any()
        assert not ball(others.centre, others.radius)[tuple(voxels.T)].any()
    assert not warned


def test_a_case_that_folders_tell_apart_is_opened_under_its_own_name(viewer, output):
    worklist = read_worklist(output)
    entry = next(each for each in worklist.entries if each.name == "ann")
    named = replace(entry.files, own_name="P7")
    data, begun = layers_to_review(worklist, replace(entry, files=named), [])
    assert {role_of(Layer.create(*each)).case.name for each in data} == {"P7"}
    assert begun.case == "ann"


def test_a_case_that_was_segmented_again_is_not_opened_from_the_list_of_before(
    viewer, output, files
):
    worklist = read_worklist(output)
    entry = next(each for each in worklist.entries if each.name == "ann")
    table = output / TABLE
    table.write_text(table.read_text().replace("segmented", "kept"))
    layers_to_review(worklist, entry, [])  # the mask is the same
    other_masks_table(files)
    with pytest.raises(CaseError, match=r"ann was segmented again.*; open the results again"):
        layers_to_review(worklist, entry, [])
    worklist = read_worklist(output)
    layers_to_review(worklist, next(e for e in worklist.entries if e.name == "ann"), [])


def test_a_case_that_a_run_under_way_has_not_reached_is_opened_unless_it_is_to_be_replaced(
    output, files
):
    worklist = read_worklist(output)
    entry = next(each for each in worklist.entries if each.name == "bob")
    table = output / TABLE
    rows = table.read_text().splitlines(keepends=True)
    table.write_text("".join(row for row in rows if not row.startswith("bob,")))
    layers_to_review(worklist, entry, [])
    settings = FolderSettings.read(output)
    replace(settings, generation=settings.generation + 1, outdated=("bob",)).write(output)
    with pytest.raises(CaseError, match="bob has no mask of the present run, which is under way"):
        layers_to_review(worklist, entry, [])
    settings.write(output)
    other_masks_table(files, "bob")
    with pytest.raises(CaseError, match="bob was segmented again, or its mask corrected"):
        layers_to_review(worklist, entry, [])


def test_a_review_is_not_of_what_is_listed_of_a_later_run(viewer, output, files):
    before, session = read_worklist(output), ReviewSession(viewer)
    entry = next(each for each in before.entries if each.name == "ann")
    assert session.open(before, entry) and session.is_on(before, entry)
    other_masks_table(files)
    after = read_worklist(output)
    later = next(each for each in after.entries if each.name == "ann")
    assert session.is_active and not session.is_on(after, later)


def test_candidates_that_were_not_written_are_no_fault(viewer, output, files, warned):
    files.candidates("ann").unlink()
    stored = stored_of(open_case(viewer, output))
    assert stored.is_missing and not stored.candidates and not warned


def other_patients_image(files: ResultsFolder) -> None:
    shutil.copy(files.candidates("bob"), files.candidates("ann"))


def other_patients_table_and_image(files: ResultsFolder) -> None:
    """The masks of both are equal, as of patients in whom the network finds nothing."""
    masks = [read_stored_mask(files.mask(n), n, "brats2018").classes for n in ("ann", "bob")]
    assert np.array_equal(*masks)
    other_patients_image(files)
    shutil.copy(files.lesions("bob"), files.lesions("ann"))


def other_masks_table(files: ResultsFolder, name: str = "ann") -> None:
    rows = files.lesions(name).read_text().splitlines(keepends=True)
    files.lesions(name).write_text("".join(row for row in rows if ",found," not in row))


def changed_mask(files: ResultsFolder) -> None:
    mask = read_stored_mask(files.mask("ann"), "ann", "brats2018")
    classes = mask.classes.copy()
    classes[10, 10, 10] = TissueClass.ET
    path = files.mask("ann")
    write_segmentation(replace(mask, classes=classes), path, scheme="brats2018", overwrite=True)


def damaged_image(files: ResultsFolder) -> None:
    content = files.candidates("ann").read_bytes()
    files.candidates("ann").write_bytes(content[: len(content) // 2])


def other_weights(files: ResultsFolder) -> None:
    record = CohortCaseRecord.read(files.record("ann"))
    replace(record, digest="c0ffee").write(files.record("ann"))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (other_patients_image, "list different candidates"),
        (other_patients_table_and_image, "ann_candidates.nii.gz was replaced since"),
        (other_masks_table, "not of this mask"),
        (changed_mask, "not of this mask"),
        (damaged_image, "ann_candidates.nii.gz"),
        (other_weights, "made with other weights"),
    ],
)
def test_files_that_do_not_belong_to_the_mask_are_refused_and_the_case_opens(
    viewer, output, files, warned, fault, words
):
    fault(files)
    layer = open_case(viewer, output)
    stored = stored_of(layer)
    assert words in stored.problem and not stored.is_missing and not stored.candidates
    assert layer.data.any()
    assert len(warned) == 1 and warned[0].startswith("ann has no second look: ")


def test_a_mask_that_changes_while_candidates_are_read_is_noticed(
    viewer, output, files, monkeypatch, warned
):
    read = stored_candidates.read_candidates

    def slowly(*args):
        found = read(*args)
        changed_mask(files)
        return found

    monkeypatch.setattr(stored_candidates, "read_candidates", slowly)
    assert "while its candidates were read" in stored_of(open_case(viewer, output)).problem


def test_images_that_are_replaced_while_they_are_read_are_not_reviewed(
    output, monkeypatch, tmp_path
):
    read, worklist = review_layers.layers_of_case, read_worklist(output)
    (entry,) = (e for e in worklist.entries if e.name == "ann")
    data = Path(shutil.copytree(entry.files.modalities["t1"][0].parents[1], tmp_path / "data"))
    entry = replace(entry, files=next(c for c in find_cases(data) if c.name == "ann"))
    layers_to_review(worklist, entry, [])

    def slowly(*args, **options):
        shutil.copy(data / "bob" / "bob_t1ce.nii.gz", data / "ann" / "ann_t1ce.nii.gz")
        return read(*args, **options)

    monkeypatch.setattr(review_layers, "layers_of_case", slowly)
    with pytest.raises(CaseError, match="ann: its images were replaced while they were read"):
        layers_to_review(worklist, entry, [])


def test_a_reviewed_mask_has_the_candidates_of_the_networks_and_not_its_doubts(
    viewer, output, warned, monkeypatch
):
    session = ReviewSession(viewer)
    worklist = read_worklist(output)
    session.open(worklist, next(e for e in worklist.entries if e.name == "ann"))
    monkeypatch.setattr(questions, "confirm", lambda *words: True)  # no place was visited
    (case,) = cases_among(viewer.layers)
    for layer in region_layers(viewer.layers, case).values():
        layer.data_setitem((np.array([0]), np.array([0]), np.array([0])), 1)
    session.save("Anna")
    stored = stored_of(open_case(type(viewer)(), output))
    assert stored.candidates and not stored.found and not warned


def test_a_copy_of_the_layer_has_no_candidates(viewer, output):
    layer = open_case(viewer, output)
    assert isinstance(origin_of(layer), StoredOrigin)
    copy = viewer.add_labels(layer.data, metadata=layer.metadata)
    assert origin_of(copy) is None
