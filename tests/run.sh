#!/usr/bin/env bash
# Sets up everything the tests need and runs them: bash tests/run.sh [pytest arguments]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../.ci/environment.sh"
prepare_environment pyqt5,openvino,test
cd "$root"
# All of them: two processes, one file each at a time; one that crashes ends the run.
case "$*" in
    *tests/*) ;;
    *) set -- --numprocesses 2 --dist loadfile --max-worker-restart 0 "$@" ;;
esac
# The tests always get a display of their own, so that nobody's work is disturbed.
CI=true with_display python -m pytest "$@"
