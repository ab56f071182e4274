"""`python -m smalltumor.cli`: the command without its script."""

import sys

from smalltumor.cli import main

sys.exit(main())
