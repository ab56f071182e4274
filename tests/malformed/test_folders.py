"""Folders that are huge, circular, or not accessible."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest
from smalltumor.data.naming.find_cases import find_cases
from synthetic import write_case


def test_a_case_among_ten_thousand_other_files_is_found(tmp_path, smalltumor):
    case = write_case(tmp_path / "case")
    for number in range(10_000):
        (case / f"note {number}.txt").touch()
    assert smalltumor("segment", case, "-o", tmp_path / "mask.nii.gz")[0] == 0


def test_a_folder_of_2500_cases_is_refused_in_a_short_line(tmp_path, smalltumor):
    folder = tmp_path / "cohort"
    folder.mkdir()
    for number in range(2500):
        for word in ("t1", "t1ce", "t2", "flair"):
            (folder / f"P{number:04}_{word}.nii.gz").touch()
    code, _, err = smalltumor("segment", folder, "-o", tmp_path / "mask.nii.gz")
    assert code == 1
    assert "2500 cases" in err
    assert len(err) < 400
    assert len(find_cases(folder)) == 2500


def test_ten_thousand_images_of_unknown_names_are_refused_in_a_short_line(tmp_path, smalltumor):
    folder = tmp_path / "scans"
    folder.mkdir()
    for number in range(10_000):
        (folder / f"scan{number:05}.nii.gz").touch()
    code, _, err = smalltumor("segment", folder, "-o", tmp_path / "mask.nii.gz")
    assert code == 1
    assert len(err) < 400


def test_a_thousand_files_of_one_modality_are_refused_in_a_short_line(tmp_path, smalltumor):
    folder = tmp_path / "odd"
    folder.mkdir()
    for number in range(2**10):
        word = "".join(c.upper() if number >> n & 1 else c for n, c in enumerate("t1ce"))
        (folder / f"P_{word}.nii{'.gz' if number & 16 else ''}").touch()
    code, _, err = smalltumor("segment", folder, "-o", tmp_path / "mask.nii.gz")
    assert code == 1
    assert len(err) < 1000


def test_circular_folders_are_searched_once(tmp_path, smalltumor):
    case = write_case(tmp_path / "case")
    (case / "again").symlink_to(case)
    (case / "itself").symlink_to(case / "itself")
    assert [files.name for files in find_cases(tmp_path)] == ["case"]
    assert smalltumor("segment", case, "-o", tmp_path / "mask.nii.gz")[0] == 0
    code, _, err = smalltumor("segment", case / "itself", "-o", tmp_path / "other.nii.gz")
    assert code == 1
    assert len(err.splitlines()) == 1


def test_a_folder_500_levels_deep_is_searched(tmp_path, smalltumor):
    deep = tmp_path.joinpath(*["d"] * 500)
    deep.mkdir(parents=True)
    write_case(deep / "case")
    assert len(find_cases(tmp_path)) == 1


def drop_root_privileges() -> None:
    """Make file permissions apply to root as well, by dropping its capabilities (Linux)."""
    if sys.platform == "linux" and os.geteuid() == 0:
        drop, override, read_search = 24, 1, 2
        libc = ctypes.CDLL(None)
        libc.prctl(drop, override, 0, 0, 0)
        libc.prctl(drop, read_search, 0, 0, 0)


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, command)],
        capture_output=True,
        text=True,
        timeout=300,
        preexec_fn=drop_root_privileges,
    )


@pytest.fixture
def segment_unprivileged(tmp_path, narrow_weights):
    """Run `smalltumor segment` as a user to whom file permissions apply."""
    closed = tmp_path / "closed"
    closed.touch(mode=0)
    if run("-c", "import sys; open(sys.argv[1])", closed).returncode == 0:
        pytest.skip("file permissions do not apply to this user")

    def segment(case: Path, mask: Path) -> subprocess.CompletedProcess[str]:
        network = ("--weights", narrow_weights, "--backend", "torch", "--device", "cpu")
        return run("-m", "smalltumor.cli", "segment", case, "-o", mask, *network)

    return segment


@pytest.fixture
def synthetic_folder(tmp_path):
    """A case and an empty folder for results; permissions are restored after the test."""
    case, out = write_case(tmp_path / "case"), tmp_path / "out"
    out.mkdir()
    yield case, out
    case.chmod(0o755)
    out.chmod(0o755)


def only_line(text: str) -> str:
    (line,) = text.splitlines()
    return line


def test_a_read_only_results_folder_is_refused_before_segmenting(
    segment_unprivileged, synthetic_folder
):
    case, out = synthetic_folder
    out.chmod(0o555)
    done = segment_unprivileged(case, out / "mask.nii.gz")
    assert done.returncode == 1
    assert "not writable" in only_line(done.stderr)
    assert list(out.iterdir()) == []


@pytest.mark.slow
def test_a_case_in_a_read_only_folder_is_segmented(segment_unprivileged, synthetic_folder):
    case, out = synthetic_folder
    for path in case.iterdir():
        path.chmod(0o444)
    case.chmod(0o555)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in case.iterdir()}
    done = segment_unprivileged(case, out / "mask.nii.gz")
    assert (done.returncode, done.stderr) == (0, "")
    assert before == {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in case.iterdir()}


def test_an_unreadable_file_is_refused_with_its_name(segment_unprivileged, synthetic_folder):
    case, out = synthetic_folder
    (case / "case_t1ce.nii.gz").chmod(0)
    done = segment_unprivileged(case, out / "mask.nii.gz")
    assert done.returncode == 1
    assert "case_t1ce.nii.gz cannot be read: Permission denied" in only_line(done.stderr)
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("mode", [0, 0o111, 0o444])
def test_an_inaccessible_folder_is_refused(mode, segment_unprivileged, synthetic_folder):
    case, out = synthetic_folder
    case.chmod(mode)
    done = segment_unprivileged(case, out / "mask.nii.gz")
    assert done.returncode == 1
    assert "cannot be read" in only_line(done.stderr)


LISTING = {
    "cases_of_images": "from smalltumor.data.naming.file_names import cases_of_images as look",
    "t1ce_beside": """
