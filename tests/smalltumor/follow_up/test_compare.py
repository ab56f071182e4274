"""Scans of one head are registered and compared; scans of two heads are refused."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from report_cases import ball
from scipy.ndimage import gaussian_filter
from smalltumor.data.case import Case
from smalltumor.data.masks.label_files import read_labels
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation
from smalltumor.errors import CaseError, SmalltumorError
from smalltumor.follow_up import Category, ChangeKind, Scan, compare_scans, registration
from smalltumor.follow_up.compare import _with_distinct_titles
from smalltumor.geometry.grid import Grid
from smalltumor.geometry.resampling import resample, resample_labels
from smalltumor.labels.components import connected_components
from smalltumor.labels.regions import TissueClass
from smalltumor.measures import measure_case

pytest.importorskip("SimpleITK", reason="SimpleITK is not installed: no registration")

SHAPE = (48, 56, 42)
GRID = Grid(SHAPE, np.diag([-3.0, -3.0, 3.0, 1.0]))


def head(seed: int) -> np.ndarray:
    """A brain with gyri of its own: smooth noise in an ellipsoid."""
    where = (np.stack(np.indices(SHAPE), axis=-1) - np.array(SHAPE) / 2) / (np.array(SHAPE) * 0.42)
    brain = np.square(where * (1, 1, 1.1)).sum(-1) + 0.1 * where[..., 1] ** 3 <= 1
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=SHAPE), 1.2)
    return ((500 + 400 * noise / noise.std()).clip(50, 2000) * brain).astype(np.float32)


def scan(image, classes, grid=GRID, name="P", date="") -> Scan:
    case = Case(name, {"t1ce": image}, grid)
    measures = measure_case(case, Segmentation(name, classes, grid))
    return Scan(case, classes, measures, date)


def turned(grid: Grid, degrees: float = 10.0) -> Grid:
    """Where the voxels of a grid lie in a head that has turned by -degrees."""
    a = np.radians(degrees)
    centre = grid.to_patient(np.array(grid.shape) / 2)
    matrix = np.eye(4)
    matrix[:2, :2] = [[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]
    matrix[:3, 3] = centre - matrix[:3, :3] @ centre + (3, -4, 2)
    return Grid(grid.shape, matrix @ grid.affine)


def again(image, classes, name="P2", grid=GRID, **more) -> Scan:
    """A later scan of a head that has turned by 10 degrees."""
    placed = turned(grid)
    moved = resample_labels(classes, grid, placed)
    return scan(resample(image, grid, placed), moved, grid, name, **more)


def test_a_turned_head_is_found_and_its_lesions_are_matched():
    image = head(1)
    earlier, current = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, np.uint8)
    ball(earlier, (16, 27, 20), 3.5)
    ball(current, (16, 27, 20), 5)
    ball(current, (32, 33, 22), 1.5)
    found = compare_scans([scan(image, earlier), again(image, current)])
    assert [each.kind for each in found.changes] == [ChangeKind.NEW, ChangeKind.GROWN]
    assert found.registrations[0].similarity > 0.9
    centre = GRID.to_patient((16, 27, 20))
    matrix = found.registrations[0].matrix
    lesion = found.changes[1].current[0].lesion
    distance = matrix[:3, :3] @ centre + matrix[:3, 3] - lesion.centroid_ras_mm
    assert np.linalg.norm(distance) < 1


def test_two_heads_are_refused():
    empty = np.zeros(SHAPE, np.uint8)
    with pytest.raises(
        CaseError, match=r"\(A\) and the current one \(B\) do not seem to show the same head"
    ):
        compare_scans([scan(head(1), empty, name="A"), scan(head(2), empty, name="B")])


@pytest.mark.slow
def test_a_mirrored_head_is_refused():
    image, empty = head(1), np.zeros(SHAPE, np.uint8)
    with pytest.raises(
        CaseError, match=r"\(P\) or the current one \(P2\) is mirrored: .* of the mirror image"
    ):
        compare_scans([scan(image, empty), again(np.flip(image, 0), empty)])
    with pytest.raises(CaseError, match=r"\(P\) or the current one \(P\) is mirrored"):
        compare_scans([scan(image, empty), scan(np.flip(image, 0), empty)])


def test_a_mirrored_head_that_is_nearly_symmetric_is_refused(monkeypatch):
    """Its similarity is that of a scan of the same head."""
    case = Case("A", {"t1ce": head(1)}, GRID)
    other = Case("B", {"t1ce": resample(head(1), GRID, turned(GRID))}, GRID)

    def measure(earlier, current, on_iteration=None):
        similarity = 0.39 if current is other else 0.8
        return registration.ScanRegistration(np.eye(4), similarity, 0.9)

    monkeypatch.setattr(registration, "measure_registration", measure)
    with pytest.raises(CaseError, match=r"with 0.39, and with that of the mirror image with 0.80"):
        registration.register_scans(case, other)


def test_a_lesion_outside_the_field_of_view_is_neither_gone_nor_new():
    image = head(1)
    both = np.zeros(SHAPE, np.uint8)
    ball(both, (16, 27, 30), 4.5)
    ball(both, (32, 33, 14), 4.5)
    slab = Grid((*SHAPE[:2], 20), GRID.affine @ _moved_by(0, 0, 22))
    whole = scan(image, both)
    part = scan(
        resample(image, GRID, slab), resample_labels(both, GRID, slab), grid=slab, name="P2"
    )
    kinds = {}
    for scans in ([whole, part], [part, whole]):
        found = compare_scans(scans)
        kinds[scans[0].case.name] = [each.kind for each in found.changes]
        assert found.response.category is Category.NOT_EVALUABLE
        assert "could not be compared" in found.response.reasons[-1]
        (hidden,) = found.of(ChangeKind.NOT_COMPARABLE)
        assert min(hidden.shown_earlier, hidden.shown_current) == 0 and hidden.relative is None
    assert kinds == {name: [ChangeKind.NOT_COMPARABLE, ChangeKind.SAME] for name in ("P", "P2")}


def _moved_by(*voxels: float) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, 3] = voxels
    return matrix


@pytest.mark.parametrize("is_earlier", [True, False])
@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda image: np.full_like(image, 7), "no brain was found in T1CE"),
        (lambda image: image * np.float32(1e34), "out of the range that can be computed with"),
        (lambda image: image.astype(np.float64) * 1e300, "out of the range"),
    ],
    ids=["one value", "too large", "larger than single precision"],
)
def test_an_image_that_cannot_be_registered_is_named(is_earlier, change, text):
    empty = np.zeros(SHAPE, np.uint8)
    good, bad = scan(head(1), empty, name="good"), scan(change(head(1)), empty, name="bad")
    with warnings.catch_warnings(), pytest.raises(CaseError, match=rf"bad\b.*{text}"):
        warnings.simplefilter("error")
        compare_scans([bad, good] if is_earlier else [good, bad])


def test_a_copy_of_the_scan_is_refused():
    empty, image = np.zeros(SHAPE, np.uint8), head(1)
    with pytest.raises(CaseError, match="A and B hold the same T1CE image"):
        compare_scans([scan(image, empty, name="A"), scan(image.copy(), empty, name="B")])


def test_a_similarity_that_is_no_number_is_refused(monkeypatch):
    unknown = registration.ScanRegistration(np.eye(4), float("nan"), 0.9)
    monkeypatch.setattr(registration, "measure_registration", lambda *arguments: unknown)
    cases = [Case("A", {"t1ce": head(seed)}, GRID) for seed in (1, 2)]
    with pytest.raises(CaseError, match="do not seem to show the same head"):
        registration.register_scans(*cases)


def test_one_scan_is_no_comparison():
    with pytest.raises(SmalltumorError, match="two scans or more"):
        compare_scans([scan(head(1), np.zeros(SHAPE, np.uint8))])


@pytest.mark.slow
def test_a_made_follow_up_of_the_sample_is_described_right(sample_folder):
    """One lesion shrunk, one grown, one new of 100 voxels; the head has turned by 10 degrees."""
    case = read_case(sample_folder)
    earlier, _ = read_labels(case)
    current, left, new = _made_later(earlier)
    first = Scan(case, earlier, measure_case(case, Segmentation("P", earlier, case.grid)))
    later = again(case.volumes["t1ce"], current, grid=case.grid)
    found = compare_scans([replace(first, date="2026-01-01"), replace(later, date="2026-03-01")])
    assert [each.kind for each in found.changes] == [
        ChangeKind.NEW,
        ChangeKind.GROWN,
        ChangeKind.SHRUNK,
    ]
    (appeared,), (grown,), (shrunk,) = (
        found.of(c) for c in (ChangeKind.NEW, ChangeKind.GROWN, ChangeKind.SHRUNK)
    )
    assert appeared.current_mm3 == pytest.approx(100, rel=0.15) and appeared.is_small
    assert appeared.current[0].lesion.side == "right"
    assert grown.earlier_mm3 == 319 and grown.current_mm3 == pytest.approx(598, rel=0.1)
    assert shrunk.earlier_mm3 == 10056 and shrunk.current_mm3 == pytest.approx(left, rel=0.1)
    matrix = found.registrations[0].matrix
    expected = matrix[:3, :3] @ case.grid.to_patient(new) + matrix[:3, 3]
    assert appeared.current[0].lesion.centroid_ras_mm == pytest.approx(expected, abs=1)
    assert found.response.category is Category.STABLE_DISEASE
    assert "is not measurable" in found.response.reasons[-1]


def _made_later(earlier: np.ndarray) -> tuple[np.ndarray, int, np.ndarray]:
    """Tissue classes later, what is left of the large lesion, and the centre of the new one."""
    from scipy.ndimage import binary_dilation, binary_erosion

    small, large = (np.zeros(earlier.shape, bool) for _ in range(2))
    components = connected_components(earlier == TissueClass.ET)
    for mask, voxels in zip((small, large), components.voxels, strict=True):
        mask[tuple(voxels.T)] = True
    current = earlier.copy()
    left = binary_erosion(large)
    left[:, :, : int(np.percentile(components.voxels[1][:, 2], 25))] = False
    current[large & ~left] = TissueClass.ED
    current[binary_dilation(small)] = TissueClass.ET
    centre = np.array([95, 150, 75])
    distance = np.square(np.stack(np.indices(earlier.shape), axis=-1) - centre).sum(-1)
    nearest = np.unravel_index(np.argsort(distance.ravel(), kind="stable")[:100], earlier.shape)
    current[nearest] = TissueClass.ET
    return current, int(left.sum()), np.mean(nearest, axis=1)


def test_scans_of_one_name_are_told_apart_by_their_folders():
    empty = np.zeros(SHAPE, np.uint8)
    one = scan(head(1), empty)
    paths = [Path(f"/data/{visit}/P/P_t1ce.nii.gz") for visit in ("first", "second")]
    scans = [replace(one, case=replace(one.case, paths={"t1ce": path})) for path in paths]
    assert [each.title for each in _with_distinct_titles(scans)] == ["P (first)", "P (second)"]
    dated = [replace(each, date=f"2026-0{n}-01") for n, each in enumerate(scans, 1)]
    assert [each.title for each in _with_distinct_titles(dated)] == ["2026-01-01", "2026-02-01"]
    assert [each.title for each in _with_distinct_titles([one, one])] == ["P", "P"]
