"""Text files of a case in the user's data folder.

::

    DATA/decisions/Patient-1-c0ffee....json
         accepted/...
         exports/...
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smalltumor.data.case import Case
from smalltumor.files.atomic import write_text
from smalltumor.files.user_dirs import create_user_folder, data_folder

from napari_smalltumor.case_data.records import CaseRecord, file_name, record_case


def case_data_file(folder: str, case: Case) -> Path:
    """The file of a case in a folder of the user's data."""
    return data_folder() / folder / file_name(case, ".json")


def case_data_file_of_record(folder: str, record: CaseRecord) -> Path:
    """The `case_data_file` of the case of a record."""
    return data_folder() / folder / record.file_name(".json")


def write_case_data(file: Path, case: Case, content: Mapping[str, Any]) -> None:
    """Write a `case_data_file` of a case atomically, and the record of the case.

    Raises
    ------
    OutputError
        If one of them cannot be written.
    """
    create_user_folder(file.parent)
    record_case(case)
    write_text(file, json.dumps(content, indent=1), overwrite=True)
