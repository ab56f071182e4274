"""Malformed weights files; each maker damages or replaces a valid one."""

from __future__ import annotations

import collections
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.numpy import save_file

Maker = Callable[[Path], object]
EXECUTED = "executed"
"""Name of the folder that code in a pickle would create next to the file."""


class Trap:
    """Creates a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.target = str(path.parent / EXECUTED)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.target,)


class EvalTrap(Trap):
    def __reduce__(self) -> tuple[Any, ...]:
        return eval, (f"__import__('os').mkdir({self.target!r})",)


class StateTrap(Trap):
    """Creates a folder when its state is set."""

    def __reduce__(self) -> tuple[Any, ...]:
        return collections.OrderedDict, (), {"a": Trap(Path(self.target))}


def parts(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    with safe_open(path, framework="numpy") as file:
        names = list(file.keys())
        return {name: file.get_tensor(name) for name in names}, dict(file.metadata())


def with_metadata(**changed: str | None) -> Maker:
    def make(path: Path) -> None:
        tensors, metadata = parts(path)
        metadata = {k: v for k, v in (metadata | changed).items() if v is not None}
        save_file(tensors, path, metadata)

    return make


def with_json(part: str, **changed: object) -> Maker:
    def make(path: Path) -> None:
        tensors, metadata = parts(path)
        metadata[part] = json.dumps(json.loads(metadata[part]) | changed)
        save_file(tensors, path, metadata)

    return make


def with_tensors(change: Callable[[dict[str, np.ndarray]], object]) -> Maker:
    def make(path: Path) -> None:
        tensors, metadata = parts(path)
        tensors = {name: np.array(value) for name, value in tensors.items()}
        change(tensors)
        save_file(tensors, path, metadata)

    return make


def with_header(change: Callable[[dict[str, Any]], object]) -> Maker:
    """Change only the JSON header."""

    def make(path: Path) -> None:
        content = path.read_bytes()
        length = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + length])
        change(header)
        text = json.dumps(header).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + length :])

    return make


def raw(content: bytes) -> Maker:
    return lambda path: path.write_bytes(content)


def with_header_text(text: bytes, data: bytes = b"") -> Maker:
    return raw(len(text).to_bytes(8, "little") + text + data)


def first(tensors: dict[str, Any]) -> str:
    return next(name for name in sorted(tensors) if name != "__metadata__")


def shape_of(shape: list[int]) -> Maker:
    return with_header(lambda h: h[first(h)].__setitem__("shape", shape))


def offsets_of(start: int, stop: int) -> Maker:
    return with_header(lambda h: h[first(h)].__setitem__("data_offsets", [start, stop]))


def fill(value: float) -> Maker:
    return with_tensors(lambda t: t[first(t)].fill(value))


def pickled(build: Callable[[Path], object]) -> Maker:
    return lambda path: path.write_bytes(pickle.dumps(build(path)))


def saved(build: Callable[[Path], object], **options: bool) -> Maker:
    return lambda path: torch.save(build(path), path, **options)


def sparse(path: Path) -> None:
    """A sparse file of two terabytes, with a matching header."""
    size = 2**41
    header = json.dumps({"a": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + size)


SAFETENSORS: dict[str, Maker] = {
    "pickle": pickled(Trap),
    "pickle_of_torch": saved(lambda path: {"state_dict": Trap(path)}),
    "empty": raw(b""),
    "seven_bytes": raw(b"\0" * 7),
    "zeros": raw(bytes(2**20)),
    "text": raw(b"These are no weights.\n" * 50),
    "header_of_length_zero": raw(bytes(8) + b"{}"),
    "header_of_2_to_the_63": raw((2**63).to_bytes(8, "little") + b"{}"),
    "header_that_is_not_json": with_header_text(b"{" * 64),
    "header_that_is_a_list": with_header_text(b"[1, 2, 3]"),
    "header_nested_a_hundred_thousand_times": with_header_text(b'{"a":' + b"[" * 100_000),
    "header_that_is_not_utf8": with_header_text(b'{"\xff\xfe": 1}'),
    "metadata_of_eight_megabytes": with_metadata(card=json.dumps({"x": "y" * 2**23})),
    "metadata_of_numbers": with_header(lambda h: h.__setitem__("__metadata__", {"format": 3})),
    "no_metadata": with_header(lambda h: h.pop("__metadata__")),
    "sparse_file_of_two_terabytes": sparse,
    "shape_of_2_to_the_40": shape_of([2**40]),
    "shape_with_overflowing_product": shape_of([2**33, 2**31]),
    "negative_shape": shape_of([-4]),
    "shape_of_a_million_axes": shape_of([1] * 500_000),
    "offsets_after_the_end": offsets_of(0, 2**50),
    "reversed_offsets": offsets_of(64, 0),
    "negative_offsets": offsets_of(-64, 0),
    "overlapping_offsets": offsets_of(8, 72),
    "unknown_type": with_header(lambda h: h[first(h)].__setitem__("dtype", "X9")),
    "type_of_another_width": with_header(lambda h: h[first(h)].__setitem__("dtype", "F64")),
    "a_later_version": with_metadata(format_version="2"),
    "a_version_of_a_thousand_digits": with_metadata(format_version="9" * 1000),
    "negative_version": with_metadata(format_version="-1"),
    "another_format": with_metadata(format="another network"),
    "other_classes": with_metadata(classes='["BACKGROUND", "ET", "ED", "NCR"]'),
    "a_training_state": with_metadata(format="smalltumor training state"),
    "config_that_is_not_json": with_metadata(config="{"),
    "config_nested_too_deeply": with_metadata(config="[" * 100_000),
    "config_missing": with_metadata(config=None),
    "size_of_zero": with_json("config", width=0),
    "negative_size": with_json("config", channels=-8),
    "size_of_2_to_the_40": with_json("config", channels=2**40),
    "size_of_4096": with_json("config", width=4096, channels=4096),
    "fractional_size": with_json("config", width=4.5),
    "boolean_size": with_json("config", groups=True),
    "groups_that_do_not_divide": with_json("config", groups=3),
    "unknown_norm": with_json("config", norm="__import__('os').system('true')"),
    "unknown_field": with_json("config", depth=3),
    "seven_classes": with_json("config", classes=7),
    "three_modalities": with_json("config", in_channels=3),
    "unknown_modalities": with_json("preprocessing", channels=["a", "b", "c", "d"]),
    "three_channels": with_json("preprocessing", channels=["flair", "t1ce", "t1"]),
    "repeated_modality": with_json("preprocessing", channels=["t1"] * 4),
    "numbers_as_modalities": with_json("preprocessing", channels=[1, 2, 3, 4]),
    "percentiles_in_wrong_order": with_json("preprocessing", lower=99.0, upper=1.0),
    "percentile_of_nan": with_json("preprocessing", lower=float("nan")),
    "percentile_of_text": with_json("preprocessing", lower="low"),
    "multiple_of_zero": with_json("preprocessing", multiple=0),
    "multiple_of_seven": with_json("preprocessing", multiple=7),
    "multiple_of_2_to_the_40": with_json("preprocessing", multiple=2**40),
    "multiple_of_144": with_json("preprocessing", multiple=144),
    "margin_of_129": with_json("preprocessing", margin=129),
    "negative_margin": with_json("preprocessing", margin=-1),
    "fractional_margin": with_json("preprocessing", margin=0.5),
    "card_that_is_a_list": with_metadata(card="[1]"),
    "missing_tensor": with_tensors(lambda t: t.pop(first(t))),
    "extra_tensor": with_tensors(lambda t: t.__setitem__("more", np.zeros(3, np.float32))),
    "tensor_of_another_shape": with_tensors(
        lambda t: t.__setitem__(first(t), np.zeros((2, 2), np.float32))
    ),
    "nan_weight": fill(float("nan")),
    "infinite_weight": fill(float("inf")),
    "overflowing_weights": with_tensors(lambda t: [v.fill(6e4) for v in t.values()]),
    "negative_variances": with_tensors(
        lambda t: [v.fill(-9) for name, v in t.items() if "running_var" in name]
    ),
}


def zip_bomb(path: Path) -> None:
    """An archive whose directory declares a tensor of three gigabytes."""
    torch.save({"a": torch.zeros(4)}, path)
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
            if name.endswith("data/0"):
                archive.getinfo(name).file_size = 3 * 2**30


def wide_network(path: Path) -> None:
    """A few bytes expanded to a network of 4096 channels."""
    one = torch.zeros(1)
    state = {
        "encoder_block1.weight": one.expand(4096, 4, 3, 3, 3),
        "encoder_block2.1.conv3x3x3_m2.conv.weight": one.expand(4096, 4096, 3, 3, 3),
        "seg.weight": one.expand(4, 4096, 1, 1, 1),
    }
    torch.save({"state_dict": state}, path)


PICKLES: dict[str, Maker] = {
    "trap": saved(lambda path: {"state_dict": Trap(path)}),
    "trap_alone": saved(Trap),
    "trap_in_legacy_format": saved(
        lambda path: {"state_dict": Trap(path)}, _use_new_zipfile_serialization=False
    ),
    "trap_of_eval": saved(EvalTrap),
    "trap_in_a_state": saved(StateTrap),
    "trap_as_a_key": saved(lambda path: {(Trap(path),): 1}),
    "plain_pickle": pickled(Trap),
    "plain_pickle_of_os_system": lambda path: path.write_bytes(
        b"cos\nsystem\n(S'mkdir " + str(path.parent / EXECUTED).encode() + b"'\ntR."
    ),
    "whole_module": saved(lambda path: torch.nn.Linear(2, 2)),
    "state_of_text": saved(lambda path: {"state_dict": {"a": "b"}}),
    "state_of_lists": saved(lambda path: [[[1]]]),
    "another_network": saved(lambda path: torch.nn.Linear(2, 2).state_dict()),
    "nested_ten_thousand_times": lambda path: path.write_bytes(b"\x80\x02" + b"]" * 10_000 + b"."),
    "exponential_expansion": lambda path: path.write_bytes(
        b"\x80\x02]q\0" + b"".join(b"(h\0h\0tq\0" for _ in range(200)) + b"."
    ),
    "bomb": zip_bomb,
    "wide_network": wide_network,
    "empty": raw(b""),
    "text": raw(b"no checkpoint at all"),
    "cut_zip": raw(b"PK\x03\x04 cut"),
    "safetensors": lambda path: None,
}
