"""Why a knob cannot act: one function a knob, or for knobs that share the reason.

Each is asked for a resolved recipe in which the knob is not neutral, and returns the reason, or None when it acts.
"""

from typing import TYPE_CHECKING

from gridsearch.recipe.knob import Reason
from gridsearch.recipe.poolings import READS
from gridsearch.recipe.trial_facts import PartFacts, TrialFacts

if TYPE_CHECKING:
    from gridsearch.recipe.recipe import Recipe


def pooler_unused(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why drawing the pooler anew changes nothing."""
    if not facts.has_pooler:
        return f"a {facts.family} encoder has no pooler"
    if recipe.pooling != "pooler":
        return f"pooling = {recipe.pooling!r} never uses the pooler"
    if not facts.pooler_is_pretrained:
        return "the checkpoint has no weights for its pooler: it is drawn anew in any case"
    return None


def nothing_decays(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why excluding parameters from decay changes nothing."""
    if recipe.weight_decay == 0:
        return "weight_decay = 0 leaves nothing to exclude"
    reads_trained_bias = recipe.pooling == "pooler" and facts.pooler_is_pretrained and not recipe.reinit_pooler
    decays_after_the_step = recipe.bert_adam and recipe.optimizer == "adamw"
    norm_trains = facts.has_final_norm
    if recipe.frozen_layers != facts.n_layers or reads_trained_bias or decays_after_the_step or norm_trains:
        return None
    if _moving_steps(recipe, facts) <= 1:
        return "the whole encoder is frozen, and all other biases are 0 until the one step that moves them"
    return None


def _moving_steps(recipe: "Recipe", facts: TrialFacts) -> int:
    """Count the steps whose learning rate is not 0: all but the first of a warm-up."""
    n_steps, n_scheduled = recipe.total_steps(facts.rows), recipe.steps_scheduled(facts.rows)
    by_share = recipe.optimizer == "original_bert_adam" and recipe.warmup_proportion > 0
    begins_at_zero = n_scheduled > 0 and (by_share or recipe.warmup_steps(facts.rows) > 0)
    return n_steps - begins_at_zero


def all_is_frozen(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why dropout inside the encoder does not act."""
    if recipe.frozen_layers == facts.n_layers and not recipe.frozen_dropout:
        return "the whole encoder is frozen, and runs without dropout"
    return None


def nothing_frozen_drops(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why dropout in the frozen part does not act."""
    if recipe.frozen_layers == 0:
        return "frozen_layers = 0 leaves no frozen part"
    return "an encoder dropout of 0 leaves nothing to drop" if encoder_dropout(recipe, facts) == 0 else None


def encoder_dropout(recipe: "Recipe", facts: TrialFacts) -> float | None:
    """Return the probability inside the encoder; None where its config has several."""
    return facts.dropout if recipe.encoder_dropout == "checkpoint" else float(recipe.encoder_dropout)


def nothing_drops(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why two forward passes of R-Drop are the same: no knob makes them differ."""
    if any(knob.varies_passes(recipe, facts) for knob in recipe.knobs().values() if knob.varies_passes):
        return None
    return "without dropout both passes are the same"


def encoder_drops(recipe: "Recipe", facts: TrialFacts) -> bool:
    """Whether two passes through the encoder differ by dropout."""
    return encoder_dropout(recipe, facts) != 0 and all_is_frozen(recipe, facts) is None


def classifier_drops(recipe: "Recipe", facts: TrialFacts) -> bool:
    """Whether two passes through the classifier differ by dropout."""
    return recipe.classifier_dropout > 0


def classifier_never_drops(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why several dropout samples are one."""
    return "classifier_dropout = 0 makes all samples the same" if recipe.classifier_dropout == 0 else None


def one_sample(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why the way of sampling does not act."""
    if recipe.multi_sample_dropout == 1:
        return "multi_sample_dropout = 1 is a single sample"
    return classifier_never_drops(recipe, facts)


def no_warmup_step(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why a warm-up changes no step's rate; the original BertAdam's begins at 0 however short it is."""
    if reason := _another_rate_from_the_first_step_on(recipe, facts):
        return reason
    if recipe.optimizer == "original_bert_adam":
        return None
    if recipe.warmup_steps(facts.rows) == 0:
        n_steps = recipe.total_steps(facts.rows)
        return f"{recipe.warmup_proportion} of {n_steps} steps is less than one step"
    return None


def one_scheduled_step(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why all schedules agree."""
    if reason := _another_rate_from_the_first_step_on(recipe, facts):
        return reason
    n_warmup = recipe.warmup_steps(facts.rows)
    if recipe.steps_scheduled(facts.rows) - n_warmup <= 1:
        return "the schedule has one step at most after the warm-up, and all schedules begin at the peak"
    if recipe.schedule == "cosine" and recipe.total_steps(facts.rows) - n_warmup == 2:
        return "after the warm-up there are two steps, the peak and half of it: a straight line has them too"
    return None


def _another_rate_from_the_first_step_on(recipe: "Recipe", facts: TrialFacts) -> Reason:
    if recipe.steps_scheduled(facts.rows) == 0:
        return "weights are averaged from the first step on, with a learning rate of their own"
    return None


def one_batch(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why there is nothing to accumulate."""
    return "an epoch is one batch" if recipe.batches_per_epoch(facts.rows) == 1 else None


def one_epoch(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why there is nothing to select."""
    return "epochs = 1 leaves one epoch to select" if recipe.epochs == 1 else None


def one_checkpoint(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why a mean over epochs is what one of them predicts."""
    if recipe.epochs == 1:
        return "epochs = 1 leaves one epoch to average"
    # The best ones, and the last of a run that patience may end, may be any.
    if recipe.selection == "last" and recipe.patience == "none":
        last = ends_of_epochs(recipe, facts)[-recipe.checkpoints :]
        if _evaluated_at(recipe, facts, last[0]) == _evaluated_at(recipe, facts, last[-1]):
            return f"the last {recipe.checkpoints} epochs evaluate the same weights"
    return None


def _evaluated_at(recipe: "Recipe", facts: TrialFacts, end: int) -> tuple[str, int]:
    """Name the weights that are evaluated after so many steps: a mean by how many it is of, others by their step."""
    averaged, every = recipe.steps_averaged(facts.rows), recipe.lookahead_steps or 1
    if averaged and end >= averaged[0]:
        return "mean", (end - averaged[0]) // averaged.step
    return "step", end if recipe.ema_decay else end - end % every


def never_runs_out(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why patience never ends a run."""
    if recipe.patience != "none" and recipe.patience + 1 >= recipe.epochs:
        return f"of {recipe.epochs} epochs, none is left after {recipe.patience} that bring nothing"
    return None


def no_labels(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why a setting of what is said of labels does not act."""
    return "the task predicts numbers, and has no labels" if facts.label_kinds == {"score"} else None


def no_numbers(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why a setting of the loss of numbers does not act."""
    return None if "score" in facts.label_kinds else "the task predicts labels, and no numbers"


def no_bend(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why the point at which Huber's loss bends does not act."""
    return no_numbers(recipe, facts) or (
        None if recipe.score_loss == "huber" else f"score_loss = {recipe.score_loss!r} has no bend"
    )


def no_several_labels(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why there is no threshold above which a label is told."""
    if "multilabel" in facts.label_kinds:
        return None
    return "thresholds are of several labels a row, and no row of the task has several"


def equal_weights(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why class weights weigh nothing. A label without training rows never weighs."""
    if reason := no_labels(recipe, facts):
        return reason
    labelled = [part for part in facts.by_part if part.labels_are != "score"]
    if all(_weighs_nothing(recipe, part) for part in labelled):
        if facts.label_kinds == {"multilabel"}:
            return "weights of 1 weigh nothing: a label that is there counts as much as one that is not"
        return "equal class weights weigh nothing: only their ratios matter"
    if recipe.batch_size * recipe.gradient_accumulation == 1 and "multilabel" not in facts.label_kinds:
        return "a step of one row is divided by that row's weight: only ratios within a step matter"
    return None


def _weighs_nothing(recipe: "Recipe", part: PartFacts) -> bool:
    """Tell whether all classes of a part weigh alike, or whether each of several labels weighs 1 where it is there."""
    given = recipe.class_weights if isinstance(recipe.class_weights, tuple) else None
    if part.labels_are == "class":
        weighing = zip(given or part.label_counts, part.label_counts, strict=False)
        return len({weight for weight, count in weighing if count}) == 1
    there = [count for count in part.label_counts if count]
    if given is not None:
        return all(weight == 1 for weight, count in zip(given, part.label_counts, strict=False) if count)
    return recipe.class_weights == "balanced" and all(2 * count == part.n_train_rows for count in there)


def never_corrected(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why switching bias correction off changes nothing."""
    return "the original BertAdam has no bias correction" if recipe.optimizer == "original_bert_adam" else None


def only_the_head_trains(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why rates that fall with depth change nothing."""
    if recipe.frozen_layers == facts.n_layers:
        return "the whole encoder is frozen, and the classifier has the undiminished rate"
    return None


def lookahead_changes_nothing(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why Lookahead's slow weights are the fast ones wherever they are evaluated."""
    if (
        recipe.lookahead_steps
        and recipe.lookahead_alpha == 1
        and all(step % recipe.lookahead_steps == 0 for step in slow_steps(recipe, facts))
    ):
        return "with lookahead_alpha = 1 the slow weights are the fast ones wherever slow ones are evaluated"
    return None


def slow_steps(recipe: "Recipe", facts: TrialFacts) -> range:
    """Return the steps after which Lookahead's weights are evaluated: ends of epochs before there is an average."""
    ends, averaged = ends_of_epochs(recipe, facts), recipe.steps_averaged(facts.rows)
    if recipe.ema_decay:
        return ends[:0]
    if not averaged or averages_alone_what_is_evaluated(recipe, facts):
        return ends
    return ends[: (averaged[0] - 1) // ends.step]


def no_lookahead(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why Lookahead's step length does not act."""
    if recipe.lookahead_steps == 0:
        return "lookahead_steps = 0 is no Lookahead"
    return lookahead_changes_nothing(recipe, facts)


def averages_alone_what_is_evaluated(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why a mean of single weights is what is evaluated without it: the trained ones, or Lookahead's."""
    averaged, every = recipe.steps_averaged(facts.rows), recipe.lookahead_steps or 1
    if len(averaged) != 1 or recipe.swa_learning_rate != "schedule":
        return None
    if any(end - end % every != averaged[0] for end in ends_of_epochs(recipe, facts) if end >= averaged[0]):
        return None
    return "only one step's weights are averaged, and these are evaluated in any case"


def ends_of_epochs(recipe: "Recipe", facts: TrialFacts) -> range:
    """Return the steps after which weights are evaluated."""
    n_an_epoch = recipe.steps_per_epoch(facts.rows)
    return range(n_an_epoch, recipe.total_steps(facts.rows) + 1, n_an_epoch)


def no_average(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why a setting of stochastic weight averaging does not act."""
    if recipe.swa_start == "none":
        return "swa_start = 'none' averages nothing"
    return averages_alone_what_is_evaluated(recipe, facts)


def no_attack(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why a setting of the attack does not act."""
    return "adversarial = 'none' is no attack" if recipe.adversarial == "none" else attack_finds_nothing(recipe, facts)


def attack_finds_nothing(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why an attack never leaves the clean text."""
    if recipe.adversarial == "freelb":
        if recipe.adversarial_steps == 1 and recipe.freelb_init == 0:
            return "one step of FreeLB from no perturbation is the clean pass"
    elif recipe.adversarial_norm == "published" and recipe.frozen_layers != 0:
        return f"{recipe.adversarial.upper()} follows the gradient of the word embeddings, and frozen ones have none"
    return None


def no_steps(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why the number of an attack's steps does not act."""
    if recipe.adversarial == "fgm":
        return "FGM takes one step, as long as adversarial_epsilon"
    return no_attack(recipe, facts)


def no_step(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why the length of an attack's steps does not act."""
    return no_steps(recipe, facts) or no_ball(recipe, facts)


def no_ball(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why an attack has neither a norm to reach nor a ball to stay in."""
    if recipe.adversarial == "freelb" and recipe.adversarial_steps == 1:
        return "the one pass of FreeLB is at its start, before any step"
    return no_attack(recipe, facts)


def no_freelb(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why FreeLB's random start does not act."""
    return None if recipe.adversarial == "freelb" else "only adversarial = 'freelb' starts at random"


def not_layered(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why the pooling has no choice of layers."""
    if not READS[recipe.pooling].layers:
        return f"pooling = {recipe.pooling!r} has no choice of layers"
    return None


def no_hidden_layer(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why a setting of the hidden layer does not act."""
    return None if recipe.head == "mlp" else f"head = {recipe.head!r} has no hidden layer"


def no_slots(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why a setting of the head that adds the logits of several maps does not act."""
    return None if recipe.head == "label_attention" else f"head = {recipe.head!r} ends in a single linear map"


def slots_drop(recipe: "Recipe", facts: TrialFacts) -> bool:
    """Whether two passes through the head differ by the dropout of its weights."""
    return recipe.head == "label_attention" and recipe.head_attention_dropout > 0


def no_pair(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why words shared by the two texts do not exist."""
    return None if facts.is_pair else "a task of single texts has no other text to share words with"


def no_second_text(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why there is no other order to read a text in."""
    return None if facts.is_pair else "a task of single texts has no second text"


def several_parts(facts: TrialFacts) -> Reason:
    """Explain why no pairs are added to the training rows of several parts."""
    return "pairs are added to training rows of a single task, and this one has several parts" if facts.parts else None


def nothing_follows(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why no pair follows from others."""
    if reason := several_parts(facts):
        return reason
    if facts.is_pair and facts.label_kinds != {"class"}:
        return "pairs follow from others where one of two labels joins texts, and the task has no two classes"
    if facts.is_pair and facts.n_labels != 2:
        return f"pairs follow from others where one of two labels joins texts, and the task has {facts.n_labels}"
    if facts.is_pair and facts.n_added is not None and facts.n_added.follow + facts.n_added.beyond_ratio == 0:
        return "no pair follows from the training pairs that they do not hold themselves"
    return no_second_text(recipe, facts)


def no_closure(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why a setting of the pairs that follow from others does not act."""
    return "closure = 'off' adds no pairs" if recipe.closure == "off" else nothing_follows(recipe, facts)


def nothing_beyond(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why the pairs that follow from others keep the ratio of labels by themselves."""
    if recipe.closure != "off" and facts.n_added is not None and facts.n_added.beyond_ratio == 0:
        return "the pairs that follow are none too many of either kind"
    return no_closure(recipe, facts)


def nothing_outside(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why there are no outside pairs to add, or no label to add them with."""
    if reason := several_parts(facts):
        return reason
    if facts.is_pair and facts.label_kinds != {"class"}:
        return "outside pairs are added as positive or negative, and the task has no two classes"
    if facts.is_pair and facts.n_labels != 2:
        return f"outside pairs are added as positive or negative, and the task has {facts.n_labels} labels"
    if facts.is_pair and facts.n_outside_pairs == 0:
        return "the task names no files under [outside]"
    if facts.is_pair and facts.n_added is not None and facts.n_added.outside == 0:
        return "no pair of the files under [outside] is new"
    return no_second_text(recipe, facts)


def no_segments(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why segment ids are all alike."""
    if not facts.is_pair:
        return "a task of single texts has one segment"
    return f"this {facts.family} encoder has no segment embeddings" if facts.n_token_types < 2 else None
