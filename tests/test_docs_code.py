"""The code in the documentation runs: commands are parsed, Python runs on the sample case."""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import smalltumor
from documentation import PAGES, ROOT, Block, blocks, name_of, shell_commands
from smalltumor import inference
from smalltumor.cli import build_parser, main
from smalltumor.data.sample import SAMPLE_CASE
from smalltumor.data.segmentation import Segmentation

WRAPPERS = {"timeout", "torchrun"}
REALLY_SEGMENTED = {ROOT / "README.md"}
SAMPLE = Path("sample_data") / SAMPLE_CASE
DEBIAN_PACKAGES = re.compile(r"debian_packages=\(([^)]*)\)")


def runnable_by_page() -> dict[Path, list[Block]]:
    """Python, and commands on the sample case, of each page that has some, in its order."""
    found: dict[Path, list[Block]] = {}
    for block in blocks("sh", "python"):
        if block.language == "python" or _is_on_the_sample_case(block):
            found.setdefault(block.page, []).append(block)
    return found


def _is_on_the_sample_case(block: Block) -> bool:
    """Whether the commands of a block, and nothing around them, name the sample case."""
    if SAMPLE.as_posix() not in block.code:
        return False
    return all(words[0] == "smalltumor" for words in shell_commands(block.code))


@pytest.mark.parametrize(
    "page", [page for page in PAGES if "```sh" in page.read_text("utf-8")], ids=name_of
)
def test_commands_on_a_page_are_accepted_by_the_parser(page: Path) -> None:
    for block in blocks("sh", "bash"):
        for words in shell_commands(block.code) if block.page == page else []:
            if words[0] == "smalltumor" or (words[0] in WRAPPERS and "smalltumor" in words):
                parse(words[words.index("smalltumor") + 1 :])


def parse(arguments: list[str]) -> None:
    try:
        build_parser().parse_args(arguments)
    except SystemExit as end:
        assert end.code == 0, f"smalltumor {' '.join(arguments)}"


def test_every_command_is_shown_on_a_page() -> None:
    shown = {
        words[words.index("smalltumor") + 1]
        for block in blocks("sh", "bash")
        for words in shell_commands(block.code)
        if "smalltumor" in words[:-1]
    }
    (commands,) = (a.choices for a in build_parser()._actions if isinstance(a.choices, dict))
    assert set(commands) - shown <= {"import-dmfnet", "train-request"}


def test_scripts_and_extras_that_commands_name_exist() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for block in blocks("sh", "bash"):
        for program, *words in shell_commands(block.code):
            if program in ("bash", "python") and words[0].endswith((".sh", ".py")):
                assert (ROOT / words[0]).is_file(), words[0]
            if program == "pip" and "--group" not in words:
                if not words[-1].startswith("."):
                    continue
                extras = words[-1].strip(".[]").split(",")
                assert set(extras) <= set(project["optional-dependencies"]), words[-1]


def test_the_page_names_the_debian_packages_that_the_two_commands_install() -> None:
    script = (ROOT / ".ci" / "environment.sh").read_text("utf-8")
    (installed,) = DEBIAN_PACKAGES.findall(script)
    page = ROOT / "docs" / "installation.md"
    commands = [w for b in blocks("sh") if b.page == page for w in shell_commands(b.code)]
    named = {
        w for words in commands if words[:3] == ["sudo", "apt-get", "install"] for w in words[3:]
    }
    assert named - {"python3-venv"} == set(installed.split()) - {"xvfb"}


@pytest.mark.slow
@pytest.mark.parametrize("page", [*runnable_by_page()], ids=name_of)
def test_code_on_a_page_runs_on_the_sample_case_in_order_in_one_folder(
    page: Path, segmented: Segmentation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / SAMPLE.parent).symlink_to(ROOT / SAMPLE.parent)  # as in the folder of a checkout
    monkeypatch.chdir(tmp_path)
    if page not in REALLY_SEGMENTED:
        segment = one_segmentation(segmented)
        monkeypatch.setattr(smalltumor, "segment", segment)
        monkeypatch.setattr(inference, "segment", segment)
    names: dict[str, Any] = {}
    for block in runnable_by_page()[page]:
        if block.language == "python":
            exec(compile(block.code, str(page), "exec"), names)
        else:
            for words in shell_commands(block.code):
                assert main(words[1:]) == 0, " ".join(words)


def one_segmentation(segmented: Segmentation) -> Callable[..., Segmentation]:
    """What takes the place of `segment`: its one result, if the arguments are possible."""
    real = inspect.signature(smalltumor.segment)

    def segment(*values: Any, **options: Any) -> Segmentation:
        assert real.bind(*values, **options).arguments["case"].name == SAMPLE_CASE
        return segmented

    return segment


@pytest.fixture(scope="module")
def segmented(sample_folder: Path) -> Segmentation:
    """What most pages get from `segment`, so that the network runs once for all of them."""
    from smalltumor import load_checkpoint, read_case, segment

    return segment(read_case(sample_folder), load_checkpoint())
