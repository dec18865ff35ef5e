"""Perception models: where their files come from and how they are opened.

Reading order: ``download`` (the cache and its sources), ``wheel`` (networks inside MediaPipe's wheel),
``mediapipe_tasks`` (MediaPipe, imported and opened quietly), ``onnx_session`` (ONNX Runtime).
"""
