"""The critic: a network that predicts the defects of one hand from its pixels.

Read ``prediction`` (its output and the protocol), ``upright_crops`` (its input), ``output_maps`` and
``onnx_critic`` (the network at work), ``fusion`` (its prediction beside the checks by geometry), and
``recalibration`` (thresholds for a user's own hands).
"""
