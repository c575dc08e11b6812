"""Recommendation: DLRM-v2 on multi-hot Criteo, a small DLRM on MovieLens, and the shape of DLRM-v3 (HSTU)."""
