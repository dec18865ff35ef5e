"""The fit of how a hand looks: what it tells of folds that it did not learn from."""

from __future__ import annotations

import numpy as np
import pytest

from fit_appearance import CLASSES, LABELLED, Row, released
from handwright.perception.models.image_features import SPREADS
from handwright.review.critic.landmark_stability import COUNT


@pytest.fixture(scope="module")
def rows():
    """Hands whose first mean tells all: of three repositories, repainted, rendered and photographed."""
    rng = np.random.default_rng(4)

    def row(kind, fold, weight, how):
        features = rng.normal(size=4 + 2 * SPREADS + COUNT)
        features[0] = 3 * (kind == 0) + rng.normal(scale=0.3)
        features[1] = 5 * (kind == 2)
        return Row(features, kind, fold, weight, kind > 0, how)

    made = [row(k % 2, f"owner/{k % 3}", 1.0, how) for k in range(48) for how in LABELLED]
    made += [row(k % 2, "repainted", 1.0, "repainted") for k in range(24)]
    made += [row(2, f"rendered {k % 2}", 1.0, "landmarks") for k in range(24)]
    return made + [row(1, "photographs", 0.1, "photograph") for _ in range(24)]


def test_it_tells_malformed_hands_of_what_it_did_not_see(rows, capsys):
    classifier = released(rows)
    assert classifier.classes == CLASSES
    assert classifier.about["repositories"] == 3
    assert classifier.about["crops"] == {"malformed": 60, "good": 84, "rendered": 24}
    told = capsys.readouterr().out
    assert told.count("AUC 1.000") == 1 + len(LABELLED)
    assert "photographed hands that reach that limit: 0.0" in told
    probability = classifier.probability(np.stack([row.features for row in rows]))
    malformed = np.array([row.kind == 0 for row in rows])
    assert probability[malformed].min() > 0.5 > probability[~malformed].max()
