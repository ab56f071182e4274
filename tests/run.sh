#!/usr/bin/env bash
# Sets up everything the tests need and runs them: bash tests/run.sh [--all] [pytest arguments]
# Tests marked slow need --all, or are named by their file.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../.ci/environment.sh"
prepare_environment openvino,test
cd "$root"
# Two processes, one file each at a time; one that crashes, or waits ten minutes in a test, such as for
# an answer to a dialog, ends the run.
parallel=(--numprocesses 2 --dist loadfile --max-worker-restart 0)
parallel+=(-o faulthandler_timeout=600 -o faulthandler_exit_on_timeout=true)
case "$*" in
    --all*) shift && set -- "${parallel[@]}" "$@" ;;
    *tests/*) ;;
    *) set -- "${parallel[@]}" -m "not slow" "$@" ;;
esac
# The tests always get a display of their own, so that nobody's work is disturbed.
CI=true with_display python -m pytest "$@"
