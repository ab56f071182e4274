#!/usr/bin/env bash
# Changes the modules named under [tool.mutmut] in pyproject.toml at one place after the other, runs
# their tests on each change, and says how many were noticed: bash tests/mutation.sh [MUTANTS]
# Goes on where it was interrupted; `rm -r .mutation` starts afresh.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../.ci/environment.sh"
prepare_environment openvino,dev
# mutmut takes a module's name from its path and knows src/, not model/: it works in a copy.
work=$root/.mutation
mkdir -p "$work/src"
cp -rpu "$root/model/smalltumor" "$work/src/"
cp -rpu "$root/tests" "$root/sample_data" "$root/pyproject.toml" "$work/"
cd "$work"
export PYTHONPATH=src:tests/support:tests PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 OMP_NUM_THREADS=1
mutmut run --max-children 1 "$@"
python tests/mutation_counts.py
echo "Those that nobody noticed: cd .mutation && mutmut results, and mutmut show NAME"
