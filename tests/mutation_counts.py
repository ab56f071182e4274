"""How many mutants of each module were noticed, from what mutmut left in the present folder."""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path("mutants/src/smalltumor")

UNNOTICED = (0, 5, 33, 34, None)
"""mutmut's codes: all tests passed; none of them ran; skipped; not tried yet."""


def main() -> None:
    noticed = total = 0
    for found in sorted(ROOT.rglob("*.py.meta")):
        codes = list(json.loads(found.read_text())["exit_code_by_key"].values())
        caught = sum(code not in UNNOTICED for code in codes)
        module = found.relative_to(ROOT).as_posix().removesuffix(".py.meta")
        print(f"{module:24} {caught:4} of {len(codes):4}")
        noticed, total = noticed + caught, total + len(codes)
    print(f"{'together':24} {noticed:4} of {total:4}, {noticed / total:.1%}")


if __name__ == "__main__":
    main()
