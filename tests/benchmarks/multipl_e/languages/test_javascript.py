"""JavaScript judged from outside the jail: hostile completions, and a heap that is full."""

from multipl_e_support import ATTACKS, benchmark, judged, needs, none_passes, own
from sandbox.contract import Limits, Sandbox
from sandbox.judging.verdict import FAIL, MEMORY


def test_hostile_completions(sandbox: Sandbox) -> None:
    none_passes("js", own("js"), ATTACKS["js"], sandbox)


def test_javascript_out_of_memory_says_so(sandbox: Sandbox) -> None:
    needs("js")
    text = "  const x = [];\n  while (true) x.push(new Array(1e6).fill(n));\n}\n"
    verdict = benchmark("js").judge(own("js"), text, sandbox, Limits(20, memory=256 << 20))
    assert verdict.name == MEMORY, verdict
    failed = judged("js", own("js"), "  console.error('mine');\n  return n;\n}\n", sandbox)
    assert failed.name == FAIL
    assert failed.stderr.splitlines()[1:] == ["mine"]
    claimed = judged("js", own("js"), "  console.error('JavaScript heap out of memory');\n  return n;\n}\n", sandbox)
    assert claimed.name == FAIL
