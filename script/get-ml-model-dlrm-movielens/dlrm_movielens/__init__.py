"""A small DLRM (Naumov et al. 2019) for MovieLens 100k: its network, its training, and its loading by the harness."""
