"""Parts of a cohort, each in a folder of its own."""

from __future__ import annotations

from cohort_files import rows_of, version
from smalltumor.cohort.results.results_folder import TABLE
from synthetic import write_case


def test_parts_segment_every_case_once_and_a_folder_holds_one_part(cohort, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    assert cohort("--part", "2/2", output=second)[0] == 0
    code, rows, *_ = cohort("--part", "1/2", output=first)
    assert code == 0
    assert [row["case"] for row in rows] == ["ann", "cyd"]
    assert [row["case"] for row in rows_of(second / TABLE)] == ["bob"]
    assert not (first / "bob.nii.gz").exists()

    for words in (("--part", "2/2"), ()):
        code, _, _, err = cohort(*words, output=first)
        assert code != 0
        assert "holds part 1/2" in err
    code, rows, *_ = cohort("--part", "1/2", output=first)
    assert {row["outcome"] for row in rows} == {"kept"}


def test_a_part_is_not_written_into_the_folder_of_the_whole_cohort(cohort):
    assert cohort()[0] == 0
    code, _, _, err = cohort("--part", "1/2")
    assert code != 0
    assert "holds part 1/1" in err


def test_a_part_beyond_the_cases_is_done_and_writes_nothing(cohort, tmp_path):
    """An array of jobs would count it as failed otherwise."""
    code, _, stdout, err = cohort("--part", "4/4")
    assert (code, err) == (0, "")
    assert "part 4/4 has no case" in stdout
    assert not (tmp_path / "out").exists()


def test_a_part_of_other_cases_is_not_continued(cohort, data, tmp_path):
    """The cases are dealt out anew, and some would be in two parts or in none."""
    assert cohort("--part", "1/2")[0] == 0
    write_case(data / "abe", name="abe")
    for words in ((), ("--overwrite",)):
        code, _, _, err = cohort("--part", "1/2", *words)
        assert code == 1
        assert "part 1/2 of other cases" in err
    assert not (tmp_path / "out" / "bob.nii.gz").exists()
    (data / "abe").rename(tmp_path / "abe")
    code, rows, *_ = cohort("--part", "1/2")
    assert code == 0
    assert {row["outcome"] for row in rows} == {"kept"}


def test_overwriting_does_not_turn_a_folder_into_another_part(cohort, tmp_path):
    assert cohort("--part", "1/2")[0] == 0
    before = {path.name: version(path) for path in (tmp_path / "out").glob("*.nii.gz")}
    code, _, _, err = cohort("--part", "2/2", "--overwrite")
    assert code != 0
    assert "holds part 1/2" in err
    assert {path.name: version(path) for path in (tmp_path / "out").glob("*.nii.gz")} == before
    assert cohort("--part", "1/2", "--overwrite")[0] == 0
