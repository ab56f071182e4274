"""Files grouped to cases by their names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from smalltumor.data.naming.candidates import NamedFile, choose
from smalltumor.data.naming.case_files import MODALITIES, MSD_CHANNELS, CaseFiles, role_title
from smalltumor.data.naming.file_names import LABELS, case_name, name_of_folder, parse_name
from smalltumor.data.naming.numbered_files import (
    NNUNET_CHANNELS,
    channel_order,
    joined_by_number,
    numbered,
)
from smalltumor.data.volumes.nifti import stem
from smalltumor.files.names import safe_name

_DECATHLON = re.compile(r"BRATS_\d{3}\Z", re.IGNORECASE)
"""Names of the Decathlon, whose channel order is known."""


def group_files(paths: Iterable[Path], channels: Sequence[str] | None = None) -> list[CaseFiles]:
    """Group files to cases by the part of the name before the modality.

    Files named by their modality alone form the case of their folder, unless they lie beside the
    four images of the only case with a name. A single segmentation with
    another name belongs to a single case (BraTS 2020 has one). Files without a modality in their
    name are ignored if there are others, unless they are numbered as by nnU-Net (``CASE_0000`` to
    ``CASE_0003``); otherwise each is a 4D file.

    Parameters
    ----------
    paths : iterable of Path
    channels : sequence of str, optional
        Modalities in the order of a 4D file or of nnU-Net's numbers, see `channel_order`.
    """
    named: dict[str, list[NamedFile]] = {}
    others: list[Path] = []
    for path in paths:
        parsed = parse_name(path)
        if parsed is None:
            others.append(path)
        else:
            named.setdefault(parsed.case.lower(), []).append((path, parsed))
    unused = _take_unnamed_images(named)
    cases = [_case(files) for files in joined_by_number(named)]
    for case in cases:
        case.notes += unused if case.modalities else []
    cases += [_numbered_case(name, files, channels) for name, files in numbered(others)]
    if not cases:
        return [_stacked(path, channels) for path in others]
    return _adopt_labels(cases)


def _take_unnamed_images(named: dict[str, list[NamedFile]]) -> list[str]:
    """Remove images that are named by their modality alone beside those of a complete case.

    FreeSurfer's ``T1.mgz`` beside ``P7_t1.nii.gz`` is no other case.

    Returns
    -------
    list of str
        Notes that say so.
    """
    unnamed = named.get("", [])
    complete = [case for case, files in named.items() if case and _is_complete(files)]
    if not unnamed or not complete or len(named) > 2 or _is_complete(unnamed):
        return []
    named[""] = [file for file in unnamed if file[1].role == LABELS]
    if not named[""]:
        del named[""]
    names = [path.name for path, parsed in unnamed if parsed.role != LABELS]
    case = case_name(named[complete[0]][0][0])
    return [f"{name} was not used: other images are named after {case}" for name in names]


def _is_complete(files: Sequence[NamedFile]) -> bool:
    return {parsed.role for _, parsed in files}.issuperset(MODALITIES)


def _case(files: Sequence[NamedFile]) -> CaseFiles:
    case = CaseFiles(case_name(files[0][0]))
    if len({parsed.case.lower() for _, parsed in files}) > 1:  # numbered by sequence
        case.name = name_of_folder(files[0][0].parent)
    for role in (*MODALITIES, LABELS):
        candidates = [file for file in files if file[1].role == role]
        chosen, note = choose(candidates, files)
        case.keywords |= {parsed.keyword for _, parsed in chosen if role != LABELS}
        case.notes += [f"{note[0]} was taken as {role_title(role)}, {note[1]}"] if note else []
        if role == LABELS:
            case.labels += [path for path, _ in chosen]
        elif chosen:
            case.modalities[role] = [path for path, _ in chosen]
    return case


def _numbered_case(
    name: str, files: Mapping[int, Path], channels: Sequence[str] | None
) -> CaseFiles:
    """The case of files that nnU-Net has numbered."""
    folder = next(iter(files.values())).parent
    order, note = channel_order(folder, channels, NNUNET_CHANNELS)
    case = CaseFiles(safe_name(name), labels=_labels_beside(folder, name))
    case.modalities = {order[n]: [path] for n, path in files.items()}
    case.notes += (
        [f"the files {name}_0000 to _{max(files):04d} were taken as {note}"] if note else []
    )
    return case


def _adopt_labels(cases: list[CaseFiles]) -> list[CaseFiles]:
    with_images = [c for c in cases if c.modalities]
    orphans = [c for c in cases if not c.modalities]
    if len(with_images) == 1 and not with_images[0].labels:
        for orphan in orphans:
            with_images[0].labels += orphan.labels
    return with_images or orphans


def _stacked(path: Path, channels: Sequence[str] | None = None) -> CaseFiles:
    order, note = channel_order(path.parent, channels, MSD_CHANNELS)
    known = _DECATHLON.match(stem(path)) is not None
    notes = [f"{path.name}: the channels were taken as {note}"] if note and not known else []
    labels = _labels_beside(path.parent, stem(path))
    return CaseFiles(case_name(path), stacked=path, labels=labels, channels=order, notes=notes)


def _labels_beside(images: Path, name: str) -> list[Path]:
    """The label file of a case in the folder ``labelsTr`` beside ``imagesTr``."""
    labels = images.parent / images.name.replace("images", "labels")
    if labels == images:
        return []
    paths = (labels / f"{name}{suffix}" for suffix in (".nii.gz", ".nii"))
    return [path for path in paths if path.is_file()][:1]
