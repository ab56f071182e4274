"""Objects of which each viewer has one."""

from __future__ import annotations

import gc
from types import SimpleNamespace
from weakref import ref

from napari.components import ViewerModel

from napari_smalltumor.viewer import one_per_viewer


def test_a_viewer_and_its_proxy_have_one_object_and_another_viewer_has_another():
    made = []

    @one_per_viewer
    def thing(viewer):
        made.append(viewer)
        return object()

    one, other = ViewerModel(), ViewerModel()
    assert thing(SimpleNamespace(__wrapped__=one)) is thing(one) is thing(one)
    assert thing(other) is not thing(one)
    assert made == [one, other]


def test_the_object_is_gone_with_its_viewer():
    class Thing:
        pass

    thing = one_per_viewer(lambda viewer: Thing())
    viewer = ViewerModel()
    kept = ref(thing(viewer))
    del viewer
    gc.collect()
    assert kept() is None
