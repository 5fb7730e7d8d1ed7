"""Materials: what workers are handed, the encoders that trials and stages start from and the rows that they read."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from gridsearch.encoders.load import EncoderWeights
from gridsearch.stage import Stage
from gridsearch.tasks.corpus import EncodedCorpus
from gridsearch.tasks.encode import EncodedTask
from gridsearch.trial import Trial
from gridsearch.view import CorpusView, Piece, corpus_view_of, view_of

Key = TypeVar("Key")
Value = TypeVar("Value")
Work = Trial | Stage
"""What a worker is given to do."""


@dataclass(frozen=True)
class Base:
    """Names an encoder, by its identity, with the head that it was pretrained with."""

    identity: str


@dataclass(frozen=True)
class Materials:
    """Encoders by their identity, the pieces that views of a task are made of; and for stages, bases and corpora.

    An encoder that a stage makes is there once the stage has made it.
    """

    encoders: Mapping[str, EncoderWeights]
    data: Mapping[Piece, Any]
    bases: Mapping[Base, EncoderWeights] = field(default_factory=dict)
    corpora: Mapping[CorpusView, EncodedCorpus] = field(default_factory=dict)

    @classmethod
    def fetched(cls, fetch: Callable[[Any], Any]) -> "Materials":
        """Make materials of what a function returns for each key of :meth:`pieces_of`."""
        return cls(OnDemand(fetch), OnDemand(fetch), OnDemand(fetch), OnDemand(fetch))

    def encoder_of(self, trial: Trial) -> EncoderWeights:
        """Return the encoder that a trial starts from. Raises KeyError."""
        return self.encoders[trial.encoder]

    def data_of(self, trial: Trial) -> EncodedTask:
        """Return the rows as a trial reads them. Raises KeyError."""
        return view_of(trial).made_of(self.data.__getitem__)

    def base_of(self, stage: Stage) -> EncoderWeights:
        """Return the encoder that a stage starts from, or takes its vocabulary from. Raises KeyError."""
        return self.bases[Base(stage.base)]

    def corpus_of(self, stage: Stage) -> EncodedCorpus:
        """Return the texts as a stage reads them. Raises KeyError."""
        return self.corpora[corpus_view_of(stage)]

    def pieces_of(self, work: Work) -> dict[Hashable, object]:
        """Return all that some work reads, by the keys under which it will ask for it. Raises KeyError."""
        if isinstance(work, Stage):
            return {Base(work.base): self.base_of(work), corpus_view_of(work): self.corpus_of(work)}
        rows: dict[Hashable, object] = {piece: self.data[piece] for piece in view_of(work).pieces}
        return {work.encoder: self.encoder_of(work), **rows}


class OnDemand(dict[Key, Value]):
    """A mapping that fetches what is asked for, each time anew."""

    def __init__(self, fetch: Callable[[Key], Value]) -> None:
        self._fetch = fetch

    def __missing__(self, key: Key) -> Value:
        return self._fetch(key)
