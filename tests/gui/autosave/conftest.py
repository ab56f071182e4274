"""A window with edits, and the answers of a user who is asked about them."""

from __future__ import annotations

import numpy as np
import pytest
from shown_layers import show_segmentation
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.regions import Region

from napari_smalltumor import notify, questions
from napari_smalltumor.layers.metadata import case_of, region_layers
from napari_smalltumor.loading.open_case import open_case


@pytest.fixture
def parents() -> list[int]:
    """Identities of the windows in which the user was asked; a window itself would be kept."""
    return []


@pytest.fixture
def answers(monkeypatch, parents):
    """The queue of the user's answers, and the list of questions asked."""
    queue, asked = [], []

    def answer(parent, title, text, *answers, harmless):
        asked.append(text)
        parents.append(id(parent))
        return queue.pop(0)

    monkeypatch.setattr(questions, "ask", answer)
    monkeypatch.setattr(notify, "info", lambda message: None)
    return queue, asked


@pytest.fixture
def edited(make_napari_viewer, synthetic_case, data_folder):
    """A case with an edited result, in a window."""
    viewer = make_napari_viewer()
    open_case(viewer, synthetic_case)
    case = case_of(viewer.layers[0])
    classes = np.zeros(case.grid.shape, np.uint8)
    classes[6:9, 6:9, 6:9] = 3
    result = Segmentation(case.name, classes, case.grid, case.header)
    show_segmentation(viewer, case, result)
    region_layers(viewer.layers, case)[Region.ET].paint((9, 10, 11), 1)
    return viewer, case
