"""``gridsearch schema``: the JSON Schema of files that people write, for editors and programs."""

import json

from reports.schemas.schema import schema_of
from runners.cli import EXIT_DONE, Arguments


def run(arguments: Arguments) -> int:
    """Print it."""
    print(json.dumps(schema_of(arguments.kind), indent=1))
    return EXIT_DONE
