"""What holds for all layers of a patient: their place, their order, their grid and their files."""
