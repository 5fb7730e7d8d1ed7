"""``python -m gridsearch`` is the command."""

import sys

from runners.cli import main

sys.exit(main())
