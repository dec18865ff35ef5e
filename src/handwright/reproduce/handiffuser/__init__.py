"""HanDiffuser: what text and hand parameters bring to one base, with the ablations that the paper left open.

Reading order: ``study`` (what is asked for), ``cases`` (the people), ``rows`` (the treatments), ``run``
(paint and look), ``measure`` (the figures), ``page`` (the tables).
"""

from handwright.reproduce.handiffuser.run import reproduce_handiffuser
from handwright.reproduce.handiffuser.study import HanDiffuserStudy

__all__ = ["HanDiffuserStudy", "reproduce_handiffuser"]
