"""Right completions of the project's own problem, `next_number(n)`, in every form that models give them.

Each is a body that looks like a whole program, a whole program that looks like a body, or one that is hard to join; with
`- 1` in place of `+ 1` it is wrong.
"""

JAVA_MEMO = "static class Memo {\n    long one() { return 0; }\n}\n"
READINGS: dict[str, dict[str, str]] = {
    "js": {
        "itself again behind a body": "  return n + 1;\n}\n\nfunction next_number(n) {\n  return n + 1;\n}\n",
        "exported": "export default function next_number(n) {\n  return n + 1;\n}\n",
        "exported below": "const next_number = (n) => n + 1;\nexport { next_number };\nmodule.exports = { next_number };\n",
        "a method": "  const next_number = { next_number: (n) => n + 1 };\n  return next_number.next_number(n);\n}\n",
        "assigned": "var one = 0;\nglobalThis.next_number = function (n) { return n + 1 + one; };\n",
    },
    "ts": {
        "exported": "export default function next_number(n: number): number {\n  return n + 1;\n}\n",
        "an interface first": "export interface Box { n: number }\nexport const next_number = (n: number): number => n + 1;\nexport default next_number;\n",
    },
    "sh": {
        "itself again behind a body": "    echo $(($1 + 1))\n}\n\nnext_number() {\n    echo $(($1 + 1))",
        "a subshell": 'next_number() (\n    echo "$(($1 + 1))"\n)\n',
        "a subshell on its line": "next_number () ( echo $(($1 + 1)) )\n",
        "a keyword": "function next_number {\n    echo $(($1 + 1))\n}\n",
        "cut at the brace": "one() { echo 1; }\nnext_number() {\n    echo $(($1 + 1))",
    },
    "cpp": {
        "an overload behind a body": "    long next_number(long n, long by);\n    return next_number(n, 0) + 1;\n}\n\nlong next_number(long n, long by) {\n    return n + by;",
        "a call that looks defined": "    if (n == -99999) { return next_number(n); }\n    return n + 1;\n",
        "hash": "#include <unordered_map>\nstruct K { long k; bool operator==(const K& o) const { return k == o.k; } };\n"
        "namespace std { template <> struct hash<K> { size_t operator()(const K& k) const { return k.k; } }; }\n"
        "long next_number(long n) {\n    std::unordered_map<K, long> m;\n    m[K{n}] = n + 1;\n    return m[K{n}];\n}\n",
        "hash from outside": "struct K { long k; };\ntemplate <> struct std::hash<K> { size_t operator()(const K& k) const { return k.k; } };\n"
        "int next_number(int n) { return n + 1; }\n",
        "conditional include": "#ifdef _WIN32\n#include <windows.h>\n#endif\n#include <vector>\nlong next_number(const long& n) {\n    return n + 1;\n}\nint main() { return 0; }\n",
        "attributes": "[[nodiscard]] constexpr inline auto next_number(long n) noexcept -> long\n{\n    return n + 1;\n}\n",
        "a lambda": "const auto next_number = [](long n) { return n + 1; };\n",
        "cut at the brace": "#include <cmath>\nlong next_number(long n) {\n    return n + 1;",
        "a template": "template <class T>\nT next_number(T n) {\n    return n + 1;\n}\n",
    },
    "java": {
        "an overload behind a body": "        return nextNumber(n, 0) + 1;\n    }\n    private static long nextNumber(long n, long by) {\n        return n + by;\n",
        "a call on a line": "        long other = n * 2 > 1 ? 1 :\n        n < -99999 ? n * nextNumber(n - 1) : 1;\n        return n + 1;\n",
        "a product": "        if (n > 99999999) return\n            n * nextNumber(n - 1);\n        return n + 1;\n",
        "a switch": "        return switch ((int) n) {\n            case 12345 -> nextNumber(n - 1) + 1;\n            default -> n + 1;\n        };\n",
        "a case": "        switch ((int) n) {\n            case 12345: return nextNumber(n - 1);\n            default: return n + 1;\n        }\n",
        "nested class first": f"class Problem {{\n{JAVA_MEMO}    public static long nextNumber(long n) {{\n        return new Memo().one() + n + 1;\n    }}\n}}\n",
        "public class with a public node": "import java.util.*;\n\npublic class Solution {\n    public static class Node { long v = 1; }\n\n    // the one after\n"
        "    public long nextNumber(long n) {\n        return n + 1;\n    }\n    public static void main(String[] args) { }\n}\n",
        "no class": f"{JAVA_MEMO}\npublic static long nextNumber(long n) {{\n    return new Memo().one() + n + 1;\n}}\n",
        "no class, plain one beside": "class Memo { long one() { return 0; } }\n\nlong nextNumber(long n) {\n    return new Memo().one() + n + 1;\n}\n",
        "other classes": "public class Main {\n    static long one = 0;\n    private static long nextNumber(long n) throws Error { return n + 1 + Helper.two(); }\n}\n"
        'class Helper { static long two() { String s = "class X {"; return 0; } }\n',
        "an overload": "public final class Solution {\n    private static long nextNumber(long n, long by) { return n + by; }\n"
        "    public static long nextNumber(long n) { return nextNumber(n, 0) + 1; }\n}\n",
        "cut at the brace": "import java.util.*;\nclass Problem {\n    public static long nextNumber(long n) {\n        return n + 1;",
    },
    "cs": {
        "a product": "        if (n > 99999999) return\n            n * NextNumber(n - 1);\n        return n + 1;\n",
        "a case": "        switch ((int) n) {\n            case 12345: return NextNumber(n - 1);\n            default: return n + 1;\n        }\n",
        "nested class first": "using System;\n\nclass Problem {\n    class Memo { public long One() { return 0; } }\n    public static long NextNumber(long n) {\n"
        "        return new Memo().One() + n + 1;\n    }\n}\n",
        "no class": "public class Memo { public long One() { return 0; } }\n\npublic static long NextNumber(long n) {\n    return new Memo().One() + n + 1;\n}\n",
        "file-scoped namespace": "using System;\nnamespace Answers.Here;\n\npublic static class Solution {\n    public static long NextNumber(long n) => n + 1;\n}\n",
        "cut at the brace": "using System;\nclass Problem {\n    public static long NextNumber(long n) {\n        return n + 1;",
    },
    "go": {
        "header and helper": 'package main\n\nimport (\n    "testing"\n    "fmt"\n)\n\nfunc one() int { return 0 }\n\nfunc next_number(n int) int {\n\treturn one() + n + 1\n}\n',
        "a helper without a header": 'func one() string { return fmt.Sprint("") }\n\nfunc next_number(n int) int {\n\treturn len(one()) + n + 1\n}\n',
        "its own imports": 'import "fmt"\nimport "strings"\n\nfunc one() string { return strings.TrimSpace(fmt.Sprint("")) }\nfunc next_number(n int) int {\n\treturn len(one()) + n + 1\n}\n',
    },
    "rs": {
        "inner attributes": "//! The number after.\n#![allow(dead_code)]\nuse std::collections::{HashMap, HashSet};\n\nfn next_number(n: isize) -> isize {\n    n + 1\n}\n",
        "crate only": "pub(crate) const fn next_number(n: isize) -> isize {\n    n + 1\n}\n",
        "cut at the brace": "fn one() -> isize { 0 }\n\nfn next_number(n: isize) -> isize {\n    one() + n + 1",
    },
    "rb": {
        "a library of a gem": "require 'prime'\nrequire 'set'\n\ndef next_number(n)\n  n + 1\nend\n",
        "tests of its own": "require 'test/unit'\nrequire 'minitest/autorun'\n\ndef next_number(n)\n  n + 1\nend\n\nclass TestOwn < Test::Unit::TestCase\n"
        "  def test_it\n    assert_equal(2, next_number(0))\n  end\nend\n",
    },
    "r": {"a lambda": "next_number <- \\(n) {\n  n + 1\n}\n"},
}
