"""The training folder and its cases: the *Cases* page, and adding the case in the viewer."""
