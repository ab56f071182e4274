"""Reasons to doubt the images of one scan, and of those of a follow-up."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
from napari_cases import MODALITIES
from report_cases import brain_case, tumour
from smalltumor.data.made_by import MadeBy
from smalltumor.data.segmentation import Segmentation
from smalltumor.follow_up import Scan
from smalltumor.geometry.grid import Grid
from smalltumor.measures import measure_case
from smalltumor.report import image_warnings, image_warnings_of_scans


def test_what_a_network_needs_is_doubted_of_scans_whose_masks_one_made():
    case = brain_case()  # without T1, T2 and FLAIR
    measures = measure_case(case, Segmentation("case", tumour(), case.grid))
    network = MadeBy.network("net", "", "1", ())
    earlier = Scan(case, tumour(), measures, name="A", made_by=network)
    follow_up = SimpleNamespace(scans=(earlier, Scan(case, tumour(), measures, name="B")))
    found = image_warnings_of_scans(follow_up)
    assert [text[:3] for text in found if "missing" in text] == ["A: "]
    named = image_warnings_of_scans(follow_up, model="net")
    assert [text[:3] for text in named if "missing" in text] == ["A: ", "B: "]


def test_thick_slices_are_doubted_whoever_made_the_mask():
    case = brain_case()
    noise = np.random.default_rng(0)
    image = case.volumes["t1ce"]
    volumes = {m: image + noise.integers(0, 9, image.shape, image.dtype) for m in MODALITIES}
    thick = replace(case, volumes=volumes)
    assert any("slices of 3 mm" in text for text in image_warnings(thick, of_network=False))
    affine = case.grid.affine @ np.diag([1, 1, 2 / 3, 1])
    fine = replace(thick, grid=Grid(case.grid.shape, affine))
    assert not any("slices of" in text for text in image_warnings(fine, of_network=False))
