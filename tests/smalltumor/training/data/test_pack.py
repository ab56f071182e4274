"""A pack gives the crops that the files give; what is missing or damaged is named."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from augmented_crops import augment_one
from hypothesis import given, settings
from hypothesis import strategies as st
from smalltumor.data.made_by import MadeBy
from smalltumor.data.preprocessing import PREPROCESSING_VERSION, Preprocessing
from smalltumor.data.probabilities.network_output import HalfResolutionLogits
from smalltumor.errors import OutputError, TrainingError
from smalltumor.evaluation.metrics.voxelwise import dice
from smalltumor.inference.fused.network import network_for_inference
from smalltumor.labels.masks import region_mask
from smalltumor.labels.regions import Region
from smalltumor.models.checkpoint import load_checkpoint
from smalltumor.training.augmentation.settings import Augmentation
from smalltumor.training.data.crops import sample_crop
from smalltumor.training.data.dataset import labelled_cases, prepare_case
from smalltumor.training.data.dataset_check import check_training_cases
from smalltumor.training.data.pack import MANIFEST, Pack
from smalltumor.training.data.pack_writer import PackWriter
from training_cases import disagree_about_sides, write_lesion_cases

PREPROCESSING = Preprocessing()


@pytest.fixture(scope="module")
def from_files(tmp_path_factory):
    folder = write_lesion_cases(tmp_path_factory.mktemp("cases"), 3)
    return [prepare_case(case, PREPROCESSING) for case in labelled_cases(folder)]


def write_pack(folder, cases, **options):
    writer = PackWriter(folder, PREPROCESSING, **options)
    for case in cases:
        writer.add(case)
    return writer.close()


@pytest.fixture(scope="module")
def kept_pack(from_files, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pack")
    write_pack(folder, from_files)
    return folder


@pytest.fixture(scope="module")
def from_pack(kept_pack):
    return read_all(kept_pack)


@pytest.fixture
def pack(from_files, tmp_path):
    """A pack of three parts that a test may damage."""
    write_pack(tmp_path / "pack", from_files, part_bytes=1)
    return tmp_path / "pack"


def read_all(folder):
    return [prepare_case(case, PREPROCESSING) for case in labelled_cases(folder)]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_crops_from_a_pack_are_those_from_files_up_to_quantisation(from_files, from_pack, seed):
    for case, packed in zip(from_files, from_pack, strict=True):
        one, two = (
            sample_crop(c, 16, 0.5, np.random.default_rng(seed), margin=2) for c in (case, packed)
        )
        steps = torch.tensor(packed.quantisation.step).view(4, 1, 1, 1)
        assert ((one[0] - two[0]).abs() <= 1.01 * steps).all()
        assert torch.equal(one[0] == 0, two[0] == 0)
        assert torch.equal(one[1], two[1])
        moved = [
            augment_one(*crop, Augmentation(), np.random.default_rng(seed), 2)[1]
            for crop in (one, two)
        ]
        assert torch.equal(*moved)


def test_labels_names_and_crop_centres_are_kept_exactly(from_files, from_pack):
    for case, packed in zip(from_files, from_pack, strict=True):
        assert packed.name == case.name
        assert packed.image.dtype == torch.uint8
        assert torch.equal(packed.classes, case.classes)
        np.testing.assert_array_equal(packed.crop_centres, case.crop_centres)


def test_what_makes_a_case_doubtful_is_kept(from_files, tmp_path):
    write_pack(tmp_path, [replace(from_files[0], warnings=("cut off",)), from_files[1]])
    assert [case.warnings for case in read_all(tmp_path)] == [("cut off",), ()]
    assert [case.warnings for case in check_training_cases(tmp_path)] == [["cut off"], []]


MADE = MadeBy("SEMIAUTOMATIC", "starter", "ab" * 8, "0.1.0", missing=("t2",))


def test_what_made_a_mask_is_kept_also_when_a_pack_is_packed_again(from_files, tmp_path):
    write_pack(tmp_path / "one", [replace(from_files[0], made_by=MADE), from_files[1]])
    write_pack(tmp_path / "two", read_all(tmp_path / "one"))
    for pack in (tmp_path / "one", tmp_path / "two"):
        assert [case.made_by for case in read_all(pack)] == [MADE, None]
        assert [case.made_by for case in check_training_cases(pack)] == [MADE, None]


def test_parts_hold_whole_cases_and_stay_below_their_limit(from_files, tmp_path):
    (whole,) = write_pack(tmp_path / "one", from_files)
    limit = int(0.8 * whole.stat().st_size)
    parts = write_pack(tmp_path / "two", from_files, part_bytes=limit)
    assert len(parts) == 2
    assert all(part.stat().st_size < limit + 4096 for part in parts)
    for one, two in zip(read_all(tmp_path / "one"), read_all(tmp_path / "two"), strict=True):
        assert torch.equal(one.image, two.image)


@pytest.mark.slow
def test_labels_segmented_from_a_pack_are_those_from_files(sample_folder, tmp_path):
    checkpoint = load_checkpoint(None)
    (files,) = labelled_cases(sample_folder)
    case = prepare_case(files, checkpoint.preprocessing)
    writer = PackWriter(tmp_path, checkpoint.preprocessing)
    writer.add(case)
    (part,) = writer.close()
    assert part.stat().st_size < 10**7
    network = network_for_inference(checkpoint.network)
    labels = []
    with torch.inference_mode():
        for one in (case, Pack(tmp_path).load(0)):
            image, _ = sample_crop(one, 96, 1.0, np.random.default_rng(0))
            *_, (_, logits) = network.steps(image[None])
            half = HalfResolutionLogits(logits[0].contiguous().numpy())
            labels.append(half.crop((96, 96, 96)).classes())
    assert all((labels[0] == tissue).sum() > 500 for tissue in (1, 2, 3))
    for region in Region:
        assert dice(*(region_mask(classes, region) for classes in labels)) >= 0.995


def test_a_pack_is_checked_as_its_files_are(from_files, kept_pack):
    checked = list(check_training_cases(kept_pack))
    assert [case.name for case in checked] == [case.name for case in from_files]
    for case, row in zip(from_files, checked, strict=True):
        assert row.problem is None
        counts = case.classes.flatten().bincount(minlength=4).tolist()
        assert list(row.voxels.values()) == counts[1:]


def test_a_missing_part_is_named(pack):
    (pack / "part-02.safetensors").unlink()
    assert Pack(pack).load(0).name == "case_00"
    with pytest.raises(TrainingError, match=r"part-02.safetensors is missing"):
        read_all(pack)


@pytest.mark.parametrize("place", [0, 0.5, 0.99])
def test_a_part_in_which_a_byte_has_changed_is_named(pack, place):
    part = pack / "part-02.safetensors"
    content = bytearray(part.read_bytes())
    content[int(place * len(content))] ^= 1
    part.write_bytes(content)
    with pytest.raises(TrainingError, match=r"part-02.safetensors"):
        read_all(pack)


def test_a_truncated_part_is_named(pack):
    part = pack / "part-03.safetensors"
    part.write_bytes(part.read_bytes()[:-1000])
    with pytest.raises(TrainingError, match=r"part-03.safetensors is damaged"):
        read_all(pack)


def changed_manifest(pack, change) -> None:
    values = json.loads((pack / MANIFEST).read_text())
    change(values)
    (pack / MANIFEST).write_text(json.dumps(values))


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.pop("cases"),
        lambda m: m.pop("preprocessing"),
        lambda m: m.update(format="other"),
        lambda m: m.update(parts=[]),
        lambda m: m["parts"].pop("part-01.safetensors"),
        lambda m: m["parts"].update({"../part-01.safetensors": "0"}),
        lambda m: m["cases"][0].update(shape=[4, 16]),
        lambda m: m["cases"][0].update(shape=[4, -16, 16, 16]),
        lambda m: m["cases"][0].update(step=[1]),
        lambda m: m["cases"].append("case"),
        lambda m: m["cases"][0].update(made_by="a network"),
        lambda m: m["cases"][0].update(made_by={"algorithm_type": "GUESSED"}),
    ],
)
def test_a_damaged_list_of_cases_is_refused(pack, change):
    changed_manifest(pack, change)
    with pytest.raises(TrainingError, match=MANIFEST):
        labelled_cases(pack)


def test_a_shape_that_does_not_fit_the_voxels_is_refused(pack):
    changed_manifest(pack, lambda m: m["cases"][1]["shape"].__setitem__(1, 10**6))
    with pytest.raises(TrainingError, match="case_01 is damaged"):
        read_all(pack)


def test_a_later_format_is_refused_by_its_version(pack):
    changed_manifest(pack, lambda m: m.update(format_version=99))
    with pytest.raises(TrainingError, match="version 99"):
        Pack(pack)


@pytest.mark.parametrize("version", [PREPROCESSING_VERSION - 1, PREPROCESSING_VERSION + 1])
def test_a_pack_of_a_release_that_prepares_in_another_way_is_refused(pack, version):
    changed_manifest(pack, lambda m: m.update(preprocessing_version=version))
    with pytest.raises(TrainingError, match=r"another release .* pack the cases again"):
        read_all(pack)
    with pytest.raises(TrainingError, match="another release"):
        list(check_training_cases(pack))


def test_a_pack_that_was_prepared_in_another_way_is_refused(kept_pack):
    case = labelled_cases(kept_pack)[0]
    with pytest.raises(TrainingError, match="prepared with"):
        prepare_case(case, Preprocessing(lower=5, upper=95))


def test_a_folder_that_holds_files_is_never_packed_into(pack, from_files):
    before = {path.name: path.read_bytes() for path in pack.iterdir()}
    with pytest.raises(OutputError, match="not empty"):
        PackWriter(pack, PREPROCESSING)
    assert {path.name: path.read_bytes() for path in pack.iterdir()} == before


def test_a_pack_without_its_list_is_no_pack(from_files, tmp_path):
    writer = PackWriter(tmp_path, PREPROCESSING, part_bytes=1)
    for case in from_files:
        writer.add(case)
    assert list(tmp_path.iterdir())
    assert not Pack.is_in(tmp_path)


def test_the_command_packs_a_folder(smalltumor, tmp_path):
    folder = write_lesion_cases(tmp_path / "cases", 2)
    disagree_about_sides(folder / "case_01" / "case_01_t1.nii.gz")
    code, stdout, stderr = smalltumor("pack", folder, tmp_path / "pack")
    assert code == 0, stderr
    assert stderr.startswith("smalltumor: warning: case_01: ")
    assert "cases: 2, parts: 1" in stdout
    assert Pack(tmp_path / "pack").names == ["case_00", "case_01"]
    assert smalltumor("train", tmp_path / "pack", "--check")[0] == 0
    code, _, stderr = smalltumor("pack", folder, tmp_path / "pack")
    assert code == 1
    assert "is not empty" in stderr
