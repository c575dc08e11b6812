"""The scientific benchmarks of MLPerf HPC: climate (DeepCAM), cosmology (CosmoFlow) and molecules (Open Catalyst)."""
