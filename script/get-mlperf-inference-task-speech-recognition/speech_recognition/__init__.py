"""Speech recognition for the MLPerf inference harness: Whisper and RNN-T on LibriSpeech."""
