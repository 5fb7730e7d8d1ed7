"""``gridsearch doctor``: what this machine has, what would be used of it, and what would go wrong."""

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

from runners.checkup.findings import Finding, findings
from runners.checkup.machine_facts import Machine, machine_facts
from runners.checkup.what_is_used import Used, what_is_used
from runners.cli import EXIT_DONE, EXIT_INCOMPLETE, Arguments
from runners.programs.answer import Answer
from runners.sizes import spell_size

Line = tuple[str, str]
"""A label and what stands beside it."""

N_LABEL, WIDTH = 16, 80
PRECISION_NAMES = {"fp32": "float32", "bf16": "bfloat16"}
SHOWN = ("torch", "transformers", "ray", "optuna")


def run(arguments: Arguments) -> Answer:
    """Look around; the exit code says whether a sweep would fail."""
    machine = machine_facts(Path(arguments.study or "studies"))
    used = what_is_used()
    found = findings(machine, used)
    facts = {"machine": machine, "used": used, "findings": found}
    code = EXIT_INCOMPLETE if any(finding.stops for finding in found) else EXIT_DONE
    return Answer(facts, page(machine, used, found), code)


def page(machine: Machine, used: Used | None, found: list[Finding]) -> str:
    """Write the three blocks."""
    return "\n".join(
        [
            "This machine",
            *(_filled(line) for line in _machine(machine)),
            "",
            "What gridsearch will use",
            *(_filled(line) for line in _used(machine, used)),
            "",
            "What would go wrong",
            *(_finding(finding) for finding in found),
            *(["  Nothing found."] if not found else []),
        ]
    )


def _filled(line: Line) -> str:
    return _wrapped(line[1], f"  {line[0]:<{N_LABEL}}", " " * (N_LABEL + 2))


def _finding(finding: Finding) -> str:
    kind = "stops a sweep" if finding.stops else "caution"
    return _wrapped(f"{kind}: {finding.sentence}.", "  - ", "    ")


def _wrapped(text: str, first: str, others: str) -> str:
    # A folder's name that this terminal cannot spell must not be what fails.
    encoding = sys.stdout.encoding or "utf-8"
    spelled = text.encode(encoding, "backslashreplace").decode(encoding)
    # A path is left in one piece, to be copied.
    return textwrap.fill(
        spelled, WIDTH, initial_indent=first, subsequent_indent=others, break_long_words=False, break_on_hyphens=False
    )


def _machine(machine: Machine) -> Iterator[Line]:
    yield "system", machine.system
    with_bf16 = " and ".join(name.replace("_bf16", "").upper() for name in machine.instructions)
    yield "processor", f"{machine.processor}; {f'bfloat16 by {with_bf16}' if with_bf16 else 'no bfloat16'}"
    quota = "" if machine.cores_quota is None else f"; a container's limit of {machine.cores_quota:g} cores' time"
    yield "cores", f"{machine.cores_allowed} of {machine.cores} may be used{quota}"
    limit = machine.memory_limit_bytes
    limited = "" if limit is None else f"; a container's limit of {spell_size(limit)}"
    yield "memory", f"{_free(machine.memory_available_bytes, machine.memory_bytes)}{limited}"
    yield "shared memory", _free(machine.shared_memory_free_bytes, machine.shared_memory_bytes)
    for number, card in enumerate(machine.cards):
        memory = "memory shared with the processor"
        if card.memory_bytes is not None and card.memory_free_bytes is not None:
            memory = _free(card.memory_free_bytes, card.memory_bytes)
        yield f"GPU {number}", f"{card.name}: {memory}; compute capability {card.compute_capability}"
    if machine.cards:
        yield "driver", machine.cards[0].driver
    else:
        yield "GPUs", ", ".join(machine.gpus_for_torch) or "none"
    for name, folder in machine.folders.items():
        kind = f", {folder.filesystem}" if folder.filesystem else ""
        over = " over the network" if folder.on_network else ""
        can = "" if folder.writable else "; cannot be written"
        disk = _free(folder.free_bytes, folder.disk_bytes)
        yield f"{name} disk", f"{disk}{kind}{over}{can}"
    yield "limits", _limits(machine)
    yield "Python", f"{machine.python}, output as {machine.encoding}"
    known = {package.name: package for package in machine.packages}
    built = f" ({machine.torch.built_for})"
    shown = [
        f"{name} {known[name].version or 'missing'}{built if name == 'torch' and not machine.torch.fault else ''}"
        for name in SHOWN
        if name in known
    ]
    suit = sum(package.suits for package in machine.packages)
    yield "packages", f"{', '.join(shown)}; {suit} of {len(machine.packages)} are as gridsearch needs them"
    yield "environment", ", ".join(f"{name}={value}" for name, value in machine.environment.items()) or "nothing set"


def _free(free: int, total: int) -> str:
    return f"{spell_size(free)} free of {spell_size(total)}"


def _limits(machine: Machine) -> str:
    limits = [(machine.open_file_limit, "open files"), (machine.thread_limit, "threads")]
    told = [f"{'any number of' if number is None else number} {what}" for number, what in limits]
    if machine.address_space_limit_bytes is not None:
        told.append(f"{spell_size(machine.address_space_limit_bytes)} of addresses")
    return ", ".join(told)


def _used(machine: Machine, used: Used | None) -> Iterator[Line]:
    if used is None:
        yield "trials", "this cannot be told as long as a package is missing"
    else:
        yield "runner", f"{used.runner} (--runner)"
        each = f"{used.gpus_per_trial:g} GPU each" if used.gpus else "one for each core"
        yield "workers", f"{used.workers}: {each} (--workers, --gpus-per-trial)"
        yield "threads", f"{used.threads_per_trial} a trial (--threads)"
        yield "device", ", ".join(used.gpus) or "cores"
        yield "precision", _precision(used)
        yield "encoders", _encoders(machine, used)
    yield "studies", f"{machine.folders['studies'].path} (--study)"
    yield "cache", f"{machine.folders['cache'].path} (GRIDSEARCH_CACHE)"
    yield "temporary", f"{machine.folders['temporary'].path} (TMPDIR)"
    yield "Ray's folder", f"{machine.folders['ray'].path} (RAY_TMPDIR)"


def _precision(used: Used) -> str:
    plain, wide = PRECISION_NAMES[used.precision], PRECISION_NAMES[used.precision_of_wide_encoders]
    why = "bfloat16 is the default only where the processor has AMX and there is no GPU"
    if plain != wide:
        wide_ones = f"encoders at least {used.wide_encoders_from} wide"
        return f"{wide} for {wide_ones}, as the processor has AMX; {plain} for narrower ones"
    return f"{plain}: {why} (--set precision=bf16)"


def _encoders(machine: Machine, used: Used) -> str:
    names = ["tiny", *(["minilm"] if used.minilm_installed else []), *machine.models]
    return f"at hand: {', '.join(names)}; the network was not asked for others"
