"""An ending is appended to a name that has none, and that of another kind of file is refused."""

from pathlib import Path

import pytest
from smalltumor.errors import OutputError

from napari_smalltumor.export.file_names import with_ending

ENDINGS = (".nii.gz", ".nii")


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("mask", "mask.nii.gz"),
        ("mask.NII", "mask.NII"),
        ("mask.nii.gz", "mask.nii.gz"),
        ("Visit 1.5", "Visit 1.5.nii.gz"),
        ("Pat.corrected", "Pat.corrected.nii.gz"),
        ("P.Kurz", "P.Kurz.nii.gz"),
        ("case.final", "case.final.nii.gz"),
        ("scan.T1", "scan.T1.nii.gz"),
    ],
)
def test_an_ending_is_appended_to_a_name_without_one(typed, written):
    assert with_ending(Path("a.b") / typed, ENDINGS, "a mask") == Path("a.b") / written


@pytest.mark.parametrize("typed", ["x.txt", "x.nii.txt", "x.gz", "x.png", "x.H5", "x.dcm"])
def test_the_ending_of_another_kind_of_file_is_refused_and_named(typed):
    with pytest.raises(OutputError) as refused:
        with_ending(Path("folder") / typed, ENDINGS, "a mask")
    assert str(refused.value) == f"{typed}: the name of a mask ends in .nii.gz or .nii"
