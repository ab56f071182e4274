"""The run that is shown: its bar, the *Monitor* page and the *Result* page."""
