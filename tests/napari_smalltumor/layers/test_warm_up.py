"""The imports of the first labels layer are loaded in advance."""

import gc
import subprocess
import sys

import pytest

from napari_smalltumor.layers.warm_up import garbage_collection_paused

CHECK = """
import sys
from napari_smalltumor.layers.warm_up import prepare_first_labels
from qtpy.QtCore import QCoreApplication, QTimer
application = QCoreApplication([])
prepare_first_labels(application)
timer = QTimer()
timer.timeout.connect(lambda: application.findChildren(QTimer) or application.quit())
timer.start(1)
application.exec_()
before = set(sys.modules)
import numpy
from napari.layers import Labels
Labels(numpy.zeros((2, 2, 2), numpy.uint8), colormap={None: "red", 0: "transparent", 1: "red"})
print(sorted(set(sys.modules) - before))
from vispy.visuals.line import dash_atlas
print(dash_atlas._make_pattern.cache_info().currsize > 0)
"""


@pytest.mark.slow
def test_a_labels_layer_imports_and_computes_nothing_after_preparation():
    run = subprocess.run(
        [sys.executable, "-c", CHECK], capture_output=True, text=True, check=True, timeout=120
    )
    assert run.stdout.split() == ["[]", "True"]


def test_garbage_collection_is_enabled_again_after_an_error():
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError), garbage_collection_paused():
        assert not gc.isenabled()
        raise ZeroDivisionError
    assert gc.isenabled()


def test_disabled_garbage_collection_stays_disabled():
    gc.disable()
    try:
        with garbage_collection_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
