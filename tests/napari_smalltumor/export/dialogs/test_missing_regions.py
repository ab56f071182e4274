"""What is said of missing regions is what the file holds, for each combination of them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from smalltumor.labels.masks import compose_classes, region_mask
from smalltumor.labels.regions import Region, TissueClass

from napari_smalltumor.export.dialogs.missing_regions import without_text

NAMES = {
    TissueClass.NCR: "necrosis will count as necrosis",
    TissueClass.ED: "necrosis will count as edema",
    TissueClass.BACKGROUND: "there will be no necrosis",
}
TISSUES = np.array([TissueClass.ET, TissueClass.NCR, TissueClass.ED], dtype=np.uint8)
COMBINATIONS = [set(found) for number in (1, 2) for found in combinations(Region, number)]


@pytest.mark.parametrize("missing", COMBINATIONS, ids=lambda found: "+".join(sorted(found)))
def test_the_tissue_of_a_missing_region_is_what_the_text_says(missing):
    masks = {r: region_mask(TISSUES, r) & (r not in missing) for r in Region}
    et, ncr, ed = compose_classes(masks[Region.ET], masks[Region.TC], masks[Region.WT])
    texts = {region: without_text(region, missing) for region in missing}
    if Region.ET in missing:
        name = {TissueClass.NCR: "necrosis", TissueClass.ED: "edema"}[et]
        assert (
            texts[Region.ET]
            == f"there will be no enhancing tumour, and its tissue will count as {name}"
        )
    if Region.TC in missing:
        assert texts[Region.TC] == NAMES[ncr]
    if Region.WT in missing:
        assert ed == TissueClass.BACKGROUND and texts[Region.WT] == "there will be no edema"
