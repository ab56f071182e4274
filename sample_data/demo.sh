#!/usr/bin/env bash
# The main job on the sample case: open it in napari, segment it, list its lesions.
# Without a display the same happens on a virtual one and leaves pictures, mask and table.
#   bash sample_data/demo.sh [folder for the results]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../.ci/environment.sh"
prepare_environment openvino
smalltumor demo --output "${1:-smalltumor-demo}"
