"""The critic: a network that predicts the defects of one hand from its crop.

Read ``prediction`` (its output and the protocol), ``upright_crops`` (its input), ``onnx_critic`` (the
network at work), and ``fusion`` (its prediction beside the checks by geometry).
"""
