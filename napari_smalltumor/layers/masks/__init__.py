"""Layers of masks: of the regions, of the reference and of the brain."""
