"""Recommendation as training benchmarks: NeuMF on ratings (NCF), DLRM on click logs."""
