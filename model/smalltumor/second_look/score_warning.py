"""Why the scores of a second look may not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smalltumor.second_look.parameters import SecondLookParameters, load_parameters

if TYPE_CHECKING:
    from smalltumor.data.segmentation import Segmentation


def score_warning(
    segmentation: Segmentation, parameters: SecondLookParameters | None = None
) -> str | None:
    """What is doubtful about the scores if other weights made the mask than they were fitted for.

    Parameters
    ----------
    segmentation : Segmentation
    parameters : SecondLookParameters, optional
        By default those of the package.

    Returns
    -------
    str or None
        None if the weights are those, or are unknown.
    """
    run = segmentation.run
    return None if run is None else warning_for_weights(run.weights, run.digest, parameters)


def warning_for_weights(
    weights: str, digest: str, parameters: SecondLookParameters | None = None
) -> str | None:
    """What is doubtful about the scores of a mask that was made with these weights.

    Parameters
    ----------
    weights, digest : str
        Name and digest of the checkpoint.
    parameters : SecondLookParameters, optional
        By default those of the package.

    Returns
    -------
    str or None
        None if the scores were fitted for these weights.
    """
    fitted = parameters or load_parameters()
    if digest == fitted.digest:
        return None
    used = weights if weights != fitted.weights else f"other weights named {weights}"
    return (
        f"the scores of lesions were fitted with the weights {fitted.weights}; they may not hold "
        f"for {used}"
    )
