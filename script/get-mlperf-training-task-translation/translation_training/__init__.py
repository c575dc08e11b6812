"""Training tasks of translation: a transformer on pairs of lines, scored with sacrebleu."""
