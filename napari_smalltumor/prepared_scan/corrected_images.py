"""The images of a correction in place of those of a case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from smalltumor.data.case import Case
from smalltumor.scanner.prepared.prepared_case import PreparedCase
from smalltumor.scanner.prepared.prepared_files import as_stored

from napari_smalltumor.case_data.records import record_correction


def stored_images(prepared: PreparedCase) -> dict[str, npt.NDArray[np.generic]]:
    """The images of a prepared case by modality, as its files hold them; read-only."""
    found = {m: as_stored(s.image).view() for m, s in prepared.sequences.items()}
    for image in found.values():  # else a brush could paint in labels that they are converted to
        image.flags.writeable = False
    return found


def replace_images(case: Case, corrected: Mapping[str, npt.NDArray[np.generic]]) -> None:
    """Let a case have other images, by modality, which were written to its files just now."""
    case.volumes = {m: corrected.get(m, volume) for m, volume in case.volumes.items()}
    written = {case.paths[m]: image for m, image in corrected.items() if m in case.paths}
    case.loaded_images = {
        path: image.rewritten(written[path]) if path in written else image
        for path, image in case.loaded_images.items()
    }


def keep_key(case: Case, prepared: PreparedCase) -> None:
    """Let what is kept of a case be found when its files hold the images of a correction.

    Raises
    ------
    OutputError
        If that cannot be recorded.
    """
    corrected = replace(case)
    replace_images(corrected, stored_images(prepared))
    record_correction(case, corrected)
