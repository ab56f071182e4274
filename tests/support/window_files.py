"""What a window with several patients writes beside their images."""

from __future__ import annotations

import csv
import re
import zlib
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from smalltumor.data.naming.cohort_names import REVIEWS
from smalltumor.labels.masks import region_mask
from smalltumor.labels.regions import Region

from napari_smalltumor.layers.masks.region_masks import segmentation_of
from napari_smalltumor.layers.metadata import case_of, region_of
from napari_smalltumor.layers.patient import Patient, patient_of

_MASK = re.compile(
    r"(?P<case>.+)_(smalltumor(_(?P<region>et|tc|wt))?|(?P<review>review\d+))\.nii\.gz"
)
_TABLE = re.compile(r"(?P<case>.+)_(?P<region>et|tc|wt)_lesions\.csv")
_PAGE = re.compile(r"(?P<case>.+)_(report|follow-up)\.pdf")
_VALUES = np.array([0, 1, 2, 4], np.uint8)
"""Values of files by tissue class."""


class WrittenFiles:
    """Looks at the files in some folders each time that something may have been written.

    Parameters
    ----------
    viewer : Viewer
    folders : list of Path
    """

    def __init__(self, viewer: Any, folders: list[Path]) -> None:
        self._layers, self._folders = viewer.layers, folders
        self._files = self._checksums()
        self._shown: list[tuple[Patient, np.ndarray]] = []
        self._patients: set[Patient] = set()

    def note_masks(self) -> None:
        """Masks may be written as they are now, in the middle of a step."""
        self._shown += self._shown_classes()

    def check(self) -> None:
        """Only what is exported was written, and is of the patient of its name and folder."""
        self._patients |= {patient for patient, _ in self._shown_classes()}
        now = self._checksums()
        for path, checksum in now.items():
            is_state_of_review = REVIEWS in path.parts and path.suffix != ".gz"
            if self._files.get(path) != checksum and not is_state_of_review:
                self._check_file(path)
        assert not [path for path in self._files if path not in now]
        self._files, self._shown = now, self._shown_classes()

    def _check_file(self, path: Path) -> None:
        if table := _TABLE.fullmatch(path.name):
            self._check_table(path, table["case"], Region(table["region"]))
        elif page := _PAGE.fullmatch(path.name):
            names = {x.name for x in self._patients if x.folder == path.parent}
            assert _name(page["case"]) in names, path
        else:
            self._check_mask(path)

    def _check_mask(self, path: Path) -> None:
        """A mask holds the regions of its patient."""
        own, is_review = _MASK.fullmatch(path.name), REVIEWS in path.parts
        assert own is not None and is_review == bool(own["review"]), path
        written = np.asarray(nib.load(path).dataobj)
        shown = self._classes_of(own["case"], None if is_review else path.parent)
        if own["region"]:
            masks = [region_mask(classes, Region(own["region"])) for classes in shown]
        else:
            masks = [_VALUES[classes] for classes in shown]
        assert any(np.array_equal(written, mask) for mask in masks), path

    def _check_table(self, path: Path, case: str, region: Region) -> None:
        """A table lists as many voxels as the region of its patient has."""
        with path.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["list"] == "found"]
        shown = self._classes_of(_name(case), path.parent)
        counts = [np.count_nonzero(region_mask(classes, region)) for classes in shown]
        assert sum(int(row["voxels"]) for row in rows) in counts, path
        assert {row["case"] for row in rows} <= {_name(case)}, path

    def _classes_of(self, name: str, folder: Path | None) -> list[np.ndarray]:
        """The tissue classes of patients of a name and folder, now and before."""
        return [
            classes
            for patient, classes in (*self._shown, *self._shown_classes())
            if patient.name == name and folder in (None, patient.folder)
        ]

    def _shown_classes(self) -> list[tuple[Patient, np.ndarray]]:
        """The regions of the open patients; one may be saved and closed in a step."""
        patients = {patient_of(x): case_of(x) for x in self._layers if region_of(x)}
        found = {p: segmentation_of(self._layers, case) for p, case in patients.items()}
        return [(p, x.classes) for p, x in found.items() if x is not None]

    def _checksums(self) -> dict[Path, int]:
        files = [path for root in self._folders for path in root.rglob("*") if path.is_file()]
        return {x: zlib.crc32(x.read_bytes()) for x in files if not x.name.startswith(".")}


def _name(title: str) -> str:
    """The name of the case of a title, which tells it from others of the name."""
    return title.split(" (")[0]
