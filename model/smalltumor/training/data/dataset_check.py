"""Check a folder of cases before training on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from smalltumor.data.input_checks import check_input
from smalltumor.data.made_by import MadeBy
from smalltumor.data.mask_placement.mask_placement import placement_text
from smalltumor.data.naming.case_files import CaseFiles
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.data.read_case import read_case_files
from smalltumor.errors import SmalltumorError
from smalltumor.labels.components import connected_components
from smalltumor.labels.masks import Classes, class_mask
from smalltumor.labels.regions import TissueClass
from smalltumor.labels.small_lesions import SMALL_LESION_VOXELS
from smalltumor.text import pluralize
from smalltumor.training.data.expert_labels import check_complete, read_expert_labels

TUMOUR = (TissueClass.NCR, TissueClass.ED, TissueClass.ET)


@dataclass(frozen=True)
class CheckedCase:
    """What the check of one case found.

    Parameters
    ----------
    name : str
    problem : str or None
        Why it cannot be trained on.
    warnings : list of str
        What a user should check.
    scheme : str
        Label scheme of its segmentation.
    voxels : dict of TissueClass to int
        Voxels of each tumour class.
    small_et : list of int
        Voxels of enhancing components below `SMALL_LESION_VOXELS`, largest first.
    made_by : MadeBy or None
        What made its segmentation, if the file records it.
    """

    name: str
    problem: str | None = None
    warnings: list[str] = field(default_factory=list)
    scheme: str = ""
    voxels: dict[TissueClass, int] = field(default_factory=dict)
    small_et: list[int] = field(default_factory=list)
    made_by: MadeBy | None = None

    @property
    def small(self) -> bool:
        """Whether the enhancing tumour as a whole is small, but not absent."""
        return 0 < self.voxels.get(TissueClass.ET, 0) < SMALL_LESION_VOXELS


def check_training_cases(folder: Path) -> Iterator[CheckedCase]:
    """Check every case of a folder, one after the other.

    Parameters
    ----------
    folder : Path
        A pack, or as `smalltumor.data.naming.find_cases.find_cases` takes it.

    Raises
    ------
    CaseError
        If there is no case. What is wrong with a case is in its `CheckedCase`.
    TrainingError
        If it is a pack, and damaged or of a release whose preprocessing differs.
    """
    from smalltumor.training.data.pack import Pack  # here, because it loads torch

    if Pack.is_in(folder):
        pack = Pack(folder)
        for index, name in enumerate(pack.names):
            case = pack.load(index)
            checked = _counted(name, case.classes.numpy(), "packed", [*case.warnings])
            yield replace(checked, made_by=case.made_by)
        return
    for files in find_cases(folder):
        yield check_case(files)


def check_case(files: CaseFiles) -> CheckedCase:
    """Read one case and count its tumour voxels."""
    if not files.labels:
        return CheckedCase(files.name, files.problem() or "has no segmentation")
    try:
        case = read_case_files(files)
        labels = read_expert_labels(case)
        check_complete(labels, case)
        findings = check_input(case)
    except SmalltumorError as error:
        return CheckedCase(files.name, str(error))
    warnings = [
        *case.warnings,
        *map(str, findings),
        *filter(None, [placement_text(case, labels.classes)]),
    ]
    checked = _counted(files.name, labels.classes, labels.scheme.name, warnings)
    return replace(checked, made_by=labels.made_by)


def _counted(name: str, classes: Classes, scheme: str, warnings: list[str]) -> CheckedCase:
    if not classes.any():
        warnings.append("has an empty segmentation")
    sizes = connected_components(class_mask(classes, TissueClass.ET)).sizes
    return CheckedCase(
        name,
        warnings=warnings,
        scheme=scheme,
        voxels={tissue: int(np.count_nonzero(class_mask(classes, tissue))) for tissue in TUMOUR},
        small_et=[int(size) for size in sizes[::-1] if size < SMALL_LESION_VOXELS],
    )


def check_row(case: CheckedCase) -> str:
    """A row of the table with the header `CHECK_HEADER`, and the warnings of the case."""
    if case.problem is not None:
        return f"{case.name:<22} PROBLEM: {case.problem}"
    counts = "".join(f"{case.voxels[tissue]:>9}" for tissue in TUMOUR)
    small = ", ".join(map(str, case.small_et[:5])) + (" ..." if len(case.small_et) > 5 else "")
    mark = "  small enhancing tumour" if case.small else ""
    lines = [f"{case.name:<22} {case.scheme:<10}{counts}  {small or '-'}{mark}"]
    return "\n".join([*lines, *(f"  warning: {warning}" for warning in case.warnings)])


CHECK_HEADER = (
    f"{'case':<22} {'labels':<10}" + "".join(f"{tissue.name:>9}" for tissue in TUMOUR) + "  "
    f"ET components below {SMALL_LESION_VOXELS} voxels"
)


def check_summary(cases: Sequence[CheckedCase]) -> str:
    """One line that summarises all cases."""
    usable = [case for case in cases if case.problem is None]
    schemes = ", ".join(sorted({case.scheme for case in usable})) or "none"
    return (
        f"{pluralize(len(cases), 'case')}, {len(usable)} usable (labels: {schemes}); "
        f"{sum(case.small for case in usable)} with an enhancing tumour below "
        f"{SMALL_LESION_VOXELS} voxels, "
        f"{sum(not case.voxels[TissueClass.ET] for case in usable)} with none, "
        + pluralize(sum(len(case.small_et) for case in usable), "small enhancing component")
    )
