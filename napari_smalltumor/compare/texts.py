"""What the Compare dock says about the lesions that it lists."""

from __future__ import annotations

from smalltumor.evaluation.metrics.lesionwise import GLIOMA_RULE
from smalltumor.text import pluralize

from napari_smalltumor.compare.scores import RegionComparison


def joined_text(scores: RegionComparison) -> str:
    """That components of the reference are one lesion here; empty if none was joined."""
    lesions, components = scores.reference_lesions, scores.reference_components
    if not lesions or lesions == components:
        return ""
    verb = "is" if lesions == 1 else "are"
    return (
        f"{pluralize(lesions, 'lesion')} of the reference {verb} {components} components: parts "
        f"nearer than {2 * GLIOMA_RULE.dilation_mm:g} mm count as one"
    )
