#!/usr/bin/env bash
# The main job on the sample case: open it in napari, segment it, list its lesions.
# Without a display the same happens on a virtual one and leaves pictures, mask and table.
#   bash sample_data/demo.sh [folder for the results]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../.ci/environment.sh"
prepare_environment pyqt5,openvino
results=${1:-$PWD/smalltumor-demo}
mkdir -p "$results"
smalltumor segment "$root/sample_data/BraTS2021_00019" --overwrite \
    --output "$results/BraTS2021_00019_mask.nii.gz" --lesions "$results/BraTS2021_00019_lesions.csv"
if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    smalltumor demo --output "$results"
else
    with_display smalltumor demo --output "$results" --screenshot
fi
echo "Results are in $results"
