"""The planner: resolves every cell of a space for one task, names its trials, and refuses what cannot act."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache, cached_property
from itertools import chain
from typing import Final

from gridsearch.encoders.card import EncoderCard
from gridsearch.encoders.ids.start import refuse_misaligned, start_of_ids
from gridsearch.encoders.pretraining.start import start_card
from gridsearch.errors import RequestError
from gridsearch.planning.plan import ExcludedCell, Plan, PlannedCell
from gridsearch.planning.text_lengths import TextLengths
from gridsearch.planning.texts_read import TextsRead
from gridsearch.randomness import derived_seed
from gridsearch.recipe.augmentation_knobs import Augmentation, augmentation_of
from gridsearch.recipe.contradictions import refuse_contradictions
from gridsearch.recipe.percentiles import percentiles_in
from gridsearch.recipe.poolings import READS
from gridsearch.recipe.pretraining.knobs import PretrainingRecipe
from gridsearch.recipe.recipe import Recipe, set_knobs
from gridsearch.recipe.resolve import (
    acting,
    dead_knobs,
    in_numbers,
    refuse_shares_of_no_layer,
    resolve,
    why_the_same,
)
from gridsearch.recipe.trial_facts import AddedNumbers, PartFacts, TrialFacts
from gridsearch.recipe.vocabulary.knobs import VocabularyRecipe
from gridsearch.space.space import Cell, Space, spell_cell
from gridsearch.stage import make_stage
from gridsearch.tasks.augmentation.added import Added, AddedCounts, added_to
from gridsearch.tasks.corpus import Corpus, corpora_of, corpus_of
from gridsearch.tasks.lengths import TaskLengths
from gridsearch.tasks.parts.joint_task import AnyTask, JointTask
from gridsearch.trial import Trial, make_trial
from gridsearch.view import view_of

SHARING: Final = frozenset({"list", "random"})
"""Designs in which cells of one recipe share their trials; elsewhere they are a mistake."""


def make_plan(
    space: Space,
    task: AnyTask,
    describe: Callable[[str], EncoderCard],
    lengths: Callable[[EncoderCard], TaskLengths] | None = None,
) -> Plan:
    """Resolve every cell of a space. Raises RequestError for a knob that cannot act, unless the design allows it.

    ``lengths`` counts the tokens of the task's texts for an encoder. Without it nobody knows what is cut, lengths that
    cut nothing are not noticed, and no length may be a percentile.
    """
    planner = Planner(space, task, describe, lengths)
    first_cells: dict[tuple[str, Recipe], Cell] = {}
    cells: list[PlannedCell] = []
    excluded: list[ExcludedCell] = []
    for cell in space.cells():
        if len(cells) == space.design.cells:
            break
        resolved = planner.resolved(cell)
        if isinstance(resolved, ExcludedCell):
            excluded.append(resolved)
            continue
        first = first_cells.setdefault(planner.identity(resolved), cell)
        if first is not cell and space.design.kind not in SHARING:
            raise RequestError(f"{first} and {cell} are the same recipe{planner.why_the_same(first, cell)}")
        cells.append(planner.planned(cell, resolved, len(cells) + 1))
    if not cells:
        raise RequestError(f"{space.name}: the rules leave no cell to run")
    if len(cells) < (space.design.cells or 0):
        what = f"the rules and levels leave {len(cells)}"
        raise RequestError(f"{space.name}: a random design of {space.design.cells} cells is asked for, but {what}")
    refuse_dead(cells, space)
    if lengths is not None:
        _refuse_lengths_that_cut_nothing(cells, space, planner.longest_text)
    return planner.plan_of(cells, excluded)


def trial_facts(card: EncoderCard, task: AnyTask) -> TrialFacts:
    """Put together what is known of an encoder and a task."""
    facts = [
        PartFacts(len(part.train), part.label_counts, part.kind == "pair", weight, part.labels_are)
        for part, weight in zip(task.parts.values(), _weights(task), strict=True)
    ]
    return TrialFacts(
        family=card.family,
        n_layers=card.n_layers,
        has_pooler=card.has_pooler,
        max_tokens=card.max_tokens,
        n_train_rows=sum(part.n_train_rows for part in facts),
        label_counts=tuple(chain.from_iterable(part.label_counts for part in facts)),
        dropout=card.dropout,
        shares_layers=card.shares_layers,
        pooler_is_pretrained=card.pooler_is_pretrained,
        has_mask_token=card.has_mask_token,
        has_token_head=card.has_token_head,
        has_final_norm=card.has_final_norm,
        overflows_in_half=card.overflows_in_half,
        n_token_types=card.n_token_types,
        is_pair=any(part.is_pair for part in facts),
        corpora=corpora_of(task),
        id_counts=tuple(sorted(set(task.id_counts.values()))),
        has_token_counts=bool(task.token_counts),
        knows_ids=card.knows_ids,
        is_made_of_the_texts=card.is_made_of_the_texts,
        n_outside_pairs=sum(len(split) for part in task.parts.values() for split in part.outside),
        parts=tuple(facts) if len(facts) > 1 else (),
        labels_are=facts[0].labels_are if len(facts) == 1 else "class",
    )


def _weights(task: AnyTask) -> Iterable[float]:
    return task.weights.values() if isinstance(task, JointTask) else (1.0,)


def facts_in_view(recipe: Recipe, facts: TrialFacts, added: Added | None) -> TrialFacts:
    """Return the facts with the rows that an epoch of a recipe reads: with added pairs, and those in both orders."""
    if added is not None:
        new = Counter(added.split.labels or ())
        counts = tuple(count + new[label] for label, count in enumerate(facts.label_counts))
        facts = replace(facts, n_train_rows=facts.n_train_rows + len(added.split), label_counts=counts)
    if not facts.parts:
        n_rows = recipe.rows_in_view(facts.n_train_rows) if facts.is_pair else facts.n_train_rows
        return facts if n_rows == facts.n_train_rows else replace(facts, n_train_rows=n_rows)
    parts = tuple(
        replace(part, n_train_rows=recipe.rows_in_view(part.n_train_rows)) if part.is_pair else part
        for part in facts.parts
    )
    return replace(facts, parts=parts, n_train_rows=sum(part.n_train_rows for part in parts))


class Planner:
    """Resolves the cells of a space for one task, one by one; an encoder is described once.

    ``cards`` are those of the encoders by the names that spaces call them, ``starts`` those of the encoders that trials
    start from or take the vocabulary of, by their identities: the same ones, but where ids are to be their tokens.
    ``added`` says what became of the pairs that could be added to the training rows of a fold.
    """

    def __init__(
        self,
        space: Space,
        task: AnyTask,
        describe: Callable[[str], EncoderCard],
        lengths: Callable[[EncoderCard], TaskLengths] | None = None,
    ) -> None:
        self.cards: dict[str, EncoderCard] = {}
        self.starts: dict[str, EncoderCard] = {}
        self.added: dict[tuple[Augmentation, int], AddedCounts] = {}
        self._space, self._task, self._describe = space, task, describe
        self._lengths = None if lengths is None else TextLengths(task, lengths)
        self._facts = cache(self._found_facts)
        self._start = cache(self._found_start)
        self._added = cache(self._found_added)
        self._n_added = cache(self._found_numbers)
        self._corpora = cache(self._found_corpora)
        self._corpus = cache(self._found_corpus)

    def resolved(self, cell: Cell) -> Recipe | ExcludedCell:
        """Return the recipe that a cell comes to, or that a rule leaves it out; RequestError for a contradiction."""
        recipe = self._in_tokens(cell.recipe)
        facts = self._facts_of(recipe)
        declared = in_numbers(recipe, facts)
        rule = self._space.rule_against(declared, cell.levels)
        if rule is not None:
            return ExcludedCell(cell.levels, rule.why, cell.row)
        try:
            refuse_shares_of_no_layer(cell.recipe, facts)
            refuse_contradictions(declared, facts)
            if self._task.ids:
                simplest = acting(resolve(declared, facts), facts)
                self._start(simplest.encoder, simplest.vocabulary)
        except RequestError as error:
            raise RequestError(f"{self._space.where(cell.levels, cell.row)}: {error}") from None
        return resolve(declared, facts)

    def why_the_same(self, first: Cell, second: Cell) -> str:
        """Say why two cells are one recipe, after a colon; nothing where they are so to the letter."""
        cells = (first, second)
        one, other = (self._in_tokens(cell.recipe) for cell in cells)
        named = {} if one != other else {k: v for cell in cells for k, v in percentiles_in(cell.recipe).items()}
        reasons = [f"{name} = p{percent} is {getattr(one, name)}" for name, percent in named.items()]
        reasons += why_the_same(one, other, self._facts_of(one))
        return f": {'; '.join(reasons)}" if reasons else ""

    def _facts_of(self, recipe: Recipe) -> TrialFacts:
        pretraining = recipe.pretraining
        facts = self._facts(recipe.encoder, pretraining if pretraining.has_another_shape else None)
        fold, _ = self._smallest
        asked = augmentation_of(recipe)
        added = self._added(fold, asked)
        if added is None:
            return facts_in_view(recipe, facts, added)
        corpora = self._corpora(asked) if pretraining.reads_added_pairs else facts.corpora
        return facts_in_view(recipe, replace(facts, corpora=corpora, n_added=self._n_added(asked)), added)

    def _found_corpora(self, asked: Augmentation) -> dict[str, tuple[int, int]]:
        """Count the corpora of the smallest fold's rows and of what is added to them."""
        fold, task = self._smallest
        added = self._added(fold, asked)
        return corpora_of(task, None if added is None else added.split)

    def _found_numbers(self, asked: Augmentation) -> AddedNumbers:
        """Count what is added in all folds together: what adds a pair in one of them can act."""
        division = self._task.division
        several = [self._added(fold, asked) for fold in range(1 if division is None else division.n_folds)]
        counts = [one.counts for one in several if one is not None]
        return AddedNumbers(
            follow=sum(one.added_positive + one.added_negative for one in counts),
            beyond_ratio=sum(one.beyond_ratio for one in counts),
            outside=sum(one.outside_added for one in counts),
        )

    @cached_property
    def _smallest(self) -> tuple[int, AnyTask]:
        """The fold that trains on the fewest rows, and the task as its runs see it.

        A cell is one recipe in all folds, which differ by a few rows: what acts on the fewest acts on any.
        """
        sizes = Counter(self._task.folds_of_rows)
        fold = min(sizes, key=lambda fold: (-sizes[fold], fold), default=0)
        return fold, self._task.of_fold(fold)

    def _found_added(self, fold: int, asked: Augmentation | None) -> Added | None:
        """Find the pairs that are added to the training rows; those of several parts get none."""
        task = self._task.of_fold(fold)
        return None if asked is None or isinstance(task, JointTask) else added_to(task, asked)

    def _found_facts(self, encoder: str, pretraining: PretrainingRecipe | None) -> TrialFacts:
        """Describe an encoder, or one of another shape that a pretraining starts from in its place."""
        card = self._card(encoder)
        return trial_facts(card if pretraining is None else start_card(card, pretraining), self._smallest[1])

    def _card(self, encoder: str) -> EncoderCard:
        if encoder not in self.cards:
            self.cards[encoder] = self._describe(encoder)
        return self.cards[encoder]

    def _in_tokens(self, recipe: Recipe) -> Recipe:
        """Return the recipe with percentiles of lengths as numbers of tokens: those of its own encoder."""
        if not percentiles_in(recipe):
            return recipe
        assert self._lengths is not None, "percentiles take the lengths of the texts"
        return self._lengths.in_tokens(recipe, self._card(recipe.encoder))

    def longest_text(self, cell: PlannedCell) -> int:
        """Count the tokens of the task's longest text, as a cell's encoder reads it."""
        assert self._lengths is not None, "nobody has counted them"
        return self._lengths.of(self.starts[view_of(cell.trials[0]).tokens.vocabulary.encoder]).longest

    def plan_of(self, cells: Sequence[PlannedCell], excluded: Sequence[ExcludedCell]) -> Plan:
        """Put a plan together of cells that were planned here."""
        return Plan(
            self._space,
            self._task,
            self.cards,
            tuple(cells),
            tuple(excluded),
            self.starts,
            self.added,
            texts=self.texts_of(cells),
        )

    def texts_of(self, cells: Iterable[PlannedCell]) -> tuple[TextsRead, ...]:
        """Tell how much of the texts is read by the encoders of cells, and to the lengths that these have."""
        if self._lengths is None:
            return ()
        found: dict[str, set[int]] = {}
        for tokens in (view_of(trial).tokens for cell in cells for trial in cell.trials):
            found.setdefault(tokens.vocabulary.encoder, set()).add(tokens.max_length)
        return self._lengths.read(self.starts, found)

    def _found_start(self, encoder: str, vocabulary: VocabularyRecipe) -> EncoderCard:
        """Describe what a trial starts from: an encoder, or one made of it that reads ids.

        Raises RequestError where the rows that it should take are not there.
        """
        task = self._task
        card = start_of_ids(self.cards[encoder], task.id_counts, vocabulary, task.token_counts)
        refuse_misaligned(card)
        return card

    def identity(self, resolved: Recipe) -> tuple[str, Recipe]:
        """Return what two cells have in common that are the same recipe, whatever their encoder is called."""
        return self.cards[resolved.encoder].identity, resolved.model_copy(update={"encoder": ""})

    def planned(self, cell: Cell, resolved: Recipe, index: int) -> PlannedCell:
        """Name the trials of a cell."""
        space, card = self._space, self.cards[resolved.encoder]
        facts = self._facts_of(resolved)
        dead, recipe = dead_knobs(resolved, facts), acting(resolved, facts)
        trials = tuple(
            self._trial(
                recipe, _seed_of(repetition.seed, resolved, recipe, dead, space, card.identity), repetition.fold
            )
            for repetition in cell.repetitions
        )
        return PlannedCell(
            index, cell.levels, recipe, dead, trials, cell.row, self._facts_of(recipe).rows, facts.n_layers
        )

    def _trial(self, recipe: Recipe, seed: int, fold: int) -> Trial:
        """Name a trial, and the pretraining that it starts from."""
        start, stage = self._start(recipe.encoder, recipe.vocabulary), None
        encoder = self.starts.setdefault(start.identity, start).identity
        if (pretraining := recipe.pretraining).objective != "none":
            augmentation = augmentation_of(recipe) if pretraining.reads_added_pairs else None
            # What takes no step reads nothing: it is the same for all folds.
            corpus = self._corpus(
                0 if pretraining.steps == 0 else fold,
                pretraining.corpus,
                pretraining.objective == "mlm_label",
                augmentation,
            )
            stage = make_stage(
                pretraining,
                trial_seed=seed,
                precision=recipe.precision,
                base=encoder,
                corpus=corpus.fingerprint,
                n_rows=pretraining.n_rows(*corpus.sizes),
                labels=corpus.labels.fingerprint if corpus.labels else "",
                augmentation=augmentation,
            )
        asked = augmentation_of(recipe)
        if (added := self._added(fold, asked)) is not None and asked is not None:
            self.added[asked, fold] = added.counts
        return make_trial(
            recipe,
            seed=seed,
            fold=fold,
            task=self._task.fingerprint,
            encoder=encoder,
            stage=stage,
            division=self._space.design.division,
            added="" if added is None else added.fingerprint,
        )

    def _found_corpus(self, fold: int, which: str, labelled: bool, augmentation: Augmentation | None) -> Corpus:
        added = self._added(fold, augmentation)
        task, split = self._task.of_fold(fold), None if added is None else added.split
        return corpus_of(task, which, labelled=labelled, added=split)

    def planned_or_left_out(self, cell: Cell, index: int) -> PlannedCell | ExcludedCell:
        """Resolve a cell that an optimiser proposes: what would refuse a plan leaves the cell out, with the reason."""
        try:
            resolved = self.resolved(cell)
            if isinstance(resolved, ExcludedCell):
                return resolved
            planned = self.planned(cell, resolved, index)
            refuse_dead_levels(planned, self._space)
        except RequestError as error:
            where = self._space.where(cell.levels, cell.row)
            return ExcludedCell(cell.levels, str(error).removeprefix(f"{where}: "), cell.row)
        return planned


