"""What changes in the window when another patient becomes active."""
