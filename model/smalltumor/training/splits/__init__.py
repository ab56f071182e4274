"""Which cases a run or a fold trains on, and which it validates on."""