def _seed_of(seed: int, resolved: Recipe, recipe: Recipe, dead: Mapping[str, str], space: Space, encoder: str) -> int:
    """Seeds are shared by all cells (blocks), but replicates and distinct cells need numbers of their own.

    They are derived from what is set and not from a position, so that a space can grow without renaming its trials.
    """
    if space.design.seed_policy == "distinct":
        told_apart_by = recipe if space.design.on_dead == "collapse" else resolved
        return derived_seed(seed, "cell", set_knobs(told_apart_by), encoder) % 2**31
    if dead and space.design.on_dead == "replicate":
        return derived_seed(seed, "replicate", {name: getattr(resolved, name) for name in dead}) % 2**31
    return seed


def refuse_dead(cells: list[PlannedCell], space: Space) -> None:
    """Raise RequestError for a level that sets a dead knob, and for a fixed knob that is dead in all of these cells."""
    varied = {name for factor in space.factors for name in factor.knobs}
    for cell in cells:
        refuse_dead_levels(cell, space)
        for name in cell.dead:
            if name not in varied and all(name in other.dead for other in cells):
                # Where much is off, its reason is that; where nearly all acts, it is the knob's own.
                reason = min(cells, key=lambda other: len(other.dead)).dead[name]
                raise RequestError(f"{space.name}: {name} is set, but cannot act in any cell: {reason}")


