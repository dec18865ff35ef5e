"""The proposal network: finds hands that the detector overlooks, malformed ones above all.

Read ``network`` (its views of a picture, and hands from its maps) and ``undetected_hands`` (which proposals
are new, and their review).
"""

from handwright.review.proposals.network import Proposal, Proposer, open_proposer

__all__ = ["Proposal", "Proposer", "open_proposer"]
