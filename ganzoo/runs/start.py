"""What a training starts from: a run's newest checkpoint, or the weights of another run or model."""

from __future__ import annotations

from torch import Tensor

from ganzoo.contract import renamed
from ganzoo.contract.architecture import Architecture
from ganzoo.errors import GanzooError
from ganzoo.runs import checkpoint
from ganzoo.runs.address import here, is_remote
from ganzoo.runs.header import CheckpointHeader, checkpoint_header, model_header
from ganzoo.runs.run import Run


def load_checkpoint(run: Run) -> tuple[dict[str, Tensor], CheckpointHeader] | None:
    """The newest checkpoint's tensors and header; None before the first. Raises: GanzooError when it is damaged."""
    files = run.checkpoints()
    if not files:
        return None
    tensors, facts = checkpoint.load(files[-1])
    header = checkpoint_header(facts, files[-1])
    if header.stage >= len(run.header.stages):
        raise GanzooError(f"{files[-1]} is of stage {header.stage + 1}, which {run.path / 'run.json'} does not have.")
    return {renamed.tensor(name): value for name, value in tensors.items()}, header


def take_weights(model: Architecture, source: str, architecture: str | None = None) -> str:
    """Starts a model from another run (all networks, of its newest checkpoint) or a model file (its generators),
    which may be elsewhere, as in `ganzoo.load`.

    Args:
        architecture: its name, to start a new run: then what fits by name and shape is taken, and the rest begins anew.
            None: all of it must fit.
    Returns: what was taken and what begins anew, in a sentence.
    Raises: GanzooError when there is nothing to take, it does not fit, or is of another architecture.
    """
    there, source = here(source)
    if there.is_dir():
        run = Run.open(there)
        newest, theirs = load_checkpoint(run), run.header.architecture
        if newest is None:
            raise GanzooError(f"{source} has no checkpoint to start from.")
        weights = checkpoint.under("model/", newest[0])
    else:
        weights, facts = checkpoint.load(there, source if is_remote(source) else None)
        theirs = model_header(facts, source).architecture
    if architecture is not None and theirs != architecture:
        raise GanzooError(
            f"The weights of {source} are a {theirs}'s and do not fit {architecture}; "
            f"train a {theirs}, or choose another --init."
        )
    own = model.state_dict()
    fitting = {key: value for key, value in weights.items() if key in own and own[key].shape == value.shape}
    wrong = [key for key in weights if key not in fitting]
    if wrong and (architecture is None or not any(value.dim() > 1 for value in fitting.values())):
        raise GanzooError(f"The weights of {source} do not fit {type(model).__name__} as configured: see {wrong[0]}.")
    model.load_state_dict(fitting, strict=False)
    new = [key for key in own if key not in fitting]
    if not new:
        return f"All weights are taken from {source}."
    shown = ", ".join(new[:4]) + (f" and {len(new) - 4} more" if len(new) > 4 else "")
    return f"{len(fitting)} of {len(own)} tensors are taken from {source}; {shown} begin anew."


def licence_of(source: str) -> str:
    """Of the weights of a run or model file; "" where nobody said."""
    there, source = here(source)
    if there.is_dir():
        return Run.open(there).header.licence
    return model_header(checkpoint.read_facts(there, source if is_remote(source) else None), source).licence
