"""Measures of generated hand and body poses: `measures` defines them, `evaluation` reads files."""

from handwright.metrics.parameters.evaluation import evaluate_parameters, is_parameter_file, read_parameters

__all__ = ["evaluate_parameters", "is_parameter_file", "read_parameters"]
