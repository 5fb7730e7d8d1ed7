"""A worker: one warm process, one job after the other, and nothing of a job left for the next."""

import gc
import mmap
import weakref
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from gridsearch.encoders.load import EncoderWeights
from gridsearch.errors import RequestError
from gridsearch.stage import Vocabulary
from gridsearch.tasks.encode import EncodedTask
from gridsearch.training.deadline import Deadline
from gridsearch.training.finetune import finetune
from gridsearch.training.materials import Materials, OnDemand
from gridsearch.training.worker import Job, Worker, failure_of
from gridsearch.trial import Epoch, Failure, FailureKind, Outcome
from gridsearch.view import Piece, Tokens, view_of
from tests.fixtures_core import ON_CPU, numbers_of, slow, trial_of


@pytest.fixture
def worker(encoder: EncoderWeights, data: EncodedTask) -> Worker:
    return Worker(Materials(OnDemand(lambda identity: encoder), OnDemand(lambda view: data)))


@pytest.fixture(scope="module")
def expected(encoder: EncoderWeights, data: EncodedTask) -> Outcome:
    return finetune(trial_of(), data, encoder, ON_CPU)


def to_the_end(worker: Worker) -> Outcome | Failure:
    while isinstance(result := worker.advance(), Epoch):
        pass
    return result


def finished(worker: Worker) -> Outcome:
    result = to_the_end(worker)
    assert isinstance(result, Outcome), result
    return result


def test_a_job_goes_epoch_by_epoch(worker: Worker, expected: Outcome) -> None:
    worker.begin(Job(trial_of(), ON_CPU))
    results = [worker.advance() for _ in range(4)]
    assert [type(result) for result in results] == [Epoch, Epoch, Epoch, Outcome]
    assert isinstance(results[3], Outcome)
    assert results[:3] == list(results[3].epochs)
    assert numbers_of(results[3]) == numbers_of(expected)


def test_the_next_job_is_as_in_a_fresh_worker(worker: Worker, expected: Outcome) -> None:
    worker.begin(Job(trial_of(seed=5, reinit_layers=1, bert_adam=True, epochs=1), ON_CPU))
    finished(worker)
    worker.begin(Job(trial_of(), ON_CPU))
    assert numbers_of(finished(worker)) == numbers_of(expected)


@pytest.mark.slow  # 1.9 s
@pytest.mark.parametrize("close", [True, False])
def test_a_job_after_one_that_was_given_up(worker: Worker, expected: Outcome, close: bool) -> None:
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    worker.begin(Job(trial_of(seed=5, precision="bf16"), ON_CPU))
    assert isinstance(worker.advance(), Epoch)
    if close:
        worker.close()
        assert (torch.get_num_threads(), torch.equal(torch.get_rng_state(), state)) == (threads, True)
    worker.begin(Job(trial_of(), ON_CPU))
    assert numbers_of(finished(worker)) == numbers_of(expected)
    assert torch.equal(torch.get_rng_state(), state)


def n_live_parameters() -> int:
    gc.collect()
    return sum(1 for thing in gc.get_objects() if type(thing) is torch.nn.Parameter)


@pytest.mark.slow  # looks at all that lives in memory
def test_giving_up_frees_the_model(worker: Worker) -> None:
    before = n_live_parameters()
    worker.begin(Job(trial_of(), ON_CPU))
    worker.advance()
    assert n_live_parameters() > before
    worker.close()
    assert n_live_parameters() == before


@pytest.mark.slow  # 1.2 s
def test_a_failed_job_leaves_nothing_in_memory(encoder: EncoderWeights) -> None:
    held: list[weakref.ref[np.ndarray]] = []

    def data(piece: Piece) -> EncodedTask:
        array = np.zeros(3)
        held.append(weakref.ref(array))
        raise RuntimeError(f"an array of {len(array)} is in this frame")

    worker = Worker(Materials(OnDemand(lambda identity: encoder), OnDemand(data)))
    worker.begin(Job(trial_of(), ON_CPU))
    assert isinstance(worker.advance(), Failure)
    gc.collect()
    assert held[0]() is None


def test_closing_twice_or_before_a_job_is_no_error(worker: Worker) -> None:
    worker.close()
    worker.begin(Job(trial_of(), ON_CPU))
    worker.close()
    worker.close()


def test_the_materials_are_asked_for_what_the_trial_names(encoder: EncoderWeights, data: EncodedTask) -> None:
    asked: list[object] = []

    def give_encoder(identity: str) -> EncoderWeights:
        asked.append(identity)
        return encoder

    def give_data(piece: Piece) -> EncodedTask:
        asked.append(piece)
        return data

    worker = Worker(Materials(OnDemand(give_encoder), OnDemand(give_data)))
    trial = trial_of(max_length=17, epochs=1)
    worker.begin(Job(trial, ON_CPU))
    finished(worker)
    assert asked == ["an encoder", Tokens(trial.task, Vocabulary("an encoder"), 17)]
    assert [*asked[1:]] == [*view_of(trial).pieces]


