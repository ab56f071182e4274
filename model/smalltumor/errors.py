"""Errors that a user can cause or correct, and what to do about them as data.

The text of an error is the plain fact, in one line that names the file or the value. What to do
about it depends on where it is read: the command line names an option, a window names a button.
So an error carries a `Remedy`, and each interface puts it into its own words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Self

SchemeSide = Literal["predictions", "truth"]


class SmalltumorWarning(UserWarning):
    """What a user should know of work that goes on."""


class Action(StrEnum):
    """What a user can do about an error."""

    CHOOSE_OUTPUT = "choose output"
    """Write to another file or folder."""

    REPLACE_OUTPUT = "replace output"
    """Write to another file or folder, or allow the existing one to be replaced."""

    NAME_SCHEME = "name scheme"
    """Name the label scheme, of `Remedy.side` if two sets of labels are compared."""

    NAME_REGION = "name region"
    """Say which class or region the only value of a file is; as for ``NAME_SCHEME``."""

    READ_AS_MASK = "read as mask"
    """Read the labels as the mask of a region."""

    NAME_MODALITIES = "name modalities"
    """Name the files of `Remedy.modalities`."""

    NAME_FILES = "name files"
    """Name the files of a case after their sequences, or choose another folder."""

    RESAMPLE = "resample"
    """Make a case of images as scanned, or allow prepared ones to be resampled onto one grid."""

    CHOOSE_WEIGHTS = "choose weights"
    """Choose another weights file."""

    IMPORT_WEIGHTS = "import weights"
    """Convert a published DMFNet checkpoint."""

    CHOOSE_DEVICE = "choose device"
    """Use another device."""

    CHECK_DATASET = "check dataset"
    """List the cases of the dataset with their problems."""

    CHOOSE_RUN_FOLDER = "choose run folder"
    """Resume the run in this folder, or choose another folder for the new one."""

    INCLUDE_UNFINISHED = "include unfinished"
    """Score runs that are not done as well."""

    INSTALL_COHORT = "install cohort"
    """Install the extra ``cohort``."""

    INSTALL_RAW = "install raw"
    """Install the extra ``raw``."""

    INSTALL_REPORT = "install report"
    """Install the extra ``report``."""

    INSTALL_ONNX = "install onnx"
    """Install the extra ``onnx``."""

    CONVERT = "convert"
    """Make a case of a DICOM folder."""

    CHOOSE_CASE = "choose case"
    """Choose one of several cases, unless their files are the sequences of one scan."""

    CHOOSE_STUDY = "choose study"
    """Choose one of several studies."""

    CHOOSE_SERIES = "choose series"
    """Choose the folder of one of several series."""

    NAME_SESSION = "name session"
    """Name the session of a visit in a BIDS dataset."""

    ALLOW_OTHER_IMAGES = "allow other images"
    """Choose the study of the mask, or write it although its images are other ones."""

    CONFIRM_IMAGES = "confirm images"
    """State that a mask fits the images although it records other ones."""

    START_AGAIN = "start again"
    """Start again in another folder, with `Remedy.settings` changed."""

    RESUME = "resume"
    """Resume the run, with `Remedy.settings` changed."""


@dataclass(frozen=True)
class Remedy:
    """What to do about an error.

    Parameters
    ----------
    action : Action
    modalities : tuple of str
        Modalities whose files are to be named, for ``NAME_MODALITIES``, or that the weights must
        be able to miss, for ``CHOOSE_WEIGHTS``.
    side : {"predictions", "truth"}, optional
        Whose label scheme is to be named, for ``NAME_SCHEME`` in an evaluation.
    settings : mapping of str to int
        Training settings (``crop``, ``batch_size``) to resume with, for ``RESUME``.
    session : str
        Of a BIDS dataset, that is proposed for a visit which its folder alone states, for
        ``NAME_SESSION`` and ``REPLACE_OUTPUT``.
    """

    action: Action
    modalities: tuple[str, ...] = ()
    side: SchemeSide | None = None
    settings: Mapping[str, int] = field(default_factory=dict)
    session: str = ""


class SmalltumorError(Exception):
    """Base of every error that a user can cause or correct.

    Parameters
    ----------
    message : str
        What is wrong, in one line, without what to do about it.
    remedy : Remedy, optional
    """

    def __init__(self, message: str, remedy: Remedy | None = None) -> None:
        super().__init__(message)
        self.remedy = remedy

    def prefixed(self, subject: object) -> Self:
        """The same error with the file or case it concerns in front of the message."""
        return type(self)(f"{subject}: {self}", self.remedy)


class CaseError(SmalltumorError):
    """A case cannot be read: a modality is missing, a file is damaged, values are unusable."""


class SecondLookError(CaseError):
    """No second look at a case, which needs T1CE and T1 of a brain, and the network's output."""


class GridMismatchError(CaseError):
    """Images that must share one voxel grid do not."""


class LabelError(SmalltumorError):
    """A label volume has the wrong shape, or values that are not in its label scheme."""


class TensorFileError(SmalltumorError):
    """A safetensors file is missing, damaged, of another format, or of a later format version."""


class CheckpointError(SmalltumorError):
    """Weights cannot be used: their file cannot be read, or they are of another network."""


class OutputError(SmalltumorError):
    """A result cannot be written to the requested place."""


class TrainingError(SmalltumorError):
    """Training cannot start or continue."""


class RunInUseError(TrainingError):
    """Another process trains in the run folder, or has done so in the meantime."""


class TrainingMemoryError(TrainingError):
    """A training step or a validation does not fit into memory."""


class Cancelled(SmalltumorError):  # noqa: N818 - a request of the user, not an error
    """The user cancelled the computation."""
