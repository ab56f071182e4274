"""The name of a run, and the training folder it belongs to."""

from __future__ import annotations

from napari_smalltumor.finetune.run.run_name import RunName, run_name, trained_on


def test_a_run_is_of_the_folder_it_was_trained_on_or_of_the_one_it_was_moved_with(tmp_path):
    train, moved = tmp_path / "train", tmp_path / "moved"
    train.mkdir()
    assert trained_on(tmp_path / "run", train) == train
    assert trained_on(moved / "runs" / "run", train) == train  # copied with its folder
    assert trained_on(moved / "runs" / "run", tmp_path / "gone") == moved
    assert trained_on(moved / "runs" / "run", None) == moved
    assert trained_on(tmp_path / "run", tmp_path / "gone") == tmp_path / "gone"
    assert trained_on(tmp_path / "run", None) is None


def test_the_training_folder_is_named_only_if_another_one_is_chosen(tmp_path):
    train, other = tmp_path / "train", tmp_path / "other"
    train.mkdir()
    (tmp_path / "link").symlink_to(train)
    run = train / "runs" / "R"
    for chosen in (train, tmp_path / "link", None):
        assert run_name(run, train, chosen) == RunName(run)
    named = run_name(run, train, other)
    assert (named.line, named.folder_line) == ("Run R", f"Trained on another folder: {train}")
    best = run / "best.safetensors"
    run.mkdir(parents=True)
    best.touch()
    assert RunName(run).title_of(best) == "R (best)"
    assert named.title_of(best) == f"R (best), trained on {train}"
