"""What the harness calls to build the network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.config import ModelConfig
from harness.errors import HarnessError
from harness.models import weights


def build(config: ModelConfig) -> Any:
    """The trained network, called with dense (n, features) and sparse (n, columns); probabilities (n,).

    Raises:
        HarnessError: kind `weights`, when there are none or they are not a Dlrm's.
    """
    from dlrm_movielens.network import Dlrm

    if config.weights is None:
        raise HarnessError("weights", "dlrm-movielens has no synthetic form: no weights were given", "use _embedded")
    path = Path(config.weights)
    state = weights.read_state_dict(path)
    try:
        module = Dlrm.shaped_like(state)
    except (KeyError, IndexError) as error:
        raise HarnessError(
            "weights", f"{path} are not the weights of dlrm-movielens: {error} is missing", 'cmr "get dlrm-movielens"'
        ) from error
    weights.load_into(module, state, path)
    return module
