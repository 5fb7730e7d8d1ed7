"""``gridsearch schema``: the JSON Schema of files that people write, for editors and programs."""

import json

from reports.schemas.schema import schema_of
from runners.cli import Arguments
from runners.programs.answer import Answer


def run(arguments: Arguments) -> Answer:
    """Make it; for people, too, it is JSON."""
    schema = schema_of(arguments.kind)
    return Answer({"schema": schema}, json.dumps(schema, indent=1))
