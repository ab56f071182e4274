"""Numbers on the axes of plots are round and do not overlap."""

from __future__ import annotations

from itertools import pairwise
from math import log10

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_smalltumor.finetune.run.plot_axes import log_ticks, multiples, nice_spacing


@pytest.mark.parametrize(
    ("least", "spacing"), [(0.2, 0.2), (0.21, 0.5), (0.6, 1), (3, 5), (7, 10), (11, 20)]
)
def test_a_spacing_is_1_2_or_5_times_a_power_of_ten(least, spacing):
    assert nice_spacing(least) == pytest.approx(spacing)


def test_multiples_include_both_ends():
    assert multiples(0.2, 0.0, 1.0) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    assert multiples(5, 1, 4) == []


@pytest.mark.parametrize(
    ("low", "high", "distance", "values"),
    [
        (0.01, 1, 0.1, [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1]),
        (0.01, 1, 0.4, [0.01, 0.1, 1]),
        (0.001, 1, 1.5, [0.01, 1]),
        (0.007, 0.7, 1.2, [0.01]),
        (0.21, 0.24, 0.01, [0.21, 0.22, 0.23, 0.24]),
    ],
)
def test_numbers_of_a_logarithmic_axis_are_as_many_as_there_is_room_for(
    low, high, distance, values
):
    shown = [10**tick for tick in log_ticks(log10(low), log10(high), distance)]
    assert shown == pytest.approx(values)


@given(
    low=st.floats(-6, 3), decades=st.floats(0.01, 8), share=st.floats(0.05, 1.0, exclude_min=True)
)
def test_numbers_of_a_logarithmic_axis_do_not_overlap_and_lie_on_it(low, decades, share):
    distance = share * decades
    ticks = log_ticks(low, low + decades, distance)
    assert all(low - 1e-6 <= tick <= low + decades + 1e-6 for tick in ticks)
    assert all(after - before >= distance - 1e-6 for before, after in pairwise(ticks))
