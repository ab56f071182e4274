"""What the first labels layer needs is loaded before it is waited for."""

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
"""


def test_after_preparing_a_labels_layer_loads_nothing():
    run = subprocess.run(
        [sys.executable, "-c", CHECK], capture_output=True, text=True, check=True, timeout=120
    )
    assert run.stdout.strip() == "[]"


def test_the_collector_is_off_for_the_moment_and_on_again_after_an_error():
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError), garbage_collection_paused():
        assert not gc.isenabled()
        raise ZeroDivisionError
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off():
    gc.disable()
    try:
        with garbage_collection_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
