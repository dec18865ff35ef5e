"""The critic: a network that predicts the defects of one hand from its pixels.

Read ``prediction`` (its output and the protocol), ``upright_crops`` (its input), ``output_maps`` and
``onnx_critic`` (the network at work), ``fusion`` (its prediction beside the checks by geometry), and
``recalibration`` (thresholds for a user's own hands).
"""

from handwright.review.critic.onnx_critic import OnnxCritic, open_critic
from handwright.review.critic.prediction import Critic, CriticPrediction
from handwright.review.critic.upright_crops import OrientedSquare

__all__ = ["Critic", "CriticPrediction", "OnnxCritic", "OrientedSquare", "open_critic"]
