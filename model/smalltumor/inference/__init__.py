"""Inference: segment a case with a trained network."""

from smalltumor.inference.predict import segment

__all__ = ["segment"]
