#!/usr/bin/env bash
# Sets up everything the tests need and runs them: bash tests/run.sh [pytest arguments]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../.ci/environment.sh"
prepare_environment pyqt5,openvino,test
cd "$root"
# The tests always get a display of their own, so that nobody's work is disturbed.
CI=true with_display python -m pytest "$@"
