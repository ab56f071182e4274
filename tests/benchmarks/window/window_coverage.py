"""Which window tests reach no line of the plugin that the others miss: those to mark `one_binding`.

    COVERAGE_FILE=FOLDER/coverage xvfb-run -a -s "-screen 0 1280x800x24 +extension GLX" \\
        python -m pytest tests/gui -m "not slow" -n 0 --cov=napari_smalltumor --cov-context=test \\
        --cov-report= --junitxml=FOLDER/times.xml
    python tests/benchmarks/window/window_coverage.py FOLDER

The tests are chosen greedily, the one with the most new lines for its time first, until all lines
are reached. The others that take more than a second are listed, the slowest first.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Mapping, Set
from pathlib import Path
from xml.etree import ElementTree

Line = tuple[str, int]
"""A file and the number of a line."""

MIN_SECONDS = 0.3
"""Time that a test counts at least, so that no test is taken for nothing."""


def main() -> None:
    """Print the tests, and how many are needed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the tests have written their files")
    parser.add_argument("--seconds", type=float, default=1.0, help="list tests that take more")
    options = parser.parse_args()
    seconds = times(options.folder / "times.xml")
    found = reached(options.folder)
    lines = {test: found[test] for test in sorted(seconds) if test in found}
    needed = chosen(lines, seconds)
    every = set[Line]().union(*lines.values())
    print(f"{len(needed)} of {len(lines)} tests reach the {len(every)} lines that all reach, in")
    of_needed = sum(seconds[test] for test in needed)
    print(f"{of_needed:.0f} s of {sum(seconds.values()):.0f} s; others:")
    others = [test for test in lines if test not in needed and seconds[test] > options.seconds]
    for test in sorted(others, key=seconds.__getitem__, reverse=True):
        print(f"{seconds[test]:6.2f} s  {test}")


def chosen(lines: Mapping[str, Set[Line]], seconds: Mapping[str, float]) -> list[str]:
    """Tests that reach every line that any test reaches, chosen greedily by lines a second."""
    needed: list[str] = []
    missed = {test: set(found) for test, found in lines.items()}
    while True:
        best = max(missed, key=lambda test: len(missed[test]) / max(seconds[test], MIN_SECONDS))
        new = missed.pop(best)
        if not new:
            return needed
        needed.append(best)
        for found in missed.values():
            found -= new
        if not missed:
            return needed


def reached(folder: Path) -> dict[str, set[Line]]:
    """The lines of the plugin that each test reaches, by its name as pytest prints it."""
    import coverage

    data = coverage.CoverageData(str(next(folder.glob("coverage*"))))
    data.read()
    lines = defaultdict[str, set[Line]](set)
    for file in data.measured_files():
        for number, contexts in data.contexts_by_lineno(file).items():
            for context in filter(None, contexts):
                lines[context.split("|")[0]].add((file, number))
    return dict(lines)


def times(report: Path) -> dict[str, float]:
    """Seconds that each test took, its fixtures included, of a JUnit report."""
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):
        parts = case.attrib["classname"].split(".")
        module = next(n for n in range(len(parts), 0, -1) if _file(parts[:n]).is_file())
        name = "::".join([_file(parts[:module]).as_posix(), *parts[module:], case.attrib["name"]])
        found[name] = float(case.attrib["time"])
    return found


def _file(parts: list[str]) -> Path:
    return Path(*parts).with_suffix(".py")


if __name__ == "__main__":
    main()
