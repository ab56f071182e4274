"""Random changes of training crops, as other heads and scanners would give them."""
