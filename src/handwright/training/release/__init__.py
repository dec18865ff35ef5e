"""From a finished run to files that ship: calibration, thresholds, ONNX export, shards and model card."""
