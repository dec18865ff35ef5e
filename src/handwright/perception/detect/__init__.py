"""Detection: from a picture to the observed hands in it.

Reading order: ``search`` (the search over a picture), ``views`` (square crops that are looked at),
``landmarker`` (MediaPipe's networks behind one protocol), ``crop_network`` (the landmark network on a single
crop), ``confirm`` (close crops decide which candidates are hands), ``duplicates`` (one hand found twice),
``people`` (body joints) and ``arms`` (hands where arms end).
"""
