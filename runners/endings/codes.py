"""The exit codes of every command."""

from typing import Final

EXIT_DONE: Final = 0
EXIT_INCOMPLETE: Final = 1
EXIT_WRONG_REQUEST: Final = 2
"""What was asked for is wrong, or cannot be done on this machine as it is: full disk, no memory, missing package."""
EXIT_INTERNAL_ERROR: Final = 70
"""An error of gridsearch itself; the number is that of sysexits.h."""
EXIT_INTERRUPTED: Final = 130
"""By Ctrl-C, SIGTERM, or a terminal that was closed."""
