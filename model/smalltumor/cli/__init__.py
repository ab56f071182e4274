"""The `smalltumor` command."""
