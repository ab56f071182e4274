"""Starter weights, trained on nineteen patients; model/README.md is their card."""
