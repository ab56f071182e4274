"""The commands: each file adds the parser of one and runs it."""
