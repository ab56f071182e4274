"""The files of a case, and its modalities."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from smalltumor.data.naming.dataset_names import scheme_of_names
from smalltumor.data.naming.file_names import LABELS
from smalltumor.errors import CaseError
from smalltumor.files.names import safe_name
from smalltumor.text import list_text

MODALITIES = ("flair", "t1ce", "t1", "t2")
"""In the channel order of the published backbone."""

ALL = "all"
"""Stands for all modalities, in place of one, if they are in one 4D file."""

OPTIONAL_MODALITIES = ("t1", "t2", "flair")
"""Modalities that a case may lack; enhancing tumour cannot be seen without T1CE."""

MODALITY_TITLES: Mapping[str, str] = MappingProxyType(
    {"flair": "FLAIR", "t1ce": "T1CE", "t1": "T1", "t2": "T2"}
)

MSD_CHANNELS = ("flair", "t1", "t1ce", "t2")
"""Order of the fourth axis in the Medical Segmentation Decathlon's Task01_BrainTumour."""


@dataclass
class CaseFiles:
    """The files of one case, found by their names and not yet read.

    Parameters
    ----------
    name : str
        What the files' names have in common, or the folder's name; results are named after it.
    modalities : dict of str to list of Path
        Files of each of `MODALITIES`; with several files for one, the case cannot be read.
    stacked : Path, optional
        A 4D file with all modalities instead (Medical Segmentation Decathlon).
    labels : list of Path
        Segmentations by an expert; may be empty.
    keywords : set of str
        Keywords for the modalities in the names, lower case; they differ between years of BraTS.
    channels : tuple of str
        Modalities in the order of the fourth axis of `stacked`.
    notes : list of str
        What was assumed or chosen, for the user.
    own_name : str
        The name in its own folder, without the folders that `find_cases` put before it; by default
        `name`.

    Raises
    ------
    CaseError
        If the name cannot be part of a file's name, see `smalltumor.files.names.safe_name`.
    """

    name: str
    modalities: dict[str, list[Path]] = field(default_factory=dict)
    stacked: Path | None = None
    labels: list[Path] = field(default_factory=list)
    keywords: set[str] = field(default_factory=set)
    channels: tuple[str, ...] = MSD_CHANNELS
    notes: list[str] = field(default_factory=list)
    own_name: str = ""

    def __post_init__(self) -> None:
        self.own_name = self.own_name or self.name
        if self.name != safe_name(self.name):
            raise CaseError(f"{self.name!r} is not a name for a case and its results")

    @property
    def folder(self) -> Path:
        """Folder of the first of its files."""
        files = [path for paths in self.modalities.values() for path in paths]
        return [*([self.stacked] if self.stacked else files), *self.labels][0].parent

    @property
    def scheme_hint(self) -> str | None:
        """Name of the label scheme that goes with these names, if any."""
        return scheme_of_names(self.name, self.keywords)

    @property
    def missing(self) -> tuple[str, ...]:
        """Modalities without a file."""
        return () if self.stacked is not None else missing_modalities(self.modalities)

    def problem(self, *, allow_missing: bool = False) -> str | None:
        """Why this cannot be read as a case, or None.

        Parameters
        ----------
        allow_missing : bool
            Whether the case may lack `OPTIONAL_MODALITIES`.
        """
        if self.stacked is not None:
            return None
        for role, paths in [*self.modalities.items(), (LABELS, self.labels)]:
            if len(paths) > 1:
                names = list_text(p.name for p in sorted(paths))
                return f"{len(paths)} files for {role_title(role)}: {names}; keep one"
        missing = missing_modalities(self.modalities, allow_missing=allow_missing)
        if not missing:
            return None
        if not self.modalities and self.labels:
            return f"no image, only the mask {self.labels[0].name}"
        existing = ", ".join(p.name for paths in self.modalities.values() for p in paths)
        titles = list_text((role_title(m) for m in missing), "or")
        return f"no {titles} image" + (f" beside {existing}" if existing else "")


def missing_modalities(present: Container[str], *, allow_missing: bool = False) -> tuple[str, ...]:
    """Modalities that are not present; with `allow_missing`, only those that every case needs."""
    needed = [m for m in MODALITIES if not (allow_missing and m in OPTIONAL_MODALITIES)]
    return tuple(m for m in needed if m not in present)


def modality_titles(modalities: Iterable[str], conjunction: str = "and") -> str:
    """The titles of modalities as a part of a sentence, such as ``T1, T2 and FLAIR``."""
    return list_text((MODALITY_TITLES[m] for m in modalities), conjunction)


def role_title(role: str) -> str:
    """The title of a modality; the role itself if it is another one, such as labels."""
    return MODALITY_TITLES.get(role, role)
