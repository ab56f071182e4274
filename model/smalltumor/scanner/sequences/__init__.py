"""Which series of a study is which sequence, and which of several is taken."""