def refuse_dead_levels(cell: PlannedCell, space: Space) -> None:
    """Raise RequestError when a level sets a knob that cannot act in this cell, unless the design allows it."""
    varied = {name for factor in space.factors for name in factor.knobs}
    for name, reason in cell.dead.items():
        if name in varied and space.design.on_dead == "refuse":
            raise RequestError(
                f"{space.where(cell.levels, cell.row)}: {name} cannot act: {reason} "
                "(on_dead in [design] can be collapse or replicate)"
            )


def _refuse_lengths_that_cut_nothing(
    cells: list[PlannedCell], space: Space, longest_text: Callable[[PlannedCell], int]
) -> None:
    alike: dict[Recipe, list[PlannedCell]] = {}
    for cell in cells:
        if not READS[cell.recipe.pooling].max_length:
            alike.setdefault(cell.recipe.model_copy(update={"max_length": 0}), []).append(cell)
    for several in alike.values():
        by_length = {int(cell.recipe.max_length): cell for cell in several}
        if len(by_length) == 1:
            continue
        n_tokens = longest_text(several[0])
        uncut = [cell for length, cell in by_length.items() if length >= n_tokens]
        if len(uncut) > 1:
            first, second = (spell_cell(cell.levels, cell.row) for cell in uncut[:2])
            raise RequestError(
                f"{space.name}: {first} and {second} compute the same: the longest text has {n_tokens} tokens, "
                "and neither max_length cuts it"
            )
