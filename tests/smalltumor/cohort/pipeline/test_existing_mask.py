"""What happened to an existing mask: a row of the table of `state_of` for each case."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cohort_results import write_results
from smalltumor.cohort.pipeline.existing_mask import MaskState, read_existing_mask, state_of
from smalltumor.cohort.results.results_folder import ResultsFolder
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.lesions import write_csv

OTHERS = {"t1ce": "0" * 64}


@pytest.fixture
def kept(tmp_path):
    """The state of a mask under changes of what is known of it; as the fields of its record."""
    data, output = write_results(tmp_path)
    files = next(case for case in find_cases(data) if case.name == "ann")
    folder = ResultsFolder(output)
    found = read_existing_mask(files, folder, "brats2018", None)

    def state(*, made_of=None, table="own", has_record=True, seen=None, **fields):
        mask = replace(found.mask, made_of=made_of or {})
        record = replace(found.record, **{"classes": found.digest, **fields})
        if table == "none":
            folder.lesions("ann").unlink()
        elif table == "others":
            write_csv([], folder.lesions("ann"), overwrite=True)
        known = record if has_record else None
        return state_of(mask, found.lesions, found.digest, known, files, folder, seen)

    return state


@pytest.mark.parametrize(
    ("known", "state"),
    [
        ({"seen": OTHERS}, MaskState.IMAGES_REPLACED),
        ({"digests": OTHERS, "classes": "others"}, MaskState.IMAGES_REPLACED),
        ({"made_of": OTHERS, "classes": "others"}, MaskState.OF_OTHER_IMAGES),
        ({"made_of": OTHERS, "has_record": False}, MaskState.OF_OTHER_IMAGES),
        ({"classes": "others", "table": "none"}, MaskState.CORRECTED),
        ({"classes": "others", "table": "others"}, MaskState.CORRECTED),
        ({"table": "others"}, MaskState.OF_ANOTHER_TABLE),
        ({"table": "others", "has_record": False}, MaskState.OF_ANOTHER_TABLE),
        ({"table": "none"}, MaskState.UNCHANGED),
        ({"table": "none", "has_record": False}, MaskState.UNCHANGED),
        ({"made_of": OTHERS}, MaskState.UNCHANGED),  # its classes are those that were recorded
        ({}, MaskState.UNCHANGED),
    ],
)
def test_the_state_of_a_mask_tells_what_happened_to_it_since_it_was_written(kept, known, state):
    assert kept(**known) is state
