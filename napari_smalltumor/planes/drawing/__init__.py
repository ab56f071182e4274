"""What is drawn in a plane: slices, rings, the candidate, distances and overlays."""
