"""Print pyproject.toml's lower bounds as pip's constraints, `name==bound` a line.

torch is left to .ci/environment.sh, which chooses a build without CUDA.
"""

from __future__ import annotations

import re
import tomllib
from itertools import chain
from pathlib import Path

PROJECT = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text())["project"]
BOUND = re.compile(r"(?P<name>[\w-]+)(\[\w+\])?>=(?P<version>[\d.]+)(,<[\d.]+)?")


def main() -> None:
    """Print them; a dependency that is written otherwise is an error."""
    extras = chain.from_iterable(PROJECT["optional-dependencies"].values())
    for line in (*PROJECT["dependencies"], *extras):
        if line.startswith(PROJECT["name"]):
            continue
        bound = BOUND.fullmatch(line.partition(";")[0])  # without the processors it is for
        if bound is None:
            raise SystemExit(f"pyproject.toml: {line} is not name>=version[,<version][; marker]")
        if bound["name"] != "torch":
            print(f"{bound['name']}=={bound['version']}")


if __name__ == "__main__":
    main()
