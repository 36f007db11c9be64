"""The mends that `make test-model-mends` takes out are still where it takes them from."""

import sys

from benchmarks.reporting import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

from mends_out import FOUND, MENDS, problems

from tests.model.test_realization import LOST


def test_every_mend_can_be_taken_out_and_names_what_is_lost_without_it():
    assert problems() == []
    assert FOUND.keys() == MENDS.keys()
    assert {what for losses in FOUND.values() for what in losses} <= {name.replace("_", " ") for name in LOST}
