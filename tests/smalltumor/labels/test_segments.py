"""What the names of segments say."""

from __future__ import annotations

import pytest
from smalltumor.errors import Action, LabelError
from smalltumor.labels.regions import Region, TissueClass
from smalltumor.labels.schemes import READ_SCHEMES
from smalltumor.labels.segment_names import meaning_of_name
from smalltumor.labels.segments import Segment, check_names, region_of_segments, scheme_of_segments

CAVITY, NCR, ED, ET = TissueClass
NAMES = {
    ET: "ET|enhancing|Enhancing Tumor|enhancing tumour (ET)|ET - Enhancing tumour|Label 3: ET|"
    "Enhancing Lesion|contrast-enhancing tumor|ET_2|GD-enhancing tumor",
    NCR: "NCR|NET|NCR/NET|NETC|Necrosis|necrotic core|Non-enhancing tumor core|nonenhancing tumour|"
    "Necrosis / non-enhancing core|necrotic and non-enhancing tumor core (NCR/NET)",
    ED: "ED|Edema|oedema|Peritumoral edema|SNFH|peritumoural oedema (ED)|FLAIR hyperintensity|"
    "surrounding non-enhancing FLAIR hyperintensity|Edema/invaded tissue",
    Region.TC: "TC|tumour core|Tumor_core|Tumor Core (TC)",
    Region.WT: "WT|Whole tumor|whole-tumour|Whole Tumor (WT)",
    CAVITY: "RC|Resection cavity|resection cavity (RC)",
    None: "Segment_1|GTV|Tumor|Mass|Tissue|Lesion 2||ET and edema|tumor core, non-enhancing|brain",
}


@pytest.mark.parametrize(
    ("name", "meaning"),
    [(n, meaning) for meaning, names in NAMES.items() for n in names.split("|")],
)
def test_the_name_of_a_segment_says_its_class_or_region(name, meaning):
    assert meaning_of_name(name) == meaning


def segments(**values: int) -> list[Segment]:
    return [Segment(name.replace("_", " "), value) for name, value in values.items()]


@pytest.mark.parametrize(
    ("named", "classes"),
    [
        ({"ET": 1, "Edema": 2, "Necrosis": 3}, {1: ET, 2: ED, 3: NCR}),
        ({"Edema": 1}, {1: ED}),
        ({"ET": 1, "TC": 2, "WT": 3}, {1: ET, 2: NCR, 3: ED}),
        ({"ET": 4, "Necrosis": 1, "WT": 2}, {4: ET, 1: NCR, 2: ED}),
        ({"ET": 1, "ED": 2, "NCR": 3, "RC": 4}, {1: ET, 2: ED, 3: NCR, 4: CAVITY}),
        ({"ET": 1, "enhancing lesion": 2}, {1: ET, 2: ET}),
    ],
)
def test_names_make_a_scheme_whatever_the_numbers_are(named, classes):
    scheme = scheme_of_segments(segments(**named), [0, *classes])
    assert scheme.classes == {0: CAVITY, **classes}


@pytest.mark.parametrize("named", [{}, {"GTV": 1}, {"ET": 2, "Segment_1": 1}, {"ET": 2}])
def test_a_value_without_a_known_name_makes_no_scheme(named):
    assert scheme_of_segments(segments(**named), [0, 1, 2]) is None


@pytest.mark.parametrize("named", [{"WT": 1}, {"TC": 1}, {"WT": 1, "ET": 2}, {"TC": 1, "ED": 2}])
def test_a_region_whose_classes_are_not_told_apart_is_refused(named):
    with pytest.raises(LabelError, match="no other segments tell which classes") as refused:
        scheme_of_segments(segments(**named), [0, *named.values()])
    assert refused.value.remedy.action is Action.READ_AS_MASK


@pytest.mark.parametrize(("name", "region"), [("ET", "et"), ("Whole tumour", "wt"), ("NCR", None)])
def test_the_only_segment_tells_the_region_of_a_mask(name, region):
    assert region_of_segments([Segment(name, 1)], [0, 1]) == region


def test_the_terminology_tells_what_a_name_does_not():
    assert Segment("Segment_2", 1, terminology="Edema").meaning is ED
    assert Segment("Segment_2", 1, terminology="Tissue").meaning is None
    assert Segment("ET", 1, terminology="Tissue").meaning is ET
    with pytest.raises(LabelError, match='"ET" is Necrosis by its terminology'):
        _ = Segment("ET", 1, terminology="Necrosis").meaning


def test_a_known_name_that_contradicts_the_scheme_is_refused():
    named = segments(Segment_1=1, Edema=2, Enhancing_tumor=3)
    check_names(named, [0, 1, 2, 3], READ_SCHEMES["brats2023"])
    check_names(named, [0, 1], READ_SCHEMES["msd"])
    with pytest.raises(LabelError) as refused:
        check_names(named, [0, 1, 2, 3], READ_SCHEMES["msd"])
    assert str(refused.value) == (
        'the segment "Edema" has the value 2, which is necrosis or non-enhancing core in the '
        "scheme msd"
    )
    assert refused.value.remedy.action is Action.NAME_SCHEME
