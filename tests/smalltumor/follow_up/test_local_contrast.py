"""A lesion that the earlier image shows, but not the earlier mask, is said not to be surely new."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from report_cases import SHAPE, ball, brain_case
from smalltumor.data.segmentation import Segmentation
from smalltumor.follow_up import ChangeKind, FollowUp, Scan, ScanRegistration, compare_registered
from smalltumor.follow_up.local_contrast import LocalContrast
from smalltumor.measures import measure_case
from smalltumor.report import ReportDetails
from smalltumor.report.follow_up_page import follow_up_page, headline

PLACE, RADIUS = (40, 22, 24), 2.5
BESIDE = (40, 31, 24)
UNMOVED = ScanRegistration(np.eye(4), 0.8, 0.98)
NOTHING = np.zeros(SHAPE, np.uint8)


def image(*places: tuple[int, int, int], seed: int = 1) -> np.ndarray:
    """T1CE of a brain with bright balls."""
    brain = brain_case().volumes["t1ce"] > 0
    found = np.random.default_rng(seed).normal(500, 60, SHAPE)
    for place in places:
        found += 300 * (ball(NOTHING.copy(), place, RADIUS) > 0)
    return (found.clip(1) * brain).astype(np.int16)


def scan(name: str, t1ce: np.ndarray, classes: np.ndarray) -> Scan:
    case = brain_case(name)
    case = replace(case, volumes={**case.volumes, "t1ce": t1ce})
    return Scan(case, classes, measure_case(case, Segmentation(name, classes, case.grid)))


def lesion_at(*places: tuple[int, int, int]) -> np.ndarray:
    classes = NOTHING.copy()
    for place in places:
        ball(classes, place, RADIUS)
    return classes


def compared(earlier: Scan, current: Scan, matrix: np.ndarray | None = None) -> FollowUp:
    registration = UNMOVED if matrix is None else ScanRegistration(matrix, 0.8, 0.98)
    return compare_registered([earlier, current], [registration])


def is_bright(follow_up: FollowUp) -> list[bool]:
    return [each.bright_earlier for each in follow_up.of(ChangeKind.NEW)]


CURRENT = scan("P_visit2", image(PLACE, seed=2), lesion_at(PLACE))


def test_a_lesion_that_only_the_earlier_mask_lacks_is_said_wherever_it_is_called_new():
    found = compared(scan("P_visit1", image(PLACE), NOTHING), CURRENT)
    assert is_bright(found) == [True]
    assert headline(found).endswith("; the earlier image is bright here, too)")
    assert found.response.reasons[-1] == (
        "T1CE of the earlier scan is bright at the place of new lesion 1, too: the earlier mask "
        "may lack it"
    )


def test_nothing_is_said_of_a_lesion_that_the_earlier_image_does_not_show():
    found = compared(scan("P_visit1", image(), NOTHING), CURRENT)
    assert is_bright(found) == [False]
    assert "bright" not in headline(found) + "".join(found.response.reasons)


@pytest.mark.parametrize("shows", [True, False])
def test_a_lesion_that_only_the_current_mask_lacks_is_not_surely_gone(shows):
    earlier = scan("P_visit1", image(PLACE), lesion_at(PLACE))
    current = scan("P_visit2", image(PLACE, seed=2) if shows else image(seed=2), NOTHING)
    found = compared(earlier, current)
    (gone,) = found.of(ChangeKind.GONE)
    assert gone.bright_current == shows and not gone.bright_earlier
    said = (
        "T1CE of the current scan is still bright at the place of 1 lesion that is gone: the "
        "current mask may lack it"
    )
    assert (said in found.response.reasons) == shows
    page = follow_up_page(found, ReportDetails())
    assert ("the current image is still bright here" in page) == shows


@pytest.mark.parametrize("shows", [True, False])
def test_the_place_is_found_in_a_head_that_has_moved_and_on_another_scale_of_intensity(shows):
    moved = PLACE[0] + 3, PLACE[1] - 2, PLACE[2] + 1
    earlier = image(moved) if shows else image(PLACE)
    to_current = np.eye(4)
    to_current[:3, 3] = CURRENT.case.grid.affine[:3, :3] @ (-3, 2, -1)
    scaled = (earlier * 2.3).astype(np.int16)
    found = compared(scan("P_visit1", scaled, NOTHING), CURRENT, to_current)
    assert is_bright(found) == [shows]


def test_a_faint_spot_is_not_the_lesion_of_now():
    spot = image() + (0.3 * (image(PLACE) - image())).astype(np.int16)
    assert is_bright(compared(scan("P_visit1", spot, NOTHING), CURRENT)) == [False]


def test_a_known_lesion_beside_a_new_one_is_neither_its_place_nor_its_surroundings():
    current = scan("P_visit2", image(PLACE, BESIDE, seed=2), lesion_at(PLACE, BESIDE))
    known = lesion_at(BESIDE)
    assert is_bright(compared(scan("P_visit1", image(BESIDE), known), current)) == [False]
    assert is_bright(compared(scan("P_visit1", image(PLACE, BESIDE), known), current)) == [True]


def test_a_mask_that_is_not_bright_itself_tells_nothing():
    unlike = scan("P_visit2", image(seed=2), lesion_at(PLACE))
    assert is_bright(compared(scan("P_visit1", image(PLACE), NOTHING), unlike)) == [False]


def test_a_place_at_the_corner_of_the_image_is_no_error():
    corner = scan("P_visit2", image(), lesion_at((0, 0, 0)))
    contrast = LocalContrast(corner.case, corner.classes)
    place = contrast.place_of(corner.measures.lesions[0].lesion)
    assert len(place.around) and contrast.at(place) is None


def test_a_brain_that_is_all_tumour_tells_nothing():
    labels = np.where(CURRENT.case.volumes["t1ce"] > 0, 2, 0).astype(np.uint8)
    current = scan("P_visit2", image(PLACE, seed=2), ball(labels, PLACE, RADIUS))
    assert is_bright(compared(scan("P_visit1", image(PLACE), NOTHING), current)) == [False]
