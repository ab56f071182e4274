"""Keys of the review take the place of the user's own keys only while they are bound."""

from __future__ import annotations

import pytest
from napari.utils.key_bindings import KeyBinding

from napari_smalltumor.lesions.keys import ReviewKeys


@pytest.fixture
def pressed() -> list[str]:
    """Who was called, in order."""
    return []


def press(viewer, key: str) -> None:
    viewer.keymap[KeyBinding.from_str(key)](viewer)


def has_key(viewer, key: str) -> bool:
    return KeyBinding.from_str(key) in viewer.keymap


def bind(viewer, pressed, name: str) -> ReviewKeys:
    return ReviewKeys(viewer, {"N": lambda: pressed.append(name)})


def test_unbinding_restores_a_key_that_was_bound_before(viewer, pressed):
    viewer.bind_key("N", lambda viewer: pressed.append("user"))
    keys = bind(viewer, pressed, "review")
    press(viewer, "N")
    keys.unbind()
    press(viewer, "N")
    assert pressed == ["review", "user"]


def test_unbinding_leaves_a_key_unbound_that_was_unbound_before(viewer, pressed):
    keys = bind(viewer, pressed, "review")
    keys.unbind()
    assert not has_key(viewer, "N")


def test_unbinding_keeps_a_key_that_the_user_has_bound_since(viewer, pressed):
    keys = bind(viewer, pressed, "review")
    viewer.bind_key("N", lambda viewer: pressed.append("user"), overwrite=True)
    keys.unbind()
    press(viewer, "N")
    assert pressed == ["user"]


def test_unbinding_twice_keeps_the_restored_key(viewer, pressed):
    viewer.bind_key("N", lambda viewer: pressed.append("user"))
    keys = bind(viewer, pressed, "review")
    keys.unbind()
    keys.unbind()
    press(viewer, "N")
    assert pressed == ["user"]


@pytest.mark.parametrize("first", [0, 1])
def test_two_reviews_of_a_viewer_restore_the_users_key_in_any_order(viewer, pressed, first):
    viewer.bind_key("N", lambda viewer: pressed.append("user"))
    both = [bind(viewer, pressed, "one"), bind(viewer, pressed, "two")]
    both[first].unbind()
    press(viewer, "N")
    both[1 - first].unbind()
    press(viewer, "N")
    assert pressed == [("two", "one")[first], "user"]
