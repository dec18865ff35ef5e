"""Detection: from a picture to the observed hands in it.

Reading order: ``search`` (the search over a picture), ``views`` (square crops that are looked at; one hand
found twice), ``landmarker`` (MediaPipe's networks for hands and people), ``crop_network`` (the landmark
network on a single crop), ``confirm`` (close crops decide which candidates are hands) and ``arms`` (hands
where arms end).
"""
