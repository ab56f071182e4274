"""The masks of a case that this program exported beside its images."""

from __future__ import annotations

from pathlib import Path

from smalltumor.data.case import Case
from smalltumor.data.identity.image_digests import digests_of_images, recorded_images, share_t1ce
from smalltumor.data.identity.mask_names import exports_of
from smalltumor.data.masks.label_files import on_grid, read_label_volume
from smalltumor.data.naming.export_names import (
    RegionFile,
    exports_beside,
    region_file,
)
from smalltumor.data.naming.file_names import cases_of_images, parse_name
from smalltumor.data.naming.newest_exports import newest_first, written_before
from smalltumor.errors import CaseError, SmalltumorError
from smalltumor.files.listings import visible_entries
from smalltumor.files.names import name_key
from smalltumor.files.transactions.recovery import recover_around
from smalltumor.text import list_text


def exported_masks_of(case: Case) -> list[RegionFile]:
    """The newest export beside a case's images: a label file, or masks of regions.

    Images without a name of their own are named after their folder, which may have had another name
    when the masks were saved. They are the case's own if no other exported mask lies there, and
    they record its T1CE and have its grid.

    Raises
    ------
    CaseError
        If a folder of such images cannot be listed.
    """
    recover_around(case.paths.values())
    named = exports_of(case)
    if named:
        return list(named[0])
    files = _named_otherwise(case)
    return files if all(_records(file, case) for file in files) else []


def masks_named_as_exported(case: Case) -> list[RegionFile]:
    """The files that `exported_masks_of` looks at; none if it cannot."""
    try:
        return [file for export in exports_of(case) for file in export] or _named_otherwise(case)
    except CaseError:
        return []


def _named_otherwise(case: Case) -> list[RegionFile]:
    """The only exported mask beside images without a name."""
    folders = {image.parent for image in case.paths.values()}
    if len(folders) != 1 or any(map(_has_name, case.paths.values())):
        return []
    (folder,) = folders
    exported = list(filter(None, map(region_file, visible_entries(folder))))
    names = {name_key(file.case): file.case for file in exported}
    if len(names) != 1 or names.keys() & set(map(name_key, cases_of_images(folder))):
        return []
    (name,) = names.values()
    exports = newest_first(exports_beside(name, case.paths.values()))
    return list(exports[0]) if exports else []


def older_exports_text(case: Case) -> str:
    """A sentence about older exports beside a case's images, which are not read; else empty."""
    exports = exports_of(case)
    older = [file.path.name for export in written_before(exports) for file in export]
    if not older:
        return ""
    read = list_text(file.path.name for file in exports[0])
    return (
        f"the newest mask of {case.name} beside its images is {read}; not read: {list_text(older)}"
    )


def _has_name(image: Path) -> bool:
    """Whether the name of an image states a case."""
    parsed = parse_name(image)
    return parsed is None or bool(parsed.case)


def _records(file: RegionFile, case: Case) -> bool:
    """Whether a mask records the T1CE of a case, and lies on its grid."""
    try:
        volume = on_grid(read_label_volume(file.path), case.grid, case.name)
    except SmalltumorError:
        return False
    return share_t1ce(recorded_images(volume), digests_of_images(case))
