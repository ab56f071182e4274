"""Label schemes and nested regions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from smalltumor.errors import Action, LabelError, Remedy
from smalltumor.labels.masks import compose_classes, region_mask
from smalltumor.labels.regions import Region, TissueClass
from smalltumor.labels.schemes import READ_SCHEMES, SCHEMES, detect_scheme, integer_values

CLASSES = hnp.arrays(np.uint8, (3, 4, 5), elements=st.integers(0, 3))
MASKS = hnp.arrays(bool, (3, 4, 5))


@pytest.mark.parametrize(
    ("scheme", "stored"),
    [("brats2018", [0, 1, 2, 4]), ("brats2023", [0, 1, 2, 3]), ("msd", [0, 2, 1, 3])],
)
def test_each_scheme_has_the_published_values(scheme, stored):
    classes = np.array(
        [TissueClass.BACKGROUND, TissueClass.NCR, TissueClass.ED, TissueClass.ET], np.uint8
    )
    np.testing.assert_array_equal(SCHEMES[scheme].encode(classes), stored)


@given(CLASSES, st.sampled_from(sorted(SCHEMES)))
def test_encoding_and_decoding_are_inverse(classes, scheme):
    stored = SCHEMES[scheme].encode(classes)
    assert stored.dtype == np.uint8
    for dtype in (np.uint8, np.int16, np.uint16, np.float32, np.float64):
        back = SCHEMES[scheme].decode(stored.astype(dtype))
        assert back.dtype == np.uint8
        np.testing.assert_array_equal(back, classes)


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_order_in_memory_stays(order):
    classes = np.array(np.arange(24).reshape(2, 3, 4) % 4, dtype=np.uint8, order=order)
    stored = SCHEMES["msd"].encode(classes)
    assert stored.strides == classes.strides
    assert SCHEMES["msd"].decode(stored).strides == classes.strides


def test_a_class_that_does_not_exist_is_no_label():
    for wrong in (np.array([4], np.uint8), np.array([-1], np.int16)):
        with pytest.raises(IndexError):
            SCHEMES["brats2023"].encode(wrong)


def test_a_value_of_another_scheme_is_refused():
    with pytest.raises(LabelError) as refused:
        SCHEMES["brats2023"].decode(np.array([0, 7, 1, 4], np.uint8))
    assert str(refused.value) == ("label values 4, 7 are not in the scheme brats2023 (0, 1, 2, 3)")


@pytest.mark.parametrize("stored", [[0.5], [-1.0], [np.nan], [np.inf]])
def test_fractional_negative_and_infinite_values_are_refused(stored):
    with pytest.raises(LabelError, match="whole numbers"):
        integer_values(np.array(stored))


def test_at_most_eight_invalid_values_are_listed():
    with pytest.raises(LabelError) as refused:
        integer_values(np.arange(0.5, 20))
    assert str(refused.value) == (
        "label values 0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5 are not whole numbers from 0 up; "
        "if the mask was resampled, do it again with nearest neighbours, and save it as a label map"
    )


@pytest.mark.parametrize("values", [[0, 1, 2, 4], [0, 3], [0, 1], [0, 4, 200]])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32])
def test_label_values_are_found_in_any_data_type(values, dtype):
    volume = np.array(values, dtype)[np.arange(60).reshape(3, 4, 5) % len(values)]
    assert integer_values(volume) == values


# From the pages of the challenges, and the papers of BraTS 2015 (TMI 34:1993), BraTS-PEDs 2024
# (arXiv 2404.15009), BraTS 2024 (arXiv 2405.18368) and HD-GLIO (Lancet Oncol 20:728).
READ = {
    "brats2013": {1: "NCR", 2: "ED", 3: "NCR", 4: "ET"},
    "brats2018": {1: "NCR", 2: "ED", 4: "ET"},
    "brats2023": {1: "NCR", 2: "ED", 3: "ET"},
    "brats2024": {1: "NCR", 2: "ED", 3: "ET", 4: "BACKGROUND"},
    "brats2024-ped": {1: "ET", 2: "NCR", 3: "NCR", 4: "ED"},
    "hd-glio": {1: "ED", 2: "ET"},
    "msd": {1: "ED", 2: "NCR", 3: "ET"},
}


@pytest.mark.parametrize("scheme", READ_SCHEMES)
def test_each_scheme_is_read_as_its_data_set_defines_it(scheme):
    stored = np.array([0, *READ[scheme]], np.uint8)
    classes = READ_SCHEMES[scheme].decode(stored)
    assert [TissueClass(c).name for c in classes] == ["BACKGROUND", *READ[scheme].values()]


@pytest.mark.parametrize(
    ("values", "hint", "expected"),
    [
        ([0, 1, 2, 4], "brats2018", "brats2018"),
        ([1, 2, 3], "brats2023", "brats2023"),
        ([1, 2, 3], "msd", "msd"),
        ([1, 2], "brats2018", "brats2018"),
        ([1, 2], "msd", "msd"),
        ([1, 2, 3, 4], "brats2013", "brats2013"),
        ([1, 2, 4], "brats2023", "brats2024"),
        ([1, 2, 3, 4], "brats2023", "brats2024"),
        ([1, 2, 4], "brats2024-ped", "brats2024-ped"),
        ([1, 2], "hd-glio", "hd-glio"),
        ([0], None, "brats2018"),
        ([0], "msd", "msd"),
    ],
)
def test_the_scheme_is_detected_from_values_and_naming(values, hint, expected):
    assert detect_scheme(values, hint).name == expected


@pytest.mark.parametrize(
    ("values", "hint"),
    [
        ([1, 2, 3], None),
        ([1, 2, 4], None),
        ([4], None),
        ([1, 2, 3, 4], None),
        ([1, 2], None),
        ([1, 2, 3], "brats2018"),
        ([1, 2, 3], "brats2024-ped"),
        ([1, 2, 4], "msd"),
    ],
)
def test_an_ambiguous_scheme_is_refused(values, hint):
    with pytest.raises(LabelError) as refused:
        detect_scheme(values, hint)
    assert refused.value.remedy == Remedy(Action.NAME_SCHEME)


@pytest.mark.parametrize("hint", [None, *(h for h in READ_SCHEMES if h != "hd-glio")])
def test_a_one_alone_is_not_taken_for_a_class_whatever_the_files_are_named_after(hint):
    with pytest.raises(LabelError, match="label value 1 alone") as refused:
        detect_scheme([0, 1], hint)
    assert refused.value.remedy == Remedy(Action.NAME_REGION)


@pytest.mark.parametrize(
    ("value", "hint", "tissue"),
    [
        (2, "brats2018", TissueClass.ED),
        (4, "brats2018", TissueClass.ET),
        (2, "brats2023", TissueClass.ED),
        (3, "brats2023", TissueClass.ET),
        (2, "msd", TissueClass.NCR),
        (1, "hd-glio", TissueClass.ED),
    ],
)
def test_another_value_alone_is_a_class_of_the_data_set(value, hint, tissue):
    assert detect_scheme([0, value], hint).classes[value] == tissue


def test_the_schemes_that_fit_are_listed():
    with pytest.raises(LabelError) as refused:
        detect_scheme([4, 2])
    assert str(refused.value) == (
        "label values 2, 4 fit brats2018 (2 ED, 4 ET), brats2013 (2 ED, 4 ET), brats2024 (2 ED, "
        "4 RC) and brats2024-ped (2 NCR, 4 ED), which differ"
    )
    with pytest.raises(LabelError) as refused:
        detect_scheme([1, 2, 4], "msd")
    assert str(refused.value).endswith(", but the files are named as those of msd")


def test_values_of_no_scheme_are_listed_with_the_known_ones():
    with pytest.raises(LabelError) as refused:
        detect_scheme([1, 7])
    assert str(refused.value).startswith(
        "label values 1, 7 fit no scheme; known are brats2018 (0, 1, 2, 4); brats2023 (0, 1, 2, 3)"
    )


@given(CLASSES)
def test_region_masks_are_nested_and_compose_to_the_classes(classes):
    et, tc, wt = (region_mask(classes, region) for region in Region)
    assert not np.any(et & ~tc)
    assert not np.any(tc & ~wt)
    np.testing.assert_array_equal(compose_classes(et, tc, wt), classes)


@given(MASKS, MASKS, MASKS)
def test_the_inner_region_has_priority(et, tc, wt):
    classes = compose_classes(et, tc, wt)
    np.testing.assert_array_equal(region_mask(classes, Region.ET), et)
    np.testing.assert_array_equal(region_mask(classes, Region.TC), et | tc)
    np.testing.assert_array_equal(region_mask(classes, Region.WT), et | tc | wt)
