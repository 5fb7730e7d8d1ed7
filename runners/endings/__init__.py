"""How a command ends, whatever happens: its exit code, and one sentence in place of a traceback."""
