"""Weights that can be chosen, and the text of their model cards."""

from smalltumor.models.checkpoint import random_checkpoint, save_checkpoint
from synthetic import NARROWEST, write_weights

from napari_smalltumor import weights


def test_the_folder_and_the_chosen_file_are_listed(tmp_path):
    for name in ("b.safetensors", "a.safetensors", "notes.txt"):
        (tmp_path / name).touch()
    elsewhere = str(tmp_path / "elsewhere" / "mine.safetensors")
    listed = weights.choices(elsewhere, str(tmp_path))
    assert [name for name, _ in listed] == [weights.SHIPPED, "a", "b", "mine (not found)"]
    assert listed[0][1] == ""
    assert listed[-1][1] == elsewhere
    assert len(weights.choices(str(tmp_path / "a.safetensors"), str(tmp_path))) == 3
    assert weights.choices("", "") == [(weights.SHIPPED, "")]


def test_files_of_the_same_title_are_told_apart_by_their_folders(tmp_path):
    files = [tmp_path / name / "runs" / "1" / "best.safetensors" for name in ("a", "b")]
    files += [tmp_path / "a" / "mine.safetensors", tmp_path / "b" / "mine.safetensors"]
    for path in files:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    listed = weights.choices("", str(tmp_path / "a"), [*files, files[0]])
    assert [path for _, path in listed] == ["", *(str(files[n]) for n in (2, 0, 1, 3))]
    assert [title for title, _ in listed] == [
        weights.SHIPPED,
        f"mine in {tmp_path / 'a'}",
        f"1 (best) in {tmp_path / 'a' / 'runs'}",
        f"1 (best) in {tmp_path / 'b' / 'runs'}",
        f"mine in {tmp_path / 'b'}",
    ]


def test_weights_of_a_run_without_validation_are_not_called_the_best(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    best = write_weights(run / "best.safetensors", selected_on=[])
    assert weights.title(best) == "run (newest, not validated)"  # it trains, or was stopped
    final = write_weights(run / "final.safetensors", selected_on=[])
    assert weights.title(best) == weights.title(final) == "run (final, not validated)"
    listed = [title for title, _ in weights.titled([best, final])]
    assert listed == [
        f"run (final, not validated) in {tmp_path}, best.safetensors",
        f"run (final, not validated) in {tmp_path}, final.safetensors",
    ]
    scored = {"selected_on": ["a"], "scores": {"validation": {"score": 0.5}}}
    validated = tmp_path / "validated"
    validated.mkdir()
    assert weights.title(write_weights(validated / "best.safetensors", **scored)) == (
        "validated (best)"
    )
    final = write_weights(validated / "final.safetensors", **(scored | {"selected_on": []}))
    assert weights.title(final) == "validated (final)"


def test_the_model_card_has_one_line_per_entry(tmp_path):
    checkpoint = random_checkpoint(1, NARROWEST)
    card = {"name": "mine", "trained_on": "12 cases", "scores": {"dice_et": 0.5}}
    path = tmp_path / "mine.safetensors"
    save_checkpoint(path, checkpoint.network, checkpoint.preprocessing, card)
    assert weights.describe(str(path)).splitlines() == [
        f"mine ({path})",
        "trained on: 12 cases",
        "scores:",
        "    dice et: 0.5",
    ]


def test_the_description_of_a_damaged_file_is_its_error(tmp_path):
    path = tmp_path / "broken.safetensors"
    path.write_bytes(b"no weights")
    assert str(path) in weights.describe(str(path))
