"""The training loop: steps, validation, saving, and how a run is stopped."""
