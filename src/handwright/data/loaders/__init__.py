"""Public data sets in their own layouts and our shards → ``Sample``; broken records are counted."""

from handwright.data.loaders.coco_wholebody import read_coco_wholebody
from handwright.data.loaders.freihand import read_freihand
from handwright.data.loaders.hagrid import read_hagrid
from handwright.data.loaders.handwright_shards import read_handwright
from handwright.data.loaders.interhand import read_interhand
from handwright.data.loaders.laion_human import read_laion_human
from handwright.data.loaders.records import Broken, Tally
from handwright.data.loaders.reinterhand import read_reinterhand
from handwright.data.loaders.rhd import read_rhd

__all__ = [
    "Broken", "Tally", "read_coco_wholebody", "read_freihand", "read_hagrid", "read_handwright",
    "read_interhand", "read_laion_human", "read_reinterhand", "read_rhd",
]  # fmt: skip
