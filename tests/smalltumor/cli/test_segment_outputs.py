"""The files of one segmentation are of one case."""

from __future__ import annotations

import pytest
from smalltumor.data import segmentation
from smalltumor.errors import OutputError
from smalltumor.files.atomic import move_into_place
from synthetic import write_case


@pytest.mark.parametrize("failing", ["write_segmentation", "write_probabilities"])
def test_the_files_of_an_earlier_case_are_not_mixed_with_new_ones_after_an_error(
    smalltumor, tmp_path, monkeypatch, failing
):
    out = tmp_path / "out"
    out.mkdir()
    words = ("-o", out / "m.nii.gz", "--lesions", out / "l.csv", "--regions", "--overwrite")
    words += ("--probabilities", out / "p.nii.gz", "--candidates", out / "c.nii.gz")
    assert smalltumor("segment", write_case(tmp_path / "first"), *words)[0] == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert len(before) == 7

    def fail(*_, **__):
        raise OutputError("no space left")

    monkeypatch.setattr(segmentation, failing, fail)
    code, _, err = smalltumor("segment", write_case(tmp_path / "second"), *words)
    assert code == 1 and "no space left" in err
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_a_kill_while_files_are_moved_leaves_none_of_the_earlier_case_beside_new_ones(
    smalltumor, tmp_path, monkeypatch
):
    class Killed(BaseException):
        """Unlike SIGKILL, it is caught; what is put back then is left out here."""

    out = tmp_path / "out"
    out.mkdir()
    words = ("-o", out / "m.nii.gz", "--lesions", out / "l.csv", "--overwrite")
    smalltumor("segment", write_case(tmp_path / "first"), *words)
    moved = []

    def kill_at_the_second(temporary, target, overwrite):
        moved.append(target.name)
        if len(moved) == 2:
            raise Killed
        move_into_place(temporary, target, overwrite)

    monkeypatch.setattr("smalltumor.files.replacement.move_into_place", kill_at_the_second)
    monkeypatch.setattr("smalltumor.files.replacement._restore", lambda placed, aside: [])
    with pytest.raises(Killed):
        smalltumor("segment", write_case(tmp_path / "second"), *words)
    assert {path.name for path in out.glob("[!.]*")} == {"l.csv"}


def test_the_table_of_lesions_says_of_which_case_and_visit_it_is(smalltumor, tmp_path):
    folder = write_case(tmp_path / "visit1" / "P7", name="P7")
    table = tmp_path / "l.csv"
    assert smalltumor("segment", folder, "-o", tmp_path / "m.nii.gz", "--lesions", table)[0] == 0
    assert table.read_text().startswith("case,visit,id,region,")
