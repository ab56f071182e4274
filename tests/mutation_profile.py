"""Few examples, the same ones for every mutant, none made smaller: `pytest -p mutation_profile`."""

from hypothesis import Phase, settings

settings.register_profile(
    "mutation",
    max_examples=20,
    phases=[Phase.explicit, Phase.generate],
    derandomize=True,
    deadline=None,
)
settings.load_profile("mutation")
