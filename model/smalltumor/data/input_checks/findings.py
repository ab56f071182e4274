"""What checks of a case's images find, and its wording."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from smalltumor.data.naming.case_files import modality_titles
from smalltumor.text import list_text

_SIDES = {
    "L": "left",
    "R": "right",
    "A": "anterior",
    "P": "posterior",
    "S": "superior",
    "I": "inferior",
}


class FindingKind(StrEnum):
    """What a check has found."""

    NOT_SKULL_STRIPPED = "not skull-stripped"
    SMALL = "small"
    CUT = "cut"
    SWAPPED = "swapped"
    NAMED_OTHERWISE = "named otherwise"
    MISALIGNED = "misaligned"
    SPACING = "spacing"
    THICK_SLICES = "thick slices"
    MISSING = "missing"
    SAME_IMAGE = "same image"


@dataclass(frozen=True)
class Finding:
    """A reason to doubt the segmentation of a case.

    Parameters
    ----------
    kind : FindingKind
    value : float
        What was measured: volume in ml if not skull-stripped or small, area on the face of the
        volume in cm2 if cut, Dice with the other modalities if misaligned, voxel size or
        distance of slices in mm.
    modalities : tuple of str
        Those the finding is about; empty if it is about all.
    exchanged : tuple of str
        If more than two seem to be swapped, the two that were exchanged most probably.
    named : str
        Modality that the name of the file says, if it is used as another one.
    side : str
        Side of the cut, one of ``L R A P S I``.
    dice : tuple of (str, float, float)
        If an image is missing: for each region its mean Dice without it and with all images, as
        measured for networks that were trained in the same way; empty if it was not.
    """

    kind: FindingKind
    value: float = 0.0
    modalities: tuple[str, ...] = ()
    exchanged: tuple[str, ...] = ()
    named: str = ""
    side: str = ""
    dice: tuple[tuple[str, float, float], ...] = ()

    def __str__(self) -> str:
        """The finding as a sentence, without what to do about it."""
        named = modality_titles(self.modalities) if self.modalities else ""
        match self.kind:
            case FindingKind.NOT_SKULL_STRIPPED:
                return (
                    f"the head has {self.value:.0f} ml, more than a brain: it is not "
                    "skull-stripped as the network expects, or the voxel sizes in the header are "
                    "wrong; the result will be unreliable"
                )
            case FindingKind.SMALL:
                return (
                    f"the brain has {self.value:.0f} ml, which is little for a whole brain; check "
                    "the voxel sizes in the header, on which all volumes depend"
                )
            case FindingKind.CUT:
                return (
                    f"the brain is cut off on the {_SIDES[self.side]} side of the volume, over "
                    f"{self.value:.0f} cm²; the result may be unreliable there"
                )
            case FindingKind.SWAPPED:
                return (
                    f"{named} seem to be swapped, judging by the contrast of the tissues"
                    f"{self._exchanged()}"
                )
            case FindingKind.NAMED_OTHERWISE:
                return (
                    f"the file that is used as {named} is named as {modality_titles((self.named,))}"
                )
            case FindingKind.MISALIGNED:
                return (
                    f"{named} does not show the brain where the other images do (Dice "
                    f"{self.value:.2f}); the network expects co-registered images"
                )
            case FindingKind.SPACING:
                return (
                    f"a voxel size of {self.value:.3g} mm is unusual for MRI of the head; "
                    "check the header"
                )
            case FindingKind.THICK_SLICES:
                return (
                    f"slices of {self.value:.2g} mm: the network was trained on voxels of 1 mm; "
                    "small lesions may be missed or false, and their sizes are unreliable"
                )
            case FindingKind.MISSING:
                verb = "is" if len(self.modalities) == 1 else "are"
                return f"{named} {verb} missing; {self._expected()}"
            case FindingKind.SAME_IMAGE:
                return f"{named} are the same image"

    def _exchanged(self) -> str:
        if not self.exchanged:
            return ""
        return f"; if only two were exchanged, most probably {modality_titles(self.exchanged)}"

    def _expected(self) -> str:
        if not self.dice:
            return "the result is less reliable than with all sequences"
        scores = [f"{without:.2f} ({name.upper()})" for name, without, _ in self.dice]
        complete = [f"{score:.2f}" for _, _, score in self.dice]
        return (
            "without it, networks trained like this one had a mean Dice of "
            f"{list_text(scores)} in patients they had not seen, and with all sequences "
            f"{list_text(complete)}"
        )
