"""Question answering on SQuAD: span extraction (BERT-large) and answer-sentence selection (MiniLM)."""
