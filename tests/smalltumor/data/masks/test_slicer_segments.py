"""An expert's mask that was saved by 3D Slicer is read by the names of its segments."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from slicer_files import TERMINOLOGY, write_segments
from smalltumor.cli import main
from smalltumor.data.masks.case_mask import mask_beside
from smalltumor.data.masks.label_files import read_label_volume, read_labels
from smalltumor.data.read_case import read_case
from smalltumor.data.sample import sample_case_folder
from smalltumor.data.volumes.slicer_segments import segments_of
from smalltumor.errors import Action, LabelError
from smalltumor.evaluation.evaluate import evaluate
from smalltumor.labels.masks import compose_classes, region_mask
from smalltumor.labels.regions import Region, TissueClass

pytest.importorskip("SimpleITK")

BACKGROUND, NCR, ED, ET = TissueClass
NAMES_2018 = ("_t1", "_t1ce", "_t2", "_flair")
NAMES_2023 = ("-t1n", "-t1c", "-t2w", "-t2f")
AS_DRAWN = (("Enhancing Tumor", 1), ("Edema", 2), ("Necrosis", 3))


@pytest.fixture(scope="module")
def expert():
    """The expert's classes of the sample case, and its case."""
    case = read_case(sample_case_folder())
    return read_labels(case)[0], case


@pytest.fixture
def patient(tmp_path):
    def make(endings: tuple[str, ...] = NAMES_2023) -> Path:
        images = sample_case_folder()
        for modality, ending in zip(("t1", "t1ce", "t2", "flair"), endings, strict=True):
            source = next(images.glob(f"*_{modality}.nii.gz"))
            shutil.copy(source, tmp_path / f"P{ending}.nii.gz")
        return tmp_path

    return make


def as_drawn(classes: np.ndarray) -> np.ndarray:
    """Enhancing tumour was drawn first, then edema, then necrosis."""
    return np.array([0, 3, 2, 1], np.uint8)[classes]


@pytest.mark.parametrize("name", ["P-seg.nrrd", "Segmentation.seg.nrrd"])
def test_names_of_segments_go_before_names_of_images(expert, patient, name):
    classes, case = expert
    write_segments(patient() / name, as_drawn(classes), case.grid, AS_DRAWN)
    read, scheme = read_labels(read_case(patient()))
    np.testing.assert_array_equal(read, classes)
    assert scheme.name == "segment names"


def test_a_report_of_a_mask_with_two_segments_knows_its_classes(expert, patient):
    classes, case = expert
    stored = np.array([0, 0, 2, 1], np.uint8)[classes]
    write_segments(patient(NAMES_2018) / "P_seg.nrrd", stored, case.grid, AS_DRAWN[:2])
    mask = mask_beside(read_case(patient(NAMES_2018)))
    np.testing.assert_array_equal(mask.classes, np.where(classes == NCR, 0, classes))
    assert mask.known == (BACKGROUND, ED, ET)


def test_the_terminology_names_segments_that_have_no_name_of_their_own(expert, patient):
    classes, case = expert
    codes = {"Enhancing Lesion": "C113842", "Edema": "79654002", "Necrosis": "6574001"}
    tags = [TERMINOLOGY.format(code=code, meaning=meaning) for meaning, code in codes.items()]
    named = [(f"Segment_{n}", n) for n in (1, 2, 3)]
    write_segments(patient() / "P-seg.nrrd", as_drawn(classes), case.grid, named, tags=tags)
    np.testing.assert_array_equal(read_labels(read_case(patient()))[0], classes)


def test_the_values_decide_if_no_name_is_known(expert, patient):
    classes, case = expert
    named = [(f"Segment_{n}", n) for n in (1, 2, 3)]
    write_segments(patient() / "P-seg.nrrd", as_drawn(classes), case.grid, named)
    assert read_labels(read_case(patient()))[1].name == "brats2023"


def test_a_name_that_contradicts_the_names_of_the_images_is_refused(expert, patient):
    classes, case = expert
    named = (("Enhancing Tumor", 1), ("Segment_2", 2), ("Segment_3", 3))
    write_segments(patient() / "P-seg.nrrd", as_drawn(classes), case.grid, named)
    said = r'P-seg\.nrrd: the segment "Enhancing Tumor" has the value 1, which is necrosis'
    with pytest.raises(LabelError, match=said) as refused:
        read_labels(read_case(patient()))
    assert refused.value.remedy.action is Action.NAME_SCHEME
    read, _ = read_labels(read_case(patient()), "brats2024-ped")
    np.testing.assert_array_equal(read == ET, classes == ET)


@pytest.mark.parametrize("last", [(), (("Resection cavity", 1),)])
def test_layers_of_regions_are_nested(expert, patient, last):
    classes, case = expert
    wt, tc, et = (region_mask(classes, region) for region in (Region.WT, Region.TC, Region.ET))
    masks = [wt, tc, et, np.roll(et, 40)][: 3 + len(last)]
    path = patient() / "P-seg.seg.nrrd"
    named = (("Whole Tumor", 1), ("TC", 1), ("enhancing", 1), *last)
    layered = np.stack(masks, axis=-1).astype(np.uint8)
    write_segments(path, layered, case.grid, named, layers=range(len(named)))
    read, _ = read_labels(read_case(patient()))
    np.testing.assert_array_equal(read, compose_classes(et, tc, wt))


@pytest.mark.parametrize("names", [("ET", "Edema", "Necrosis"), ("WT", "TC", "GTV"), ("WT", "TC")])
def test_other_layers_are_refused_in_words(expert, tmp_path, names):
    classes, case = expert
    layered = np.stack([classes == n for n in range(len(names))], axis=-1).astype(np.uint8)
    path = tmp_path / "P.seg.nrrd"
    segments = [(name, 1) for name in names]
    write_segments(path, layered, case.grid, segments, layers=range(len(names)))
    with pytest.raises(LabelError, match=r'P\.seg\.nrrd holds segments that overlap \("'):
        read_label_volume(path)


def test_masks_are_evaluated_by_the_names_of_their_segments(expert, tmp_path):
    classes, case = expert
    truth = next(sample_case_folder().glob("*_seg.nii.gz"))
    write_segments(tmp_path / "P.seg.nrrd", as_drawn(classes), case.grid, AS_DRAWN)
    evaluation = evaluate(tmp_path / "P.seg.nrrd", truth)
    assert evaluation.prediction_scheme == "segment names"
    assert [s.overlap.dice for s in evaluation.cases[0].regions.values()] == [1, 1, 1]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Enhancing Tumor", "2 components of enhancing tumour"),
        ("Whole tumour", "pass --labels mask for the mask of a region"),
    ],
)
def test_lesions_reads_a_single_segment_by_its_name(expert, tmp_path, capsys, name, said):
    classes, case = expert
    path = tmp_path / "P.seg.nrrd"
    write_segments(path, (classes == ET).astype(np.uint8), case.grid, [(name, 1)])
    main(["lesions", str(path)])
    output = capsys.readouterr()
    assert said in output.out + output.err


@pytest.mark.parametrize("key", ["Segment{}_Name", "Segment0_LabelValue", "Segment0_Layer"])
def test_a_number_of_any_length_in_a_header_is_no_error(key):
    long = "9" * 5000
    header = {"Segment0_Name": "Edema", "Segment0_LabelValue": "2", key.format(long): long}
    (segment,) = segments_of(header, header.__getitem__)
    assert segment.name == "Edema"
    assert (segment.value == 2) == (key != "Segment0_LabelValue")
