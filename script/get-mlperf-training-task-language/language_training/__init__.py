"""Training tasks on English text: BERT (pre-training and fine-tuning), sentiment, language models, LoRA."""
