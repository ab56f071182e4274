"""Starter weights, trained on fifty patients; model/README.md is their card."""