from smalltumor.data.identity.mask_images import t1ce_beside
look = lambda folder: t1ce_beside(folder / "corrected.nii.gz")
""",
    "check_not_of_another": """
from smalltumor.data.identity.mask_images import check_not_of_another
look = lambda folder: check_not_of_another(folder / "P2_seg.nii.gz", "P1")
""",
    "check_case": """
from smalltumor.data.case import Case
from smalltumor.data.identity.mask_names import check_case
look = lambda folder: check_case(
    folder / "P2_seg.nii.gz", Case("P1", {}, None, None, paths={"t1ce": folder / "P1_t1ce.nii.gz"})
)
""",
    "exported_masks_of": """
from smalltumor.data.case import Case
from smalltumor.data.masks.exported_masks import exported_masks_of
case_in = lambda folder: Case("P1", {}, None, None, paths={"t1ce": folder / "t1ce.nii"})
look = lambda folder: exported_masks_of(case_in(folder))
""",
    "masks_of_subject": """
from smalltumor.data.bids.names import masks_of_subject
look = lambda folder: masks_of_subject("P1", folder.parent)
""",
    "cases_with_tables": """
from smalltumor.cohort.results.results_folder import ResultsFolder
look = lambda folder: ResultsFolder(folder).cases_with_tables()
""",
}
"""Looks at the files in a folder of which only some matter."""


@pytest.mark.parametrize("listing", LISTING)
def test_a_folder_that_may_be_entered_but_not_listed_is_not_taken_for_an_empty_one(
    listing, segment_unprivileged, tmp_path
):
    folder = tmp_path / "sub-P1"
    write_case(folder, name="P2")
    folder.chmod(0o111)
    code = f"""
import sys
from pathlib import Path
{LISTING[listing]}
from smalltumor.errors import SmalltumorError
try:
    print("found", look(Path(sys.argv[1])))
except SmalltumorError as error:
    print(error)
"""
    done = run("-c", code, folder)
    folder.chmod(0o755)
    assert done.stderr == ""
    assert only_line(done.stdout) == f"{folder} cannot be read: Permission denied"
