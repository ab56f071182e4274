"""Running the network on a case: device, backend, windows, flips, progress, cancellation."""

from smalltumor.inference.predict import segment

__all__ = ["segment"]
