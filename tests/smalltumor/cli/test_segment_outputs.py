"""The files of one segmentation are of one case."""

from __future__ import annotations

import os
import shutil

import nibabel as nib
import numpy as np
import pytest
from smalltumor.data import segmentation
from smalltumor.errors import OutputError
from smalltumor.files.transactions import moves, replacement
from smalltumor.files.transactions.moves import place
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


@pytest.mark.parametrize("keeps_header", [False, True])
@pytest.mark.parametrize("to_bids", [False, True])
def test_a_mask_that_was_edited_is_not_replaced(smalltumor, tmp_path, to_bids, keeps_header):
    mask, bids = tmp_path / "m.nii.gz", tmp_path / "bids"
    words = ("segment", write_case(tmp_path / "P1", name="P1"), "-o", mask, "--bids", bids)
    assert smalltumor(*words)[0] == 0
    assert smalltumor(*words, "--overwrite")[0] == 0
    edited = next(bids.rglob("*_dseg.nii.gz")) if to_bids else mask
    image = nib.load(edited)
    voxels = np.asarray(image.dataobj).copy()
    voxels[0, 0, 0] = 4
    header = image.header if keeps_header else None
    nib.save(nib.Nifti1Image(voxels, image.affine, header), edited)
    before = edited.read_bytes()
    code, _, err = smalltumor(*words, "--overwrite")
    assert code == 1 and f"{edited} was edited, or saved by another program, since it was" in err
    assert edited.read_bytes() == before


class Killed(BaseException):
    """Unlike SIGKILL, it is caught, so what is done about errors is left out here."""


@pytest.fixture
def killed(smalltumor, tmp_path, monkeypatch):
    """Segment two cases into two folders, the second one until one of its files is in place."""
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    words = ("-o", tmp_path / "one" / "m.nii.gz", "--lesions", tmp_path / "two" / "l.csv")
    first = write_case(tmp_path / "first")
    smalltumor("segment", first, *words, "--regions", "--overwrite")
    before = content_below(tmp_path)
    moved = []

    def kill_at_the_second(temporary, target, *, overwrite):
        moved.append(target.name)
        if len(moved) == 2:
            raise Killed
        place(temporary, target, overwrite=overwrite)

    monkeypatch.setattr(moves, "place", kill_at_the_second)
    monkeypatch.setattr(replacement, "complete_or_roll_back", lambda lists: moves.RolledBack())
    with pytest.raises(Killed):
        smalltumor(
            "segment", write_case(tmp_path / "second", seed=1), *words, "--regions", "--overwrite"
        )
    monkeypatch.undo()
    for each in tmp_path.glob("*/.smalltumor-*.moves"):
        os.utime(each, (0, 0))  # this process has not ended
    return before


def content_below(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for each in ("one", "two")
        for path in (folder / each).glob("[!.]*")
    }


def test_a_kill_while_files_are_moved_leaves_none_of_the_earlier_case_beside_new_ones(
    killed, tmp_path
):
    assert content_below(tmp_path).keys() == {"one/m_et.nii.gz"}
    assert content_below(tmp_path)["one/m_et.nii.gz"] != killed["one/m_et.nii.gz"]


def test_a_command_puts_back_what_a_killed_one_moved_before_it_looks_for_files(
    smalltumor, tmp_path, monkeypatch, killed
):
    mask = "one/m.nii.gz"
    for number, command in enumerate(
        (
            ("report", "../first", mask, "--json", "r.json"),
            ("lesions", mask),
            ("evaluate", "one", "one"),
            ("evaluate", mask, mask),
            ("evaluate", mask, mask, "-o", "two"),
        )
    ):
        folder = tmp_path / str(number)
        for each in ("one", "two"):
            shutil.copytree(tmp_path / each, folder / each)
        monkeypatch.chdir(folder)
        code, _, err = smalltumor(*command)
        assert code == 0, (command, err)
        found = content_below(folder)
        assert {name: found[name] for name in killed} == killed
        assert [line for line in err.splitlines() if "killed" in line] == [
            "smalltumor: warning: a command was killed while it replaced files; "
            f"put back in {folder}/one: m.nii.gz, m_et.nii.gz, m_tc.nii.gz, m_wt.nii.gz; "
            f"put back in {folder}/two: l.csv"
        ]


def test_the_table_of_lesions_says_of_which_case_and_visit_it_is(smalltumor, tmp_path):
    folder = write_case(tmp_path / "visit1" / "P7", name="P7")
    table = tmp_path / "l.csv"
    assert smalltumor("segment", folder, "-o", tmp_path / "m.nii.gz", "--lesions", table)[0] == 0
    assert table.read_text().startswith("case,visit,id,region,")


@pytest.mark.parametrize(
    ("is_copy", "name"),
    [
        *((False, "P7_smalltumor"), (False, "P7_seg"), (False, "seg")),
        *((True, "P7_smalltumor"), (False, "P7_pred"), (False, "zscored")),
    ],
)
def test_no_mask_is_written_that_would_be_taken_for_that_of_other_images(
    smalltumor, tmp_path, is_copy, name
):
    here = write_case(tmp_path / "here" / "P7", name="P7")
    there = shutil.copytree(here, tmp_path / "there" / "P7")
    image = there / "P7_t1ce.nii.gz"
    if not is_copy:
        volume = nib.load(image)
        nib.save(nib.Nifti1Image(np.asarray(volume.dataobj) * 1.5, volume.affine), image)
    before = content_below(tmp_path)
    code, _, err = smalltumor("segment", here, "-o", there / f"{name}.nii.gz")
    if is_copy or name in ("P7_pred", "zscored"):
        assert code == 0
    else:
        assert code == 1 and f"would be taken for the mask of {image}" in err
        assert content_below(tmp_path) == before
