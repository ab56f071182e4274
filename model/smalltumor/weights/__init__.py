"""The shipped weights, named *starter*, of fifty patients; model/README.md is their card."""
