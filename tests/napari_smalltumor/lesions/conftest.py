"""The review of a case with three lesions."""

from __future__ import annotations

import pytest
from lesion_layers import search, show_regions, synthetic_case

from napari_smalltumor.lesions.review.review import LesionReview


@pytest.fixture
def review(viewer) -> LesionReview:
    show_regions(viewer, synthetic_case())
    review = LesionReview(viewer)
    search(review)
    return review
