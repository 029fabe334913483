"""Answers to problems of LiveCodeBench written for these tests, each with what makes it wrong; the problems are elsewhere."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Solved:
    """A right program, and parts of it to replace: each replacement by itself makes it wrong on some public test."""

    right: str
    wrong: tuple[tuple[str, str], ...]

    def spoilt(self) -> list[str]:
        assert all(self.right.count(part) for part, _ in self.wrong)
        return [self.right.replace(part, other) for part, other in self.wrong]


def method(head: str, *lines: str) -> str:
    return "\n".join(["class Solution:", f"    def {head}:", *[f"        {line}" for line in lines], ""])


SOLVED = {
    # AtCoder, standard input: easy
    "abc387_a": Solved("a, b = map(int, input().split())\nprint((a + b) ** 2)\n", (("** 2", "* 2"),)),
    "abc387_b": Solved(
        "x = int(input())\nprint(sum(i * j for i in range(1, 10) for j in range(1, 10) if i * j != x))\n",
        (("!=", "<"),),
    ),
    "abc389_a": Solved("s = input()\nprint(int(s[0]) * int(s[2]))\n", (("*", "+"), ("s[2]", "s[3]"))),
    "abc389_b": Solved(
        "x, n = int(input()), 1\nwhile factorial(n) < x:\n    n += 1\nprint(n)\n",
        (("n = int(input()), 1", "n = int(input()), 9"), ("< x", "<= x")),
    ),
    "abc375_a": Solved(
        "n = int(input())\ns = input()\nprint(sum(s[i : i + 3] == '#.#' for i in range(n - 2)))\n",
        (("n - 2", "n - 3"),),
    ),
    "abc394_a": Solved("print('2' * input().count('2'))\n", (("print('2' * ", "print("),)),
    "abc396_a": Solved(
        "import sys\nn, *a = map(int, sys.stdin.read().split())\n"
        "print('Yes' if any(x == y == z for x, y, z in zip(a, a[1:], a[2:])) else 'No')\n",
        (("x == y == z", "x == y"), ("'Yes'", "'YES'"), ("'No'", "'no'")),
    ),
    "abc399_a": Solved(
        "import sys\n\n\ndef main():\n    n = int(input())\n    s, t = (sys.stdin.readline().strip() for _ in range(2))\n"
        "    print(sum(map(lambda a, b: a != b, s, t)))\n\n\nif __name__ == '__main__':\n    main()\n",
        (("a != b", "a == b"),),
    ),
    "abc386_a": Solved(
        "print('Yes' if sorted(Counter(input().split()).values()) in ([2, 2], [1, 3]) else 'No')\n",
        (("[2, 2]", "[4]"),),
    ),
    # medium
    "abc395_c": Solved(
        "n = int(input())\nlast, best = {}, n + 1\nfor i, a in enumerate(input().split()):\n"
        "    best = min(best, i - last.get(a, -n) + 1)\n    last[a] = i\nprint(best if best <= n else -1)\n",
        (("+ 1)", "+ 2)"), ("else -1", "else 0")),
    ),
    "abc394_c": Solved(
        "import re\nprint(re.sub('W+A', lambda found: 'A' + 'C' * (len(found[0]) - 1), input()))\n", (("W+A", "WA"),)
    ),
    "abc378_c": Solved(
        "n = int(input())\nseen, b = {}, []\nfor i, a in enumerate(map(int, input().split()), 1):\n"
        "    b.append(seen.get(a, -1))\n    seen[a] = i\nprint(*b)\n",
        (("print(*b)", "print(b)"), ("print(*b)", "print(*b, sep='\\n')"), (", 1)", ")")),
    ),
    "abc376_d": Solved(
        "n, m = map(int, input().split())\nto = [[] for _ in range(n + 1)]\nfor _ in range(m):\n"
        "    a, b = map(int, input().split())\n    to[a].append(b)\nfar, todo = {1: 0}, deque([1])\nfound = -1\n"
        "while todo and found < 0:\n    a = todo.popleft()\n    for b in to[a]:\n        if b == 1:\n"
        "            found = far[a] + 1\n            break\n        if b not in far:\n            far[b] = far[a] + 1\n"
        "            todo.append(b)\nprint(found)\n",
        (("found = far[a] + 1", "found = far[a]"), ("found = -1", "found = -2")),
    ),
    "abc375_d": Solved(
        "s = input()\nseen, before, total = Counter(), Counter(), 0\nfor j, c in enumerate(s):\n"
        "    total += j * seen[c] - before[c] - seen[c]\n    seen[c] += 1\n    before[c] += j\nprint(total)\n",
        (("- seen[c]\n", "\n"),),
    ),
    "abc384_d": Solved(
        "n, s = map(int, input().split())\na = list(map(int, input().split()))\ns %= sum(a)\nseen, at, ok = {0}, 0, s == 0\n"
        "for x in a + a:\n    at += x\n    ok = ok or at - s in seen\n    seen.add(at)\nprint('Yes' if ok else 'No')\n",
        (("s %= sum(a)", "s = s"), ("if ok", "if not ok")),
    ),
    "abc397_c": Solved(
        "n = int(input())\na = input().split()\nleft, right = Counter(), Counter(a)\nbest = 0\nfor x in a[:-1]:\n"
        "    left[x] += 1\n    right[x] -= 1\n    if not right[x]:\n        del right[x]\n"
        "    best = max(best, len(left) + len(right))\nprint(best)\n",
        (("not right[x]", "right[x] < 0"),),
    ),
    # hard
    "abc398_f": Solved(
        "s = input()\nfor i in range(len(s)):\n    if s[i:] == s[i:][::-1]:\n        print(s + s[:i][::-1])\n        exit()\n",
        (("s + s[:i][::-1]", "s + s[:i]"),),
    ),
    "abc382_d": Solved(
        "n, m = map(int, input().split())\nout = []\ndef go(a, k):\n    if k == n:\n        out.append(' '.join(map(str, a)))\n"
        "        return\n    for x in range(a[-1] + 10 if a else 1, m - 10 * (n - k - 1) + 1):\n        go(a + [x], k + 1)\n"
        "go([], 0)\nprint(len(out))\nprint('\\n'.join(out))\n",
        (("print(len(out))\n", ""), ("join(out)", "join(out[::-1])"), ("+ 10 if", "+ 9 if")),
    ),
    "abc378_d": Solved(
        "h, w, k = map(int, input().split())\ns = [input() for _ in range(h)]\ndef go(i, j, left, seen):\n"
        "    if not left:\n        return 1\n    total = 0\n    for x, y in ((i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1)):\n"
        "        if 0 <= x < h and 0 <= y < w and s[x][y] == '.' and (x, y) not in seen:\n"
        "            seen.add((x, y))\n            total += go(x, y, left - 1, seen)\n            seen.discard((x, y))\n"
        "    return total\nprint(sum(go(i, j, k, {(i, j)}) for i in range(h) for j in range(w) if s[i][j] == '.'))\n",
        (("go(i, j, k,", "go(i, j, k - 1,"), ("seen.discard((x, y))", "pass")),
    ),
    # LeetCode, a method: easy
    "3708": Solved(
        method(
            "zigzagTraversal(self, grid: List[List[int]]) -> List[int]",
            "a = [x for i, row in enumerate(grid) for x in (row[::-1] if i & 1 else row)]",
            "return a[::2]",
        ),
        (("a[::2]", "a[1::2]"), ("a[::2]", "a"), ("if i & 1 else row", "if i else row"), ("return a[::2]", "a[::2]")),
    ),
    "3731": Solved(
        method(
            "subarraySum(self, nums: List[int]) -> int",
            "return sum(sum(nums[max(0, i - x) : i + 1]) for i, x in enumerate(nums))",
        ),
        (("max(0, i - x)", "i - x"), ("i + 1", "i")),
    ),
    "3704": Solved(
        method("countPartitions(self, nums: List[int]) -> int", "return 0 if sum(nums) % 2 else len(nums) - 1"),
        (("len(nums) - 1", "len(nums)"), ("0 if", "1 if"), ("0 if", "None if")),
    ),
    "3811": Solved(
        method("reverseDegree(self, s: str) -> int", "return sum(i * (123 - ord(c)) for i, c in enumerate(s, 1))"),
        (("123", "122"), ("return sum", "return str, sum")),
    ),
    "3612": Solved(
        method(
            "hasIncreasingSubarrays(self, nums: List[int], k: int) -> bool",
            "up = lambda a: all(x < y for x, y in zip(a, a[1:]))",
            "return any(up(nums[i : i + k]) and up(nums[i + k : i + 2 * k]) for i in range(len(nums) - 2 * k + 1))",
        ),
        (("return any", "return not any"), ("return any", "return 'True' if True else any"), ("x < y", "x <= y < 4")),
    ),
    "3617": Solved(
        method("possibleStringCount(self, word: str) -> int", "return 1 + sum(map(operator.eq, word, word[1:]))"),
        (("1 + sum", "sum"), ("1 + sum", "1.5 + sum")),
    ),
    "3651": Solved(
        method(
            "constructTransformedArray(self, nums: List[int]) -> List[int]",
            "n = len(nums)",
            "return [nums[(i + x) % n] for i, x in enumerate(nums)]",
        ),
        (("return [nums[(i + x) % n] for i, x in enumerate(nums)]", "return [0] * n"), ("(i + x)", "(i - x)")),
    ),
    "3788": Solved(
        method("maxSum(self, nums: List[int]) -> int", "return sum({x for x in nums if x > 0}) or max(nums)"),
        (("{x for x in nums if x > 0}", "x for x in nums if x > 0"),),
    ),
    # medium
    "3639": Solved(
        method(
            "isZeroArray(self, nums: List[int], queries: List[List[int]]) -> bool",
            "d = [0] * (len(nums) + 1)",
            "for l, r in queries:",
            "    d[l] += 1",
            "    d[r + 1] -= 1",
            "return all(map(operator.le, nums, accumulate(d)))",
        ),
        (("operator.le", "operator.lt"), ("return all", "return any")),
    ),
    "3748": Solved(
        method(
            "sortMatrix(self, grid: List[List[int]]) -> List[List[int]]",
            "n = len(grid)",
            "for d in range(1 - n, n):",
            "    at = [(i, i + d) for i in range(n) if 0 <= i + d < n]",
            "    for (i, j), x in zip(at, sorted((grid[i][j] for i, j in at), reverse=d <= 0)):",
            "        grid[i][j] = x",
            "return grid",
        ),
        (("d <= 0", "d < 0"), ("return grid", "return None"), ("return grid", "return [tuple(row) for row in grid]")),
    ),
    "3791": Solved(
        method(
            "numOfUnplacedFruits(self, fruits: List[int], baskets: List[int]) -> int",
            "left = 0",
            "for f in fruits:",
            "    for j, b in enumerate(baskets):",
            "        if b >= f:",
            "            baskets[j] = 0",
            "            break",
            "    else:",
            "        left += 1",
            "return left",
        ),
        (("b >= f", "b > f + 1"), ("baskets[j] = 0", "pass")),
    ),
    "3566": Solved(
        method(
            "stringSequence(self, target: str) -> List[str]",
            "return [target[:i] + chr(c) for i, t in enumerate(target) for c in range(97, ord(t) + 1)]",
        ),
        (("ord(t) + 1", "ord(t)"), ("target[:i] + chr(c)", "chr(c)"), ("return [", "return [''] + [")),
    ),
    # hard
    "3603": Solved(
        method(
            "findAnswer(self, parent: List[int], s: str) -> List[bool]",
            "below = defaultdict(list)",
            "for i, p in enumerate(parent):",
            "    below[p].append(i)",
            "out = [False] * len(s)",
            "def go(i):",
            "    text = ''.join(map(go, below[i])) + s[i]",
            "    out[i] = text == text[::-1]",
            "    return text",
            "go(0)",
            "return tuple(out)",
        ),
        (("text[::-1]", "text[0]"), ("return tuple(out)", "return set(out)"), ("go(0)", "1 / 0")),
    ),
    "3739": Solved(
        method(
            "distanceSum(self, m: int, n: int, k: int) -> int",
            "rows = sum(d * (m - d) for d in range(m)) * n * n",
            "columns = sum(d * (n - d) for d in range(n)) * m * m",
            "return (rows + columns) * math.comb(m * n - 2, k - 2) % (10**9 + 7)",
        ),
        (("k - 2", "k - 1"), ("(rows + columns)", "(rows - columns)")),
    ),
    "3588": Solved(
        method(
            "countWinningSequences(self, s: str) -> int",
            "beats = {'F': 'E', 'W': 'F', 'E': 'W'}",
            "ways = Counter({(0, ''): 1})",
            "for a in s:",
            "    new = Counter()",
            "    for (lead, last), count in ways.items():",
            "        for b in 'FWE':",
            "            if b != last:",
            "                new[lead + (beats[b] == a) - (beats[a] == b), b] += count",
            "    ways = new",
            "return sum(count for (lead, _), count in ways.items() if lead > 0) % (10**9 + 7)",
        ),
        (("lead > 0", "lead >= 0"), ("if b != last", "if True")),
    ),
}
