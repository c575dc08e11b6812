"""Networks for the PyTorch backend: one module per architecture, each with `build(ModelConfig) -> torch.nn.Module`."""
