"""Reading in a worker, so that the window never waits for a disk."""
