"""Whether a mask is of other images than those of a case: by its record, or what lies beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from smalltumor.data.case import REFERENCE, Case
from smalltumor.data.identity import image_digests as made_of
from smalltumor.data.identity.image_digests import (
    are_other_images,
    digests_of_images,
    digests_of_t1ce,
    recorded_images,
)
from smalltumor.data.identity.mask_names import is_in_folder_of, named_case
from smalltumor.data.naming.case_files import MODALITY_TITLES, CaseFiles, modality_titles
from smalltumor.data.naming.export_names import region_file
from smalltumor.data.naming.file_names import LABELS, cases_of_images, parse_file_name
from smalltumor.data.naming.grouping import group_files
from smalltumor.data.volumes.nifti import (
    Volume,
    is_image_name,
    label_scheme_of,
    read_header,
)
from smalltumor.errors import Action, CaseError, OutputError, Remedy
from smalltumor.files.existence import is_absent
from smalltumor.files.listings import visible_entries
from smalltumor.files.names import same_name
from smalltumor.text import list_text


def other_images_text(volumes: Sequence[Volume], case: Case) -> str:
    """A sentence about masks that are of other images than those of a case; else empty.

    A mask that records no images, such as an expert's, is of those of its case in its folder.
    """
    text = made_of.recorded_images_text(volumes, case)
    if text or not case.paths:
        return text
    for volume in volumes:
        if recorded_images(volume) or is_in_folder_of(volume.path, case):
            continue
        image = t1ce_beside(volume.path)
        if image is not None and are_other_images(digests_of_t1ce(image), digests_of_images(case)):
            return (
                f"{volume.path.name} lies beside {image}, which is another image than that of "
                f"{case.name}, {made_of.SUCH_AS_ANOTHER}"
            )
    return ""


def changed_images_text(volumes: Sequence[Volume], case: Case) -> str:
    """A sentence about images of a case that were changed after its masks were made; else empty."""
    images = digests_of_images(case)
    changed = {m: None for v in volumes for m in made_of.changed_images(recorded_images(v), images)}
    if not changed:
        return ""
    masks = list_text(volume.path.name for volume in volumes)
    was, were = ("was" if len(each) == 1 else "were" for each in (changed, volumes))
    return (
        f"{modality_titles(changed)} {was} changed after {masks} {were} made; segment the case "
        "again, or check that the mask fits"
    )


def check_not_of_another(path: Path, case: str) -> None:
    """Check that a file to be written replaces no image, and is not another case's by its name.

    Parameters
    ----------
    path : Path
    case : str
        Name of the case.

    Raises
    ------
    OutputError
        If it is an image by its name, or its name is that of another case whose images lie there.
    CaseError
        If its folder cannot be listed.
    """
    parsed = parse_file_name(path)
    if parsed is not None and parsed[1] != LABELS and not is_absent(path) and not _is_mask(path):
        raise OutputError(
            f"{path} is an image by its name ({MODALITY_TITLES[parsed[1]]})",
            Remedy(Action.CHOOSE_OUTPUT),
        )
    named = named_case(path)
    if named is None or same_name(named, case):
        return
    if any(same_name(named, other) for other in cases_of_images(path.parent)):
        raise OutputError(
            f"by its name, {path} would be a mask of {named}, whose images lie there",
            Remedy(Action.CHOOSE_OUTPUT),
        )


def check_not_beside_other_images(path: Path, case: Case) -> None:
    """Check that a mask is not written where it would be taken for that of other images.

    Parameters
    ----------
    path : Path
        Of the mask; a name that no mask of the case has is not looked at.
    case : Case

    Raises
    ------
    OutputError
        If the folder has another T1CE of a case of this name.
    CaseError
        If the folder cannot be listed.
    """
    folders = {image.absolute().parent.resolve() for image in case.sources}
    if not _is_named_as_mask_of(path, case.name) or path.absolute().parent.resolve() in folders:
        return
    named = [each for each in _cases_beside(path) if same_name(each.name, case.name)]
    images = digests_of_images(case) if named else {}
    for image in (image for each in named for image in each.modalities.get(REFERENCE, ())):
        if are_other_images(digests_of_t1ce(image), images):
            raise OutputError(
                f"{path} would be taken for the mask of {image}, which is another image than that "
                f"of {case.name}",
                Remedy(Action.CHOOSE_OUTPUT),
            )


def _is_named_as_mask_of(path: Path, case: str) -> bool:
    exported, parsed = region_file(path), parse_file_name(path)
    if exported is not None:
        return same_name(exported.case, case)
    return parsed is not None and parsed[1] == LABELS and parsed[0] in ("", case)


def _is_mask(path: Path) -> bool:
    """Whether the header of a file says that its values are labels."""
    try:
        return bool(label_scheme_of(read_header(path)))
    except CaseError:
        return False


def t1ce_beside(path: Path) -> Path | None:
    """The T1CE of the case of a mask in its folder; None if it is not there.

    Raises
    ------
    CaseError
        If the folder cannot be listed.
    """
    cases, named = _cases_beside(path), named_case(path)
    own = [c for c in cases if path in c.labels or (named and same_name(c.name, named))]
    images = [image for c in own or cases[:1] for image in c.modalities.get(REFERENCE, ())]
    return images[0] if images and (own or len(cases) == 1) else None


def _cases_beside(path: Path) -> list[CaseFiles]:
    files = filter(is_image_name, visible_entries(path.parent))
    return group_files(file for file in files if parse_file_name(file) is not None)
