"""The JSON Schema of a task file: a single task, or several parts that share an encoder."""

from typing import Any

from gridsearch.tasks.judging.labelling import METRICS
from gridsearch.tasks.parts.joint_file import JointSections, PartFile, TargetSection
from gridsearch.tasks.parts.part_file import TaskFile
from reports.schemas.models import models_schema

Schema = dict[str, Any]


def schema() -> Schema:
    """Return it, without its head."""
    single, inner = models_schema(TaskFile)
    part, inner_of_part = models_schema(PartFile)
    joint, _ = models_schema(JointSections)
    keys = joint["properties"]
    keys["parts"] |= {"items": {"$ref": "#/$defs/PartFile"}, "minItems": 1}
    keys["target"] |= {"$ref": "#/$defs/Target"}
    target, _ = models_schema(TargetSection)
    for task in (single, part):
        task["properties"]["metric"]["enum"] = list(METRICS)
    return {
        "type": "object",
        "oneOf": [{"$ref": "#/$defs/TaskFile"}, {"$ref": "#/$defs/JointFile"}],
        "$defs": {
            **inner,
            **inner_of_part,
            "TaskFile": single,
            "PartFile": part,
            "Target": target | {"oneOf": [{"required": [key]} for key in target["properties"]]},
            "JointFile": joint,
        },
    }