def allocate_on_cpu() -> object:
    return torch.empty(2**50)


def allocate_in_numpy() -> object:
    return np.ones(2**50)


def map_memory() -> object:
    return mmap.mmap(-1, 2**50)


def take_too_long() -> object:
    return Deadline(0.0).check()


def time_out_elsewhere() -> object:
    raise TimeoutError("no answer from the file server")


def divide_by_zero() -> object:
    return 1 / 0


def refuse() -> object:
    raise RequestError("row 3 has no label\nand more")


def decode() -> object:
    return b"\xff".decode()


def raise_without_words() -> object:
    raise ValueError


@pytest.mark.parametrize(
    ("fail", "kind", "message"),
    [
        (allocate_on_cpu, "out_of_memory", "RuntimeError: "),
        (allocate_in_numpy, "out_of_memory", "MemoryError: Unable to allocate"),
        slow(map_memory, "out_of_memory", "OSError: [Errno 12] Cannot allocate memory"),
        (take_too_long, "time_limit", "not finished within 0s, its --time-limit"),
        (time_out_elsewhere, "code_error", "TimeoutError: no answer from the file server"),
        (divide_by_zero, "code_error", "ZeroDivisionError: division by zero"),
        (refuse, "bad_data", "RequestError: row 3 has no label"),
        slow(decode, "bad_data", "UnicodeDecodeError: "),
        slow(raise_without_words, "code_error", "ValueError: "),
    ],
)
def test_an_exception_is_a_typed_failure_and_the_next_job_runs(
    encoder: EncoderWeights,
    data: EncodedTask,
    expected: Outcome,
    fail: Callable[[], object],
    kind: FailureKind,
    message: str,
) -> None:
    fails = [True, False]

    def give_data(piece: Piece) -> EncodedTask:
        if fails.pop(0):
            fail()
        return data

    worker = Worker(Materials(OnDemand(lambda identity: encoder), OnDemand(give_data)))
    worker.begin(Job(trial_of(), ON_CPU))
    failure = worker.advance()
    assert isinstance(failure, Failure)
    assert failure.kind == kind
    assert failure.message.startswith(message)
    assert "\n" not in failure.message
    assert fail.__name__ in failure.traceback or kind == "time_limit"
    worker.begin(Job(trial_of(), ON_CPU))
    assert numbers_of(finished(worker)) == numbers_of(expected)


def test_an_error_in_the_middle_of_training(encoder: EncoderWeights, data: EncodedTask, expected: Outcome) -> None:
    """A token that the encoder does not know, seen in the first epoch: threads and random state are put back."""
    bad_ids = data.train.ids.copy()
    bad_ids[5] = 30_000
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    given = [replace(data, train=replace(data.train, ids=bad_ids)), data]
    worker = Worker(Materials(OnDemand(lambda identity: encoder), OnDemand(lambda view: given.pop(0))))
    worker.begin(Job(trial_of(), ON_CPU))
    failure = worker.advance()
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.message.split(":")[0]) == ("code_error", "IndexError")
    assert (torch.get_num_threads(), torch.equal(torch.get_rng_state(), state)) == (threads, True)
    worker.begin(Job(trial_of(), ON_CPU))
    assert numbers_of(finished(worker)) == numbers_of(expected)


def test_a_keyboard_interrupt_is_no_failure_of_the_trial(encoder: EncoderWeights) -> None:
    def interrupted(piece: Piece) -> EncodedTask:
        raise KeyboardInterrupt

    worker = Worker(Materials(OnDemand(lambda identity: encoder), OnDemand(interrupted)))
    worker.begin(Job(trial_of(), ON_CPU))
    with pytest.raises(KeyboardInterrupt):
        worker.advance()


def test_memory_of_a_gpu() -> None:
    assert failure_of(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate")).kind == "out_of_memory"
    assert failure_of(RuntimeError("CUDA error: out of memory")).kind == "out_of_memory"
    assert failure_of(torch.AcceleratorError("CUDA error: out of memory")).kind == "out_of_memory"
    assert failure_of(RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED")).kind == "out_of_memory"
    assert failure_of(RuntimeError("std::bad_alloc")).kind == "out_of_memory"


def test_a_broken_device_is_a_lost_worker_and_a_failed_allocation_is_memory() -> None:
    asserted = torch.AcceleratorError("CUDA error: device-side assert triggered")
    assert failure_of(asserted).kind == "lost_worker"
    assert failure_of(RuntimeError(*asserted.args)).kind == "lost_worker"
    assert failure_of(RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling")).kind == "out_of_memory"
