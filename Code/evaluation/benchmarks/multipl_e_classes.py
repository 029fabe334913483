"""Java and C# of MultiPL-E: the candidate is the class Problem, the tests are a class of their own."""

import re

from evaluation.benchmarks.multipl_e_case import STRING, Case, definition, outside_strings
from evaluation.native_judge import Native

_JAVA = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")  # both start faster with these
_JAVATUPLES = "/usr/share/java/javatuples.jar"


def java_program(case: Case, completion: str, nonce: str, token: str) -> Native:
    tests = outside_strings(_inside_main(case.tests), rf"\b{case.name}\(", f"Problem.{case.name}(")
    tests = "\n".join(_turned(line) for line in tests.split("\n"))
    tests = outside_strings(tests, r"\bassert\(", f"check_{token}(")
    imports = "\n".join(re.findall(r"^import .*;$", case.head, re.MULTILINE))
    program = (
        f"{imports}\nclass Tests_{token} {{\n    static void check_{token}(boolean passed) {{\n"
        "        if (!passed) throw new AssertionError();\n    }\n"
        f"    public static void main(String[] args) throws Throwable {{\n{tests}\n"
        f'        System.out.println("\\n{nonce}");\n        System.out.flush();\n    }}\n}}\n'
    )
    flags = tuple(f"-J{flag}" for flag in _JAVA)
    compiler = ("javac", *flags, "-nowarn", "-proc:none", "-encoding", "UTF-8", "-cp", _JAVATUPLES, "-d", ".")
    return Native(
        files={"Problem.java": _class(case, completion, "import"), f"Tests_{token}.java": program},
        build=((*compiler, "Problem.java", f"Tests_{token}.java"),),
        run=("java", *_JAVA, "-Xmx512m", "-ea", "-cp", f".:{_JAVATUPLES}", f"Tests_{token}"),
        nonce=nonce,
        removed=("Problem.java", f"Tests_{token}.java"),
    )


def _turned(line: str) -> str:
    """assert(answer.equals(expected)); the other way round: an answer's own idea of equality is not asked for."""
    plain = STRING.sub(lambda found: "_" * len(found[0]), line)
    start, end = line.find("assert(") + len("assert("), line.rfind(");")
    depth = 0
    for at in range(start, end):
        depth += (plain[at] == "(") - (plain[at] == ")")
        if depth == 0 and plain.startswith(").equals(", at) and plain.endswith("));"):
            return f"{line[:start]}({line[at + len(').equals(') : end - 1]}).equals({line[start : at + 1]}));"
    return line


def cs_program(case: Case, completion: str, nonce: str, token: str) -> Native:
    tests = outside_strings(_inside_main(case.tests), rf"\b{case.name}\(", f"Problem.{case.name}(")
    tests = outside_strings(tests, r"\bDebug\.Assert\(", f"Check_{token}(")
    solution = _class(case, completion, "using")
    spaces = [f"using {name};" for name in re.findall(r"^\s*namespace\s+([\w.]+)", solution, re.MULTILINE)]
    program = "\n".join((
        *re.findall(r"^using .*;$", case.head, re.MULTILINE), *spaces, f"class Tests_{token} {{",
        f"    static void Check_{token}(bool passed) {{ if (!passed) Environment.FailFast(null); }}",
        f"    public static void Main(string[] args) {{\n{tests}",
        f'        Console.Out.WriteLine("\\n{nonce}");\n        Console.Out.Flush();\n    }}\n}}\n',
    ))  # fmt: skip
    return Native(
        files={"solution.cs": solution, "tests.cs": program},
        build=(("mcs", "-nologo", "-warn:0", "-d:DEBUG", "-r:System.Numerics.dll", f"-main:Tests_{token}", "-out:tests.exe",
                "solution.cs", "tests.cs"),),
        run=("mono", "tests.exe"), nonce=nonce, removed=("solution.cs", "tests.cs"),
    )  # fmt: skip


def _inside_main(tests: str) -> str:
    """The statements of a main method that closes what the prompt opened."""
    start = tests.index("{", tests.index("(String[] args)" if "(String[] args)" in tests else "(string[] args)")) + 1
    return tests[start:].rstrip().removesuffix("}").rstrip().removesuffix("}").rstrip()


def _class(case: Case, completion: str, word: str) -> str:
    """The class Problem; `word` brings in names: import or using."""
    if not case.whole(completion):
        return f"{case.prompt}{completion}\n    }}\n}}\n"
    brought = re.findall(rf"^\s*({word} [\w.* =]+;)\s*$", completion, re.MULTILINE)
    rest = re.sub(rf"^\s*(?:{word}|package) [\w.* =]+;[ \t]*$", "", completion, flags=re.MULTILINE)
    own = re.findall(rf"^{word} .*;$", case.head, re.MULTILINE)
    classes = list(
        re.finditer(r"^[ \t]*(?:(?:public|internal|final|abstract|static|sealed)\s+)*class\s+(\w+)", rest, re.MULTILINE)
    )
    place = _line_of(case, rest)
    around = [found for found in classes if found.start() < place]
    rest = rest[:place] + _public(rest[place:])
    if not around:
        rest = f"class Problem {{\n{rest}\n}}\n"
    elif around[-1][1] != "Problem":
        rest = re.sub(rf"\b{around[-1][1]}\b", "Problem", rest)
    return "\n".join((*dict.fromkeys([*own, *brought]), rest))


def _line_of(case: Case, text: str) -> int:
    found = definition(case.language, case.name).search(text)
    return found.start() if found else len(text)


def _public(text: str) -> str:
    """The method whose definition stands first, as the tests can call it."""
    line, end, rest = text.partition("\n")
    indent = line[: len(line) - len(line.lstrip())]
    bare = re.sub(r"\b(?:public|private|protected|internal|static)\s+", "", line.strip())
    return f"{indent}public static {bare}{end}{rest}"
