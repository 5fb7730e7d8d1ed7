"""Materials: what workers are handed, the encoders that trials start from and the rows that they read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from gridsearch.encoders.load import EncoderWeights
from gridsearch.tasks.encode import EncodedTask
from gridsearch.trial import Trial
from gridsearch.view import View, view_of

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True)
class Materials:
    """Encoders by their identity, tokenised tasks by the view that they are."""

    encoders: Mapping[str, EncoderWeights]
    data: Mapping[View, EncodedTask]

    def encoder_of(self, trial: Trial) -> EncoderWeights:
        """Return the encoder that a trial starts from. Raises KeyError."""
        return self.encoders[trial.encoder]

    def data_of(self, trial: Trial) -> EncodedTask:
        """Return the rows as a trial reads them. Raises KeyError."""
        return self.data[view_of(trial)]


class OnDemand(dict[Key, Value]):
    """A mapping that fetches what is asked for, each time anew."""

    def __init__(self, fetch: Callable[[Key], Value]) -> None:
        self._fetch = fetch

    def __missing__(self, key: Key) -> Value:
        return self._fetch(key)
