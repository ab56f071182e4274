"""Layers of a patient that were removed by hand, and patients who were closed by it."""
