"""Learning from cases with masks. A run is a folder, see `run_folder`."""
