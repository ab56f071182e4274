"""Segmentations as a BIDS derivative dataset."""
