"""Reinforcement learning as a training benchmark: Go, learned from games against itself."""
