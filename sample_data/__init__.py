"""One real case for trying things out; see README.md beside this file for its attribution."""
