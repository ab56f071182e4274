"""How the mask of one case was made, in a file beside it.

Each case has its own record, so that processes on several machines share no file that they write.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.cohort.results.stored_mask import digest_of_file
from smalltumor.data.naming.case_files import ALL
from smalltumor.errors import CaseError, SmalltumorError
from smalltumor.files.atomic import write_text
from smalltumor.files.damaged import DAMAGED
from smalltumor.files.existence import is_absent

if TYPE_CHECKING:
    from smalltumor.data.naming.case_files import CaseFiles

_MAPPINGS = ("images", "digests", "expected_dice", "derived")


@dataclass(frozen=True)
class CohortCaseRecord:
    """How the mask of a case was made.

    Parameters
    ----------
    weights, digest : str
        Of the checkpoint.
    device, backend : str
    seconds : float
    version : str
        Of this package.
    missing : tuple of str
        Modalities that the network was trained on and did not see.
    warnings : tuple of str
    images : mapping of str to int
        Bytes of each image, by modality.
    digests : mapping of str to str
        SHA-256 of each image, by modality.
    generation : int
        How often the folder had been overwritten; a mask of an earlier generation is outdated.
    expected_dice : mapping of str to float or None
        Of the network's mask, by region, see `smalltumor.data.probabilities.expected_dice`.
    candidates : str
        SHA-256 of the label image of its candidates; empty if none was written.
    classes : str
        `digest_of_classes` of the mask from which the files beside it were written.
    derived : mapping of str to str
        SHA-256 of the region masks and the mask in the BIDS dataset, by their names.
    """

    weights: str
    digest: str
    device: str
    backend: str
    seconds: float
    version: str
    missing: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    images: Mapping[str, int] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    generation: int = 0
    expected_dice: Mapping[str, float | None] = field(default_factory=dict)
    candidates: str = ""
    classes: str = ""
    derived: Mapping[str, str] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write the record, in place of one before."""
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False)
        write_text(path, text + "\n", overwrite=True)

    @classmethod
    def read(cls, path: Path) -> CohortCaseRecord | None:
        """Read a record; None if there is none, as beside a mask that somebody else put there.

        Raises
        ------
        SmalltumorError
            If it is damaged.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            content.setdefault("derived", {})  # records of the first runs lack it
            known = {name: content[name] for name in (f.name for f in fields(cls))}
            tuples = {name: tuple(known[name]) for name in ("missing", "warnings")}
            return cls(**{**known, **tuples, **{n: dict(known[n]) for n in _MAPPINGS}})
        except FileNotFoundError:
            return None
        except (OSError, *DAMAGED) as error:
            raise SmalltumorError(f"{path} cannot be read as a record of a mask") from error


def has_other_files(
    record: CohortCaseRecord | None, files: CaseFiles, digests: Mapping[str, str] | None = None
) -> bool:
    """Whether images of a case took the place of those that its mask was made of.

    Parameters
    ----------
    record : CohortCaseRecord or None
    files : CaseFiles
    digests : mapping of str to str, optional
        `sha256_of_images` of these files, if they are known; they are read otherwise.

    Raises
    ------
    CaseError
        If an image cannot be read.
    """
    if record is None:
        return False
    sizes = sizes_of_images(files)
    if any(record.images.get(modality, size) != size for modality, size in sizes.items()):
        return True
    return are_other_files(record.digests, digests or sha256_of_images(files))


def are_other_files(before: Mapping[str, str], now: Mapping[str, str]) -> bool:
    """Whether images that are there now were other ones before, by `sha256_of_images`.

    Images that were removed or added since tell nothing, unless none is left to compare.
    """
    if not before or not now:
        return False
    common = before.keys() & now.keys()
    return not common or any(before[modality] != now[modality] for modality in common)


def sizes_of_images(files: CaseFiles) -> dict[str, int]:
    """Bytes of each image of a case; images without a file are left out.

    Raises
    ------
    CaseError
        If an image cannot be reached.
    """
    return {modality: _size_of(path) for modality, path in _images_of(files).items()}


def sha256_of_images(files: CaseFiles) -> dict[str, str]:
    """SHA-256 of each image file of a case; images without a file are left out.

    Raises
    ------
    CaseError
        If an image cannot be read.
    """
    return {modality: digest_of_file(path) for modality, path in _images_of(files).items()}


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise CaseError(f"{path} cannot be read: {error.strerror or error}") from error


def _images_of(files: CaseFiles) -> dict[str, Path]:
    if files.stacked is not None:
        paths = {ALL: files.stacked}
    else:
        paths = {modality: found[0] for modality, found in files.modalities.items() if found}
    return {modality: path for modality, path in paths.items() if not is_absent(path)}
