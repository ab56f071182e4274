"""What a report of the window doubts: scores that other weights gave, and mirrored masks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from second_look_cases import Spot, ball, case_with, output_for
from smalltumor.data.made_by import SEEN_IN_TRAINING, MadeBy, recorded_made_by
from smalltumor.data.masks.label_files import read_label_volume, read_labels
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import InferenceRun, Segmentation, write_segmentation
from smalltumor.measures import measure_case

from napari_smalltumor.report.command import warnings_of


def test_scores_are_doubted_where_a_lesion_has_one():
    spot = Spot((30, 40, 30), 5, logit=6.0)
    case = case_with(spot)
    classes = np.where(ball(spot.centre, 5), 3, 0).astype(np.uint8)
    run = InferenceRun(1.0, "cpu", "torch", "mine", digest="0")
    result = Segmentation("Pat", classes, case.grid, cropped=output_for(case, spot), run=run)
    measures = measure_case(case, result)
    assert "may not hold for mine" in warnings_of(case, result, measures)[-1]
    drawn = replace(measures, lesions=())
    assert not any("may not hold" in text for text in warnings_of(case, result, drawn))


def test_a_mask_of_a_network_that_did_not_see_all_sequences_is_doubted_when_it_is_opened():
    case = case_with(Spot((30, 40, 30), 5, logit=6.0))
    classes = np.zeros(case.grid.shape, np.uint8)
    made_by = MadeBy.network("mine", "0", "1", ("t1", "t2"))
    opened = Segmentation("Pat", classes, case.grid, made_by=made_by)
    warnings = warnings_of(case, opened, measure_case(case, opened))
    assert any("the mask was segmented without T1 and T2" in text for text in warnings)


def test_a_mask_that_was_saved_and_read_again_is_doubted_as_before(tmp_path):
    case = case_with(Spot((30, 40, 30), 5, logit=6.0))
    classes = np.zeros(case.grid.shape, np.uint8)
    run = InferenceRun(1.0, "cpu", "torch", "mine", digest="0", seen_in_training=True)
    shown = Segmentation("Pat", classes, case.grid, run=run, made_by=run.made_by.edited)
    path = write_segmentation(shown, tmp_path / "mask.nii.gz")
    made_by = recorded_made_by(read_label_volume(path))
    reopened = Segmentation("Pat", classes, case.grid, made_by=made_by)
    before, after = (
        warnings_of(case, each, measure_case(case, each)) for each in (shown, reopened)
    )
    assert SEEN_IN_TRAINING in before and set(after) == set(before)


def test_a_mirrored_mask_is_a_reason_to_doubt(sample_folder):
    case = read_case(sample_folder)
    classes, _ = read_labels(case)
    for mask, doubtful in ((classes, False), (classes[::-1].copy(), True)):
        segmentation = Segmentation(case.name, mask, case.grid)
        warnings = warnings_of(case, segmentation, measure_case(case, segmentation))
        assert any("seems to be mirrored left to right" in text for text in warnings) == doubtful
