"""The table of the Follow-up dock."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from report_cases import SHAPE, ball, brain_case
from smalltumor.data.segmentation import Segmentation
from smalltumor.follow_up import ChangeKind, LesionChange
from smalltumor.measures import measure_case

from napari_smalltumor.follow_up.table_model import SMALL, ChangesModel


def test_a_lesion_that_the_other_image_may_show_has_a_question_mark():
    case, classes = brain_case(), ball(np.zeros(SHAPE, np.uint8), (40, 20, 25), 2)
    (lesion,) = measure_case(case, Segmentation(case.name, classes, case.grid)).lesions
    new = LesionChange(ChangeKind.NEW, (), (lesion,))
    model = ChangesModel()
    gone = LesionChange(ChangeKind.GONE, (lesion,), (), bright_current=True)
    model.set_changes([new, replace(new, bright_earlier=True), gone])
    texts = [model.data(model.index(row, 0)) for row in range(3)]
    assert texts == [f"{SMALL} new", f"{SMALL} new?", f"{SMALL} gone?"]
    assert "the earlier image is bright here, too" in model.rows[1].place
