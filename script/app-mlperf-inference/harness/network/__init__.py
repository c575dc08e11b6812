"""The SUT on another host: what travels over HTTP between loadgen's node and the node with the model."""
