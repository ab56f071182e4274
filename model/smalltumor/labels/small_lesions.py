"""The size below which a lesion is small.

Lesions, evaluation, training, command line and plugin share it. This module does not import numpy,
so that the command line's help loads instantly.
"""

from __future__ import annotations

SMALL_LESION_VOXELS = 2000
"""Components with fewer voxels than this are small (Ngo et al. 2020, section 3)."""
