"""How the mask of one case was made, in a file beside it.

Each case has its own record, so that processes on several machines share no file that they write.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.errors import SmalltumorError
from smalltumor.files.atomic import write_text

if TYPE_CHECKING:
    from smalltumor.data.naming.case_files import CaseFiles

_PACKAGE = "napari-smalltumor"


@dataclass(frozen=True)
class CaseRecord:
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
    round : int
        How often the folder had been overwritten; a mask of an earlier round is outdated.
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
    round: int = 0

    def write(self, path: Path) -> None:
        """Write the record, in place of one before."""
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False)
        write_text(path, text + "\n", overwrite=True)

    @classmethod
    def read(cls, path: Path) -> CaseRecord | None:
        """Read a record; None if there is none, as beside a mask that somebody else put there.

        Raises
        ------
        SmalltumorError
            If it is damaged.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            known = {name: content[name] for name in (f.name for f in fields(cls))}
            tuples = {name: tuple(known[name]) for name in ("missing", "warnings")}
            return cls(**{**known, **tuples, "images": dict(known["images"])})
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise SmalltumorError(f"{path} cannot be read as a record of a mask") from error


def has_other_images(record: CaseRecord | None, files: CaseFiles) -> bool:
    """Whether images of a case took the place of those that its mask was made of."""
    if record is None:
        return False
    sizes = sizes_of_images(files)  # of those that are still there
    return any(record.images.get(modality, size) != size for modality, size in sizes.items())


def software_version() -> str:
    """Version of this package; empty if it runs without being installed."""
    with suppress(metadata.PackageNotFoundError):
        return metadata.version(_PACKAGE)
    return ""


def sizes_of_images(files: CaseFiles) -> dict[str, int]:
    """Bytes of each image of a case; images without a file are left out."""
    if files.stacked is not None:
        paths = {"all": files.stacked}
    else:
        paths = {modality: found[0] for modality, found in files.modalities.items() if found}
    return {modality: path.stat().st_size for modality, path in paths.items() if path.exists()}
