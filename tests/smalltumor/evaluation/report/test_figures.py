"""The figures show the volumes and the Dice of the cases."""

from __future__ import annotations

import io

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgb
from PIL import Image
from smalltumor.evaluation.evaluate import CaseScores, Evaluation, RegionScores
from smalltumor.evaluation.metrics.lesionwise import LesionScores
from smalltumor.evaluation.metrics.voxelwise import RegionScore
from smalltumor.evaluation.report.figures import draw_dice_by_size, draw_volumes, png
from smalltumor.labels.regions import REGION_COLOURS, Region

NO_LESIONS = LesionScores((), 0, 0)


def evaluation_of(voxels: list[tuple[int, int]], dice: list[float] | None = None) -> Evaluation:
    """An evaluation of cases with (true, predicted) voxels, the same in every region."""
    cases = []
    for number, (truth, predicted) in enumerate(voxels):
        value = dice[number] if dice else 0.5
        score = RegionScore(value, 1.0, 0.0, truth, predicted, 0, 0.001, hd95=1.0, nsd=1.0)
        regions = {region: RegionScores(score, NO_LESIONS, []) for region in Region}
        cases.append(CaseScores(f"case {number}", regions))
    return Evaluation(cases, "brats2018", "brats2018", [])


def texts(figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_each_region_has_a_coloured_box_of_the_truth_and_a_white_one_of_the_prediction():
    voxels = [(10**n, 2 * 10**n) for n in range(2, 7)]
    axes = draw_volumes(evaluation_of(voxels)).axes[0]
    faces = [patch.get_facecolor()[:3] for patch in axes.patches]
    assert faces == [
        colour for region in Region for colour in (REGION_COLOURS[region], to_rgb("white"))
    ]
    medians = [line.get_ydata()[0] for line in axes.lines if line.get_linewidth() == 2]
    assert medians == [10**4, 2 * 10**4] * 3


def test_a_case_without_a_region_is_counted_because_a_logarithm_cannot_show_it():
    figure = draw_volumes(evaluation_of([(0, 5), (0, 0), *[(10, 10)] * 5]))
    assert texts(figure).count("2 without") == 3
    assert texts(figure).count("1 without") == 3


def test_few_cases_are_dots_instead_of_boxes():
    axes = draw_volumes(evaluation_of([(10, 20), (30, 40)])).axes[0]
    assert not axes.patches
    dots = [line.get_ydata().tolist() for line in axes.lines if line.get_marker() == "o"]
    assert dots == [[10, 30], [20, 40]] * 3


def test_dice_is_plotted_against_the_true_size_with_the_mean_of_each_size_class():
    voxels = [(500, 9), (900, 9), (1500, 9), (60000, 9), (200000, 9), (0, 9)]
    figure = draw_dice_by_size(evaluation_of(voxels, [0.2, 0.4, 0.5, 0.9, 0.7, 0.0]))
    (dots,) = [c for c in figure.axes[0].collections if isinstance(c, PathCollection)]
    np.testing.assert_allclose(
        dots.get_offsets(), [(500, 0.2), (900, 0.4), (1500, 0.5), (60000, 0.9), (200000, 0.7)]
    )
    means = [text for text in texts(figure) if "n=" in text]
    assert means == ["0.30\n(n=2)", "0.50\n(n=1)", "0.80\n(n=2)"]


@pytest.mark.parametrize("voxels", [[], [(0, 0)], [(1, 1)], [(10**6, 1)]])
@pytest.mark.parametrize("draw", [draw_volumes, draw_dice_by_size])
def test_a_figure_is_a_png_of_1280_by_840_dots_whatever_the_cases(draw, voxels):
    with Image.open(io.BytesIO(png(draw(evaluation_of(voxels))))) as picture:
        assert (picture.format, picture.size) == ("PNG", (1280, 840))
