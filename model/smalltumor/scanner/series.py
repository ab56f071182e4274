"""What is known of a series before its voxels are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from smalltumor.data.volumes.nifti import Volume
from smalltumor.errors import CaseError
from smalltumor.geometry.grid import Grid
from smalltumor.text import date_text


@dataclass(frozen=True)
class Acquisition:
    """How a series was acquired, as far as its headers and names say.

    Parameters
    ----------
    text : str
        Series description and sequence name, or the name of the file.
    protocol : str
        Name of the protocol. It may be that of the whole study, so it says nothing about contrast
        agent.
    folder : str
        Name of the folder, if it holds this series alone; it counts where the others say nothing.
    contrast_agent : str
    repetition_time, echo_time, inversion_time : float, optional
        In ms.
    techniques : frozenset of str
        Codes of DICOM's Scanning Sequence: ``SE``, ``GR``, ``IR``, ``EP``, ``RM``.
    image_type : frozenset of str
        Values of DICOM's Image Type, such as ``ORIGINAL`` or ``ADC``.
    is_3d : bool, optional
        Acquired as a volume.
    time : str
        As of `smalltumor.scanner.acquisition_time.normal_time`; empty if unknown. Only times of
        one study are compared.
    body_part : str
        DICOM's Body Part Examined, such as ``HEAD`` or ``CSPINE``; often wrong or empty.
    """

    text: str = ""
    protocol: str = ""
    folder: str = ""
    contrast_agent: str = ""
    repetition_time: float | None = None
    echo_time: float | None = None
    inversion_time: float | None = None
    techniques: frozenset[str] = frozenset()
    image_type: frozenset[str] = frozenset()
    is_3d: bool | None = None
    time: str = ""
    body_part: str = ""


class Instance(NamedTuple):
    """Which image a DICOM file holds, so that one that takes its place later is noticed.

    Parameters
    ----------
    uid : str
        SOP Instance UID; empty if it was removed.
    series : str
        Series Instance UID.
    patient : str
        As in `Series`.
    """

    uid: str
    series: str
    patient: str


class StoredFrame(NamedTuple):
    """A slice of a DICOM series.

    Parameters
    ----------
    path : Path
        A file, which may hold slices of several series.
    frame : int
        Its index in the file.
    instance : Instance
        What the file held when its header was read.
    """

    path: Path
    frame: int
    instance: Instance


def other_image_error(path: Path) -> CaseError:
    """That a file was replaced after a folder was searched, as in a folder of incoming scans."""
    return CaseError(
        f"{path} holds another image than when its folder was searched; open the folder again"
    )


@dataclass(frozen=True)
class Series:
    """One volume of a study.

    Parameters
    ----------
    title : str
        For the user: number and description, or the name of the file.
    patient : str
        Patient ID, or the name if there is none; empty if unknown. Series of two patients never
        make one case.
    study : str
        What the series of one time point have in common, such as the Study Instance UID.
    date : str
        Date of the study as digits; empty if unknown.
    acquisition : Acquisition
    shape : (3,) int
    spacing : (3,) float
        Voxel size in mm.
    location : Path
        The file, or the folder of the DICOM files.
    read : callable
        Reads the voxels; raises `CaseError`.
    problem : str
        Why the voxels make no image of a sequence; empty if they do.
    incomplete : str
        What the series has, if slices seem to be missing although the others make a volume, as
        after an interrupted transfer: how many there are of how many, or how far they are apart;
        else empty.
    missing_share : float
        Share of the slices that are missing, as far as `incomplete` tells.
    uid : str
        Series Instance UID; empty for NIfTI.
    files : tuple of Path
        The files that hold the voxels.
    frames : tuple of StoredFrame
        The slices of a DICOM series. Empty for volumes.
    study_uid : str
        Study Instance UID; empty if unknown.
    frame_of_reference : str
        DICOM's Frame of Reference UID, which series that a scanner acquired without moving the
        patient in between have in common; empty if unknown.
    grid : Grid, optional
        Of `read`, if the headers tell it without reading the voxels; None for volumes.
    identity : (str, str), optional
        ID and name of the patient, to keep them out of proposed names; None if they were removed.
    is_named : bool
        Whether `patient` is a name, which may be spelled in several ways.
    birth_date, sex : str
        Of the patient, to notice if they differ; empty if unknown.
    """

    title: str
    patient: str
    study: str
    date: str
    acquisition: Acquisition
    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    location: Path
    read: Callable[[], Volume] = field(repr=False, compare=False)
    problem: str = ""
    incomplete: str = ""
    missing_share: float = 0.0
    uid: str = ""
    files: tuple[Path, ...] = ()
    frames: tuple[StoredFrame, ...] = field(default=(), repr=False)
    study_uid: str = ""
    frame_of_reference: str = ""
    grid: Grid | None = None
    identity: tuple[str, str] | None = field(default=None, repr=False, compare=False)
    is_named: bool = False
    birth_date: str = field(default="", repr=False, compare=False)
    sex: str = field(default="", repr=False, compare=False)

    @property
    def study_title(self) -> str:
        """For the user: patient, and date or study."""
        return study_title(self.patient, self.date, self.study)

    @property
    def extent(self) -> tuple[float, ...]:
        """Length of the volume along each axis in mm."""
        return tuple(n * s for n, s in zip(self.shape, self.spacing, strict=True))

    @property
    def slice_distance(self) -> float:
        """Largest voxel size in mm."""
        return max(self.spacing)

    def describe_voxels(self) -> str:
        """Shape and voxel size."""
        shape = " x ".join(str(n) for n in self.shape)
        spacing = " x ".join(f"{s:.3g}" for s in self.spacing)
        return f"{shape} voxels of {spacing} mm"


def study_title(patient: str, date: str, study: str) -> str:
    """A study for the user: patient, and date or another name of the time point."""
    when = date_text(date) or study
    text = f"patient {patient}" if patient else "patient without ID"
    return f"{text}, {when}" if when else text
