"""The proposal network: finds hands that the detector overlooks, malformed ones above all.

Read ``maps`` (from a picture to the network's views, and from its maps to hands), ``network`` (the network
at work), and ``undetected_hands`` (which proposals are new, and their review).
"""

from handwright.review.proposals.maps import Proposal
from handwright.review.proposals.network import Proposer, open_proposer

__all__ = ["Proposal", "Proposer", "open_proposer"]
