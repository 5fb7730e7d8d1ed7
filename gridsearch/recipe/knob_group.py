"""The base of every group of knobs: how their values are checked, and kinds of values that several of them have."""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from gridsearch.recipe.shares import is_share


@dataclass(frozen=True)
class Spelled:
    """A text that fits a pattern; who wrote another one is told ``what`` it should be, and not the pattern."""

    pattern: str
    what: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check the text after all else."""
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Describe the text to whoever lists the knobs."""
        return {**handler(schema), "description": self.what}

    def _checked(self, text: str) -> str:
        if not re.fullmatch(self.pattern, text):
            raise PydanticCustomError("spelling", "input should be {what}", {"what": self.what})
        return text


def _share(value: object) -> object:
    if not is_share(value):
        raise ValueError('a share of the depth, as "1/2" or "50%"')
    return value


Share = Annotated[str, BeforeValidator(_share), Field(json_schema_extra={"examples": ["1/2", "50%"]})]
"""A share of the encoder's depth, such as 1/2 or 50%."""
LayerCount = Annotated[int, Field(ge=0)] | Share
Percentile = Annotated[
    str, Spelled(r"p(100|[1-9][0-9]?)", 'a percentile of the training rows\' lengths such as "p95" ("p1" to "p100")')
]
"""The tokens within which so many percent of the training rows are whole."""
TokenCount = Annotated[int, Field(ge=4, le=8192)] | Percentile
Probability = Annotated[float, Field(ge=0, lt=1)]
Weight = Annotated[float, Field(gt=0)]


class KnobGroup(BaseModel):
    """Some knobs of a recipe. Frozen; unknown knobs and wrong types are refused; nothing is coerced."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
