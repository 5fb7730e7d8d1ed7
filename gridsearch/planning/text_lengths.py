"""The lengths of a task's texts in the tokens of a plan's encoders, each counted once; and what follows of them."""

from collections.abc import Callable, Mapping, Set

from gridsearch.encoders.card import EncoderCard
from gridsearch.encoders.ids.start import start_of_ids
from gridsearch.planning.texts_read import TextsRead, texts_read
from gridsearch.recipe.percentiles import LONGEST, in_tokens, usable_length
from gridsearch.recipe.recipe import Recipe
from gridsearch.tasks.lengths import TaskLengths
from gridsearch.tasks.parts.joint_task import AnyTask


class TextLengths:
    """Asks ``count`` for the lengths of a task's texts, of each encoder once and when they are first needed."""

    def __init__(self, task: AnyTask, count: Callable[[EncoderCard], TaskLengths]) -> None:
        self._task, self._count = task, count
        self._counted: dict[str, TaskLengths] = {}
        self._percentiles: dict[str, dict[str, int]] = {}

    def of(self, card: EncoderCard) -> TaskLengths:
        """Return those of an encoder, as trials start from it."""
        if card.identity not in self._counted:
            self._counted[card.identity] = self._count(card)
        return self._counted[card.identity]

    def in_tokens(self, recipe: Recipe, card: EncoderCard) -> Recipe:
        """Replace percentiles of lengths by numbers of tokens: of the rows that train, of all folds alike.

        ``card`` is that of the encoder that the recipe names. Where the task has several parts, so many percent of each
        are whole.
        """
        start = start_of_ids(card, self._task.id_counts, recipe.vocabulary, self._task.token_counts)
        is_from_scratch = recipe.pretraining.has_another_shape and recipe.pretraining.base == "scratch"
        max_tokens = LONGEST if is_from_scratch else card.max_tokens

        def length_of(percent: int) -> int:
            length = usable_length(self.of(start).percentile(percent), max_tokens)
            self._percentiles.setdefault(start.identity, {})[f"p{percent}"] = length
            return length

        return in_tokens(recipe, length_of)

    def read(self, starts: Mapping[str, EncoderCard], max_lengths: Mapping[str, Set[int]]) -> tuple[TextsRead, ...]:
        """Tell how much each encoder, by its identity, reads of the texts to these longest lengths."""
        return tuple(
            one
            for identity, lengths in max_lengths.items()
            for one in texts_read(
                starts[identity], self.of(starts[identity]), lengths, self._percentiles.get(identity, {})
            )
        )
