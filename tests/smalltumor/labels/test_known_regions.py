"""Which regions a mask tells, by the classes of its label scheme."""

from __future__ import annotations

from itertools import chain, combinations

import pytest
from smalltumor.labels.missing_classes import missing_classes_text
from smalltumor.labels.regions import (
    REGION_CLASSES,
    Region,
    TissueClass,
    classes_of_regions,
    known_regions,
)
from smalltumor.labels.schemes import (
    READ_SCHEMES,
    SCHEMES,
    scheme_of_header,
    whole_scheme,
    with_classes,
)

NIFTI_INTENT_NAME_BYTES = 15  # and a zero at the end
EDEMA_ONLY = (TissueClass.BACKGROUND, TissueClass.ED)


@pytest.mark.parametrize("name", [name for name in READ_SCHEMES if name != "hd-glio"])
def test_a_scheme_with_all_classes_tells_all_regions(name):
    known = READ_SCHEMES[name].known_classes
    assert known_regions(known) == tuple(Region)
    assert missing_classes_text(known) == ""


def test_a_region_is_told_only_with_all_of_its_classes():
    assert known_regions(READ_SCHEMES["hd-glio"].known_classes) == (Region.ET,)
    assert known_regions((TissueClass.NCR, TissueClass.ET)) == (Region.ET, Region.TC)
    assert known_regions(EDEMA_ONLY) == ()


def test_the_missing_classes_are_named():
    text = "no class for necrosis or non-enhancing core"
    assert missing_classes_text(READ_SCHEMES["hd-glio"].known_classes) == text
    assert missing_classes_text(EDEMA_ONLY) == f"{text} or enhancing tumour"
    of_et = missing_classes_text(EDEMA_ONLY, REGION_CLASSES[Region.ET])
    assert of_et == "no class for enhancing tumour"


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_the_name_of_a_scheme_in_a_header_tells_the_classes_of_its_file(scheme):
    tumour = tuple(TissueClass)[1:]
    for known in chain.from_iterable(combinations(tumour, count) for count in (1, 2, 3)):
        written = with_classes(scheme, known)
        assert len(written.name.encode()) <= NIFTI_INTENT_NAME_BYTES
        assert scheme_of_header(written.name) == written
        assert set(written.known_classes) == {TissueClass.BACKGROUND, *known}
        assert all(written.values[tissue] == scheme.values[tissue] for tissue in known)
        assert whole_scheme(written.name) is scheme
    assert with_classes(scheme, ()) is scheme
    assert scheme_of_header("") is whole_scheme("") is None


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_a_class_that_another_program_added_has_its_value_in_the_whole_scheme(scheme):
    name = with_classes(scheme, (TissueClass.ED, TissueClass.ET)).name
    assert scheme_of_header(name, {0, scheme.et, scheme.ncr}) == scheme
    found = scheme_of_header(name, {9})
    assert found is not None and found.name == name


@pytest.mark.parametrize("count", range(4))
def test_masks_of_regions_tell_the_classes_between_them(count):
    for regions in combinations(Region, count):
        known = classes_of_regions(regions)
        for tissue in set(TissueClass) - {TissueClass.BACKGROUND}:
            inside = {r for r in Region if tissue in REGION_CLASSES[r]}
            others = [
                {r for r in Region if other in REGION_CLASSES[r]}
                for other in set(TissueClass) - {tissue}
            ]
            is_told = all((inside ^ other) & set(regions) for other in others)
            assert (tissue in known) == is_told
