"""The layers that files become, and what is open of them already."""
