"""What holds for every resource of every stack."""

from __future__ import annotations

from collections import Counter

from harness import Graph


def test_no_two_resources_have_one_urn(graph: Graph) -> None:
    assert [urn for urn, times in Counter(each.urn for each in graph).items() if times > 1] == []
