"""A digest of everything that a case's prepared volumes or scores come from."""

from __future__ import annotations

import hashlib
import json

from smalltumor.data.naming.case_files import CaseFiles


def case_digest(files: CaseFiles, *settings: object) -> str:
    """SHA-256 of the contents of a case's files in their roles, and of settings.

    Contents are read, because a corrected mask may have the size and the time of the earlier one;
    a case of BraTS takes less than 0.1 s.

    Parameters
    ----------
    files : CaseFiles
    *settings
        Plain JSON values, such as versions of the code.

    Returns
    -------
    str
        Hexadecimal.

    Raises
    ------
    OSError
        If a file cannot be read.
    """
    roles = [*settings, files.scheme_hint, sorted(files.modalities)]
    digest = hashlib.sha256(json.dumps(roles, sort_keys=True).encode())
    images = (
        [files.stacked] if files.stacked else [p[0] for _, p in sorted(files.modalities.items())]
    )
    for path in [*images, *files.labels]:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
