"""PyTorch models as ONNX files, quantised where asked, compared with the original on real samples."""
