"""Cases of a cohort that have the same images are named in the warnings of each other."""

from __future__ import annotations

import shutil

import pytest
from cohort_files import NAMES


def copy_case(data, name: str, copy: str, *modalities: str) -> None:
    """Copy a case, or some of its images, to another one."""
    (data / copy).mkdir(exist_ok=True)
    for path in (data / name).iterdir():
        if not modalities or any(f"_{modality}." in path.name for modality in modalities):
            shutil.copy(path, data / copy / path.name.replace(name, copy))


@pytest.fixture
def warnings(cohort):
    """Run the cohort; the warnings of each case that has any about other cases, and stderr."""

    def run():
        code, rows, _, stderr = cohort()
        assert code == 0, stderr
        found = {row["case"]: row["warnings"].split(" | ") for row in rows}
        of_others = {
            case: [t for t in each if t.startswith("same ")] for case, each in found.items()
        }
        return {case: each for case, each in of_others.items() if each}, stderr

    return run


def test_different_cases_have_no_such_warning(warnings):
    found, stderr = warnings()
    assert found == {}
    assert "same" not in stderr


def test_copies_name_each_other_in_the_table_and_at_the_end(warnings, data):
    copy_case(data, "bob", "dan")
    copy_case(data, "bob", "eve")

    found, stderr = warnings()

    assert found == {
        "bob": ["same images as dan and eve"],
        "dan": ["same images as bob and eve"],
        "eve": ["same images as bob and dan"],
    }
    assert "smalltumor: warning: dan: same images as bob and eve" in stderr


def test_single_images_of_other_cases_are_named(warnings, data):
    copy_case(data, "bob", "ann", "flair")
    copy_case(data, "cyd", "ann", "t1", "t2")

    found, _ = warnings()

    assert found == {
        "ann": ["same FLAIR as bob", "same T1 and T2 as cyd"],
        "bob": ["same FLAIR as ann"],
        "cyd": ["same T1 and T2 as ann"],
    }


def test_kept_masks_are_compared_and_a_copy_that_is_gone_is_no_longer_named(warnings, data):
    copy_case(data, "bob", "dan")
    assert set(warnings()[0]) == {"bob", "dan"}
    assert set(warnings()[0]) == {"bob", "dan"}

    shutil.rmtree(data / "dan")

    assert warnings()[0] == {}


def test_failed_cases_are_not_compared(cohort, data):
    copy_case(data, "bob", "dan")
    for name in NAMES[:2]:
        (data / name / f"{name}_t2.nii.gz").write_bytes(b"damaged")

    code, rows, _, stderr = cohort()

    assert code == 1
    assert "same" not in stderr + " ".join(row["warnings"] for row in rows)
