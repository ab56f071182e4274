"""Steps of a user of a window who compares patients with masks and earlier scans."""

from __future__ import annotations

from pathlib import Path
from random import Random

import nibabel as nib
import numpy as np
from report_cases import ball
from smalltumor.data.read_case import read_case
from window_checks import WindowChecks


class ComparisonSteps:
    """Steps of a user who compares patients with masks and earlier scans.

    Parameters
    ----------
    checks : WindowChecks
        Of the window.
    masks, scans : list of Path
        Files of masks and folders of earlier scans.
    chance : Random
    """

    def __init__(
        self, checks: WindowChecks, masks: list[Path], scans: list[Path], chance: Random
    ) -> None:
        self._docks, self._chance = checks.docks, chance
        self._note = checks.comparisons.note_choice
        self._masks, self._scans = masks, scans

    def compare(self) -> str:
        """Drop a mask on the dock, or choose one of its list."""
        dock, box = self._docks.compare, self._docks.compare.reference_box
        if self._chance.random() < 0.6 or not box.count():
            path = self._chance.choice(self._masks)
            self._note(path)
            dock.compare_with_file(path)
            return f"compare with {path.name}"
        row = self._chance.randrange(box.count())
        choice, text = box.itemData(row), box.itemText(row)
        if choice is not None and choice.path is not None:
            self._note(choice.path)
        box.setCurrentIndex(row)
        box.activated.emit(row)
        return f"choose the reference {text}"

    def follow_up(self) -> str:
        """Compare with an earlier scan, or look at what was compared."""
        dock = self._docks.follow_up
        name = self._chance.choice(["compare", "compare", "step", "flicker", "beside"])
        if name == "compare":
            folder = self._chance.choice(self._scans)
            self._note(folder)
            dock.compare_with(folder)
            return f"compare with the earlier scan {folder.name}"
        if name == "step":
            dock.step(1)
        elif name == "flicker":
            dock.flicker()
        else:
            dock.toggle_beside()
        return f"follow-up: {name}"


def write_mask(path: Path, folder: Path, chance: Random) -> Path:
    """Write a mask of three balls on the grid of the case in a folder."""
    case = read_case(folder)
    classes = np.zeros(case.grid.shape, np.uint8)
    for value, radius in ((2, 4), (1, 3), (4, 2)):
        centre = tuple(chance.randrange(5, n - 5) for n in case.grid.shape)
        ball(classes, centre, radius, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(classes, case.grid.affine), path)
    return path


def write_earlier_scan(folder: Path, of: Path, chance: Random) -> Path:
    """Write a scan with a mask: the images of another scan, brighter, under its name."""
    case = read_case(of)
    folder.mkdir(parents=True)
    for path in case.paths.values():
        image = nib.load(path)
        brighter = np.asarray(image.dataobj) + np.int16(chance.randrange(1, 90))
        nib.save(nib.Nifti1Image(brighter, image.affine), folder / path.name)
    write_mask(folder / f"{case.name}_seg.nii.gz", of, chance)
    return folder
