"""Speech recognition as training benchmarks: DeepSpeech2 with CTC, and the recurrent transducer (RNN-T)."""
