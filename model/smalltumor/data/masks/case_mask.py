"""Reading the mask of a case, from a file that is named or from those beside its images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from smalltumor.data.case import Case
from smalltumor.data.identity.case_names import is_named_after
from smalltumor.data.identity.mask_images import changed_images_text, other_images_text
from smalltumor.data.identity.mask_names import check_case, named_case
from smalltumor.data.identity.visits import folder_of
from smalltumor.data.made_by import MadeBy, joined, network_warnings, recorded_made_by
from smalltumor.data.mask_placement.mask_placement import placement_text
from smalltumor.data.masks.exported_masks import exported_masks_of, older_exports_text
from smalltumor.data.masks.label_contents import mask_of_region
from smalltumor.data.masks.label_files import (
    decode_labels,
    header_warnings_of,
    no_labels_error,
    on_grid,
    read_label_volume,
)
from smalltumor.data.masks.label_scheme import FoundScheme
from smalltumor.data.naming.export_names import RegionFile, region_file
from smalltumor.data.naming.find_cases import label_scheme_hint
from smalltumor.data.volumes.nifti import Volume, stem
from smalltumor.errors import CaseError
from smalltumor.files.transactions.recovery import recover_around
from smalltumor.labels.masks import Classes, compose_classes
from smalltumor.labels.regions import Region, TissueClass
from smalltumor.text import list_text


@dataclass(frozen=True, eq=False)
class CaseMask:
    """A mask on the grid of its case.

    Parameters
    ----------
    classes : (i, j, k) uint8 array
        Tissue classes.
    known : sequence of TissueClass
        Classes that the mask tells apart.
    paths : tuple of Path
        The files that were read.
    found : FoundScheme or None
        Their label scheme; None if each file is the mask of a region.
    other_images : str
        That the files record other images than those of the case; else empty.
    placement : str
        That the mask seems to be mirrored, another patient's, or outside the brain; else empty.
    header_warnings : tuple of str
        What is doubtful in the headers of the files, and which others were not read.
    made_by : MadeBy, optional
        What the files record of the network and of edits.
    """

    classes: Classes = field(repr=False)
    known: Sequence[TissueClass]
    paths: tuple[Path, ...]
    found: FoundScheme | None = None
    other_images: str = ""
    placement: str = ""
    header_warnings: tuple[str, ...] = ()
    made_by: MadeBy | None = None

    @property
    def warnings(self) -> list[str]:
        """What a user has to know of the files."""
        of_network = network_warnings(self.made_by, list_text(path.name for path in self.paths))
        texts = filter(None, [self.other_images, self.placement])
        return [*texts, *of_network, *self.header_warnings]

    def with_warning(self, text: str) -> CaseMask:
        """The mask, of whose files something else is to be known; as it is without a text."""
        return replace(self, header_warnings=(*self.header_warnings, text)) if text else self

    @property
    def origin(self) -> str:
        """Files, label scheme and what made the mask, as a report prints them."""
        text = ", ".join(path.name for path in self.paths)
        if self.found is not None:
            text += f", label scheme {self.found.scheme.name} ({self.found.source})"
        return text if self.made_by is None else f"{text}; {self.made_by}"

    @property
    def is_exported(self) -> bool:
        """Whether the files have names of masks that this program has exported."""
        return all(region_file(path) is not None for path in self.paths)


def read_mask(path: Path, case: Case, scheme: str | None = None) -> CaseMask:
    """Read a label file that is named for a case.

    Parameters
    ----------
    path : Path
    case : Case
    scheme : str, optional
        Name of its label scheme; by default the header, the values and the names of the file and
        of those around it decide. The names of the images do not count: the file may be from
        elsewhere.

    Raises
    ------
    CaseError
        If the file cannot be read, is named after another patient or another scan, or is of other
        images and not named after the case.
    GridMismatchError
        If it is on another grid than the case.
    LabelError
        If its values fit no label scheme.
    """
    recover_around([path])
    check_case(path, case)
    mask = _decoded(path, case, scheme, label_scheme_hint(path))
    name = named_case(path) or stem(path)
    if mask.other_images and not is_named_after(name, case.name, folder_of(case)):
        raise CaseError(mask.other_images)
    return mask


def mask_beside(case: Case, scheme: str | None = None) -> CaseMask:
    """Read the mask beside the images of a case.

    A mask that was exported from the window goes before an expert's: it was reviewed.

    Parameters
    ----------
    case : Case
    scheme : str, optional
        Name of its label scheme.

    Raises
    ------
    CaseError
        If there is no mask, or it cannot be read.
    GridMismatchError, LabelError
        As for `read_mask`.
    """
    exported, older = exported_masks_of(case), older_exports_text(case)
    if [file.region for file in exported] == [None]:
        return _decoded(exported[0].path, case, scheme, case.scheme_hint).with_warning(older)
    if {file.region for file in exported} == set(Region):
        return _composed(exported, case).with_warning(older)
    if case.labels_path is None:
        raise no_labels_error(case)
    return _decoded(case.labels_path, case, scheme, case.scheme_hint)


def _decoded(path: Path, case: Case, scheme: str | None, hint: str | None) -> CaseMask:
    volume = on_grid(read_label_volume(path), case.grid, case.name)
    classes, found = decode_labels(volume, scheme, hint)
    return CaseMask(
        classes,
        found.scheme.known_classes,
        (path,),
        found,
        other_images=other_images_text([volume], case),
        placement=placement_text(case, classes),
        header_warnings=_header_warnings([volume], case, found.contradiction),
        made_by=recorded_made_by(volume),
    )


def _composed(files: Sequence[RegionFile], case: Case) -> CaseMask:
    volumes = {
        file.region: on_grid(read_label_volume(file.path), case.grid, case.name) for file in files
    }
    et, tc, wt = (mask_of_region(volumes[r], r) for r in (Region.ET, Region.TC, Region.WT))
    classes = compose_classes(et, tc, wt)
    return CaseMask(
        classes,
        tuple(TissueClass),
        tuple(file.path for file in files),
        other_images=other_images_text(list(volumes.values()), case),
        placement=placement_text(case, classes),
        header_warnings=_header_warnings(list(volumes.values()), case),
        made_by=joined(map(recorded_made_by, volumes.values())),
    )


def _header_warnings(
    volumes: Sequence[Volume], case: Case, contradiction: str = ""
) -> tuple[str, ...]:
    of_headers = (text for volume in volumes for text in header_warnings_of(volume, case))
    texts = (contradiction, *of_headers, changed_images_text(volumes, case))
    return tuple(filter(None, texts))
