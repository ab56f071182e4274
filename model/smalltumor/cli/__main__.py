"""Run the `smalltumor` command by `python -m smalltumor.cli`."""

import sys

from smalltumor.cli import main

sys.exit(main())
