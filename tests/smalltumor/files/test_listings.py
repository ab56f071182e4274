"""Files are found in listings of their folders."""

from __future__ import annotations

from smalltumor.files.listings import FolderListings


def test_only_files_of_a_folder_that_can_be_listed_exist(tmp_path):
    (tmp_path / "mask.nii.gz").touch()
    (tmp_path / "folder.nii.gz").mkdir()
    (tmp_path / "link.nii.gz").symlink_to(tmp_path / "mask.nii.gz")
    (tmp_path / "dangling.nii.gz").symlink_to(tmp_path / "gone.nii.gz")
    listings = FolderListings()
    for name in ("mask", "folder", "link", "dangling", "none"):
        path = tmp_path / f"{name}.nii.gz"
        assert listings.is_file(path) == path.is_file()
    assert not listings.is_file(tmp_path / "none" / "mask.nii.gz")
