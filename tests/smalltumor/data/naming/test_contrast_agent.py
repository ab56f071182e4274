"""Which words of BIDS names tell that a contrast agent was given."""

from __future__ import annotations

import pytest
from smalltumor.data.naming.contrast_agent import has_agent

WITH = [
    *("ce-gd", "ce-GAD", "ce-gadolinium_desc-preproc", "ce-gd_rec-norm", "ce-1"),
    *("acq-post", "acq-POST", "acq-gd", "acq-ce", "acq-T1ce", "acq-t1Ce", "acq-km", "acq-postgd"),
    *("acq-postcontrast", "acq-mpragePost", "acq-mpragepost", "acq-monopost", "acq-spacePost"),
    *("acq-post_desc-preproc", "acq-post_rec-norm", "acq-post_desc-denoised", "rec-enhanced"),
    *("acq-gado", "acq-gadobutrol", "acq-gadavist", "acq-prohance", "acq-mpragegado"),
    *("acq-mpragece", "acq-SPACEce", "acq-gdmprage", "acq-preopGd", "acq-SPACEpost"),
    *("acq-gd_desc-preproc", "acq-contrast", "desc-postcontrast", "acq-MPRAGEpost", "acq-3Dgd"),
]
WITHOUT = [
    *("", "acq-mprage", "acq-space", "acq-SPACE", "acq-slice1mm", "acq-reduced", "acq-iso"),
    *("acq-ref_desc-reference", "desc-spaceMNI", "desc-preproc", "rec-norm", "acq-posterior"),
    *("ce-none", "ce-no", "ce-pre", "ce-noncontrast", "ce-native", "acq-pre", "acq-preGd"),
    *("acq-nogd", "acq-precontrast", "acq-noncontrast", "acq-spacePre", "acq-native", "acq-kmno1"),
    *("acq-postPre", "acq-enhancement2", "acq-postOp", "acq-postop", "acq-preop"),
]


def entities(name):
    return dict(entity.split("-", 1) for entity in name.split("_") if entity)


@pytest.mark.parametrize("name", WITH)
def test_a_name_tells_an_agent(name):
    assert has_agent(entities(name))


@pytest.mark.parametrize("name", WITHOUT)
def test_a_name_tells_no_agent(name):
    assert not has_agent(entities(name))
