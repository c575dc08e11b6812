"""The fixtures of the harness tests serve the tasks too."""

from tests.harness.conftest import (  # noqa: F401
    cache,
    configure,
    dotted_backends,
    imagenet20,
    lite0,
    lite0_weights,
    tiny_dataset,
)
