"""The `smalltumor` command: arguments, progress and exit codes.

Exit codes: 0 success, 1 error, 2 error in the command line, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from smalltumor.cli.commands import (
    average,
    cohort,
    cohort_report,
    demo,
    dicom_seg,
    evaluate,
    export_model,
    folds,
    follow_up,
    import_dmfnet,
    info,
    lesions,
    pack,
    prepare,
    report,
    segment,
    train,
)
from smalltumor.cli.interruptions import interruptible
from smalltumor.cli.messages import show_message, show_warning
from smalltumor.cli.parser import Parser
from smalltumor.cli.remedies import remedy_text
from smalltumor.cli.streams import prepare_streams, start_again_in_utf8_mode
from smalltumor.errors import Cancelled, SmalltumorError, SmalltumorWarning
from smalltumor.version import software_version

COMMANDS = (
    segment,
    prepare,
    dicom_seg,
    cohort,
    cohort_report,
    lesions,
    report,
    follow_up,
    evaluate,
    train,
    folds,
    pack,
    average,
    import_dmfnet,
    export_model,
    demo,
    info,
)

DESCRIPTION = """\
Find and outline small brain tumours in MRI: enhancing tumour (ET), tumour core (TC) and
whole tumour (WT) from T1, contrast-enhanced T1 (T1CE), T2 and FLAIR.

Research software: not a medical device, not for diagnosis.
"""

EXAMPLES = """\
examples:
  smalltumor segment BraTS2021_00019 -o mask.nii.gz --lesions lesions.csv
  smalltumor cohort BraTS2021 -o masks
  smalltumor lesions mask.nii.gz --region et
  smalltumor COMMAND --help
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the console script.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of the process.

    Returns
    -------
    int
        The exit code.
    """
    if arguments is None:
        start_again_in_utf8_mode()
    prepare_streams()
    with interruptible():
        return _run(arguments)


def _run(arguments: Sequence[str] | None) -> int:
    options = argparse.Namespace()
    try:
        options = build_parser().parse_args(arguments)
        with _warnings_in_one_line():
            _recover_interrupted_writes(options)
            code: int = options.run(options)
        sys.stdout.flush()
        return code
    except SmalltumorError as error:
        return _fail(_message(error, options), 130 if isinstance(error, Cancelled) else 1)
    except KeyboardInterrupt as error:
        return _fail_interrupted(error, ends=arguments is None)
    except (RuntimeError, ImportError) as error:
        # Python 3.11 wraps what is raised while a class is created, as when a module is imported,
        # and modules in C++ wrap what is raised while they are.
        if not isinstance(error.__cause__, KeyboardInterrupt):
            raise
        return _fail_interrupted(error.__cause__, ends=arguments is None)
    except MemoryError:
        return _fail("out of memory; close other programs and try again")
    except BrokenPipeError:
        _discard_output()  # its reader has ended (`| head`)
        return 1
    except OSError as error:
        if error.filename is None and not _is_in_a_folder():
            return _fail("the current folder no longer exists; change to another one")
        if error.filename is None:
            _discard_output()
        subject = "" if error.filename is None else f"{error.filename}: "
        return _fail(f"{subject}{error.strerror or error}")


def _recover_interrupted_writes(options: argparse.Namespace) -> None:
    """Put back what a killed command was moving around any file or folder that is named now."""
    from smalltumor.files.transactions.recovery import recover_around

    values = (each if isinstance(each, list) else [each] for each in vars(options).values())
    recover_around(path for each in values for path in each if isinstance(path, Path))


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of all commands; `options.run` runs the chosen one."""
    parser = Parser(
        prog="smalltumor",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {software_version()}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_parser(commands)
    return parser


def _is_in_a_folder() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return False
    return True


@contextmanager
def _warnings_in_one_line() -> Iterator[None]:
    """Show our own warnings without the place in the code where they were made."""
    show = warnings.showwarning

    def show_own(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, SmalltumorWarning):
            show_warning(str(message))
        else:
            show(message, category, *place, **more)

    with warnings.catch_warnings():
        warnings.showwarning = show_own
        yield


def _fail(message: str, code: int = 1) -> int:
    show_message(message)
    return code


def _discard_output() -> None:
    """Discard what could not be printed, or Python reports it once more at exit."""
    with suppress(OSError, ValueError):  # a stream without a file, as in tests
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail_interrupted(error: BaseException, *, ends: bool) -> int:
    """Say that the command was interrupted, and return its exit code.

    If the process `ends` now, another Ctrl-C is ignored: it would interrupt what packages do at the
    exit of Python, which then prints where. If the interruption came while a string was executed,
    as where a dataclass is created, Python would not exit with this code but with SIGINT, unless
    another string is executed afterwards.
    """
    if ends:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    exec("")  # nosec B102
    notes = getattr(error, "__notes__", ())  # of files that could not be put back
    return _fail("; ".join(["interrupted", *(notes or ["no incomplete file was left"])]), 130)


def _message(error: SmalltumorError, options: argparse.Namespace) -> str:
    remedy = "" if error.remedy is None else remedy_text(error.remedy, options)
    return f"{error}; {remedy}" if remedy else str(error)
