"""Java and C# of MultiPL-E: the candidate is a class, and the tests are another class that calls it.

C# is what Mono's mcs compiles: C# 6 and most of 7. A program with newer syntax ends as `syntax`.
"""

import re
from functools import partial

from sandbox.judging.native_judge import Native

from benchmarks.multipl_e.braces import classes_around, definitions, plain, unclosed
from benchmarks.multipl_e.case import STRING, Case, outside_strings
from benchmarks.multipl_e.languages.base import JVM, NONCE_FILE, TO_THE_JVM, Language, judge_programs
from benchmarks.multipl_e.languages.toolchain import Toolchain

_JAVATUPLES = "/usr/share/java/javatuples.jar"
_TYPE = re.compile(
    r"((?:\b(?:public|internal|final|abstract|static|sealed|partial)\s+)*)(\b(?:class|interface|record|enum|struct)\s+\w)"
)


def java_programs(case: Case, completion: str, nonce: str, token: str) -> list[Native]:
    """As base.Programs says."""
    return [_java(case, *solution, nonce, token) for solution in _solutions(case, completion, "import")]


def _java(case: Case, solution: str, owner: str, nonce: str, token: str) -> Native:
    tests = outside_strings(_inside_main(case.tests), rf"\b{case.name}\(", f"{owner}.{case.name}(")
    tests = "\n".join(_turned(line) for line in tests.split("\n"))
    tests = outside_strings(tests, r"\bassert\(", f"check_{token}(")
    imports = "\n".join(re.findall(r"^import .*;$", case.head, re.MULTILINE))
    program = (
        f"{imports}\nclass Tests_{token} {{\n    static void check_{token}(boolean passed) {{\n"
        "        if (!passed) throw new AssertionError();\n    }\n"
        f"    public static void main(String[] args) throws Throwable {{\n"
        f'        java.io.File file_{token} = new java.io.File("{NONCE_FILE}");\n        String nonce_{token};\n'
        f"        try (java.io.FileInputStream in = new java.io.FileInputStream(file_{token})) {{\n"
        f"            nonce_{token} = new String(in.readAllBytes());\n        }}\n        file_{token}.delete();\n{tests}\n"
        f'        System.out.println("\\n" + nonce_{token});\n        System.out.flush();\n    }}\n}}\n'
    )
    compiler = ("javac", *TO_THE_JVM, "-nowarn", "-proc:none", "-encoding", "UTF-8", "-cp", _JAVATUPLES, "-d", ".")
    return Native(
        files={"Problem.java": solution, f"Tests_{token}.java": program},
        build=((*compiler, "Problem.java", f"Tests_{token}.java"),),
        nonce_file=NONCE_FILE,
        run=("java", *JVM, "-Xmx512m", "-ea", "-cp", f".:{_JAVATUPLES}", f"Tests_{token}"),
        nonce=nonce,
        removed=("Problem.java", f"Tests_{token}.java"),
    )


def _turned(line: str) -> str:
    """assert(answer.equals(expected)); as assert(expected.equals(answer)); so that no answer's own `equals` is asked."""
    masked = STRING.sub(lambda found: "_" * len(found[0]), line)
    start, end = line.find("assert(") + len("assert("), line.rfind(");")
    depth = 0
    for at in range(start, end):
        depth += (masked[at] == "(") - (masked[at] == ")")
        if depth == 0 and masked.startswith(").equals(", at) and masked.endswith("));"):
            return f"{line[:start]}({line[at + len(').equals(') : end - 1]}).equals({line[start : at + 1]}));"
    return line


def csharp_programs(case: Case, completion: str, nonce: str, token: str) -> list[Native]:
    """As base.Programs says."""
    return [_csharp(case, *solution, nonce, token) for solution in _solutions(case, completion, "using")]


def _csharp(case: Case, solution: str, owner: str, nonce: str, token: str) -> Native:
    tests = outside_strings(_inside_main(case.tests), rf"\b{case.name}\(", f"{owner}.{case.name}(")
    tests = outside_strings(tests, r"\bDebug\.Assert\(", f"Check_{token}(")
    spaces = [f"using {name};" for name in re.findall(r"^\s*namespace\s+([\w.]+)", solution, re.MULTILINE)]
    program = "\n".join(
        (
            *re.findall(r"^using .*;$", case.head, re.MULTILINE),
            *spaces,
            f"class Tests_{token} {{",
            f"    static void Check_{token}(bool passed) {{ if (!passed) Environment.FailFast(null); }}",
            f'    public static void Main(string[] args) {{\n        var nonce_{token} = System.IO.File.ReadAllText("{NONCE_FILE}");',
            f'        System.IO.File.Delete("{NONCE_FILE}");\n{tests}',
            f'        Console.Out.WriteLine("\\n" + nonce_{token});\n        Console.Out.Flush();\n    }}\n}}\n',
        )
    )
    return Native(
        files={"solution.cs": solution, "tests.cs": program},
        build=(
            (
                "mcs",
                "-nologo",
                "-warn:0",
                "-d:DEBUG",
                "-r:System.Numerics.dll",
                f"-main:Tests_{token}",
                "-out:tests.exe",
                "solution.cs",
                "tests.cs",
            ),
        ),
        nonce_file=NONCE_FILE,
        run=("mono", "tests.exe"),
        nonce=nonce,
        removed=("solution.cs", "tests.cs"),
    )


def _inside_main(tests: str) -> str:
    """The statements of a main method that closes what the prompt opened."""
    start = tests.index("{", tests.index("(String[] args)" if "(String[] args)" in tests else "(string[] args)")) + 1
    return tests[start:].rstrip().removesuffix("}").rstrip().removesuffix("}").rstrip()


def _solutions(case: Case, completion: str, word: str) -> list[tuple[str, str]]:
    """(program, class with the method) for each reading; `word` is the language's for bringing in names: import or using."""
    found = [
        _whole(case, reading.text, word) if reading.whole else (f"{case.program(reading)}\n    }}\n}}\n", "Problem")
        for reading in case.readings(completion)
    ]
    return [one for one in found if one]


def _whole(case: Case, completion: str, word: str) -> tuple[str, str] | None:
    """A program that stands without the prompt, and the class with its method: (program, class).

    The methods of the case's name become public and static; the class keeps its name, and one is put around a bare method.
    None where no method of the name is found.
    """
    brought = re.findall(rf"^\s*({word} [\w.* =]+;)", completion, re.MULTILINE)
    text = re.sub(rf"^[ \t]*(?:{word}|package|namespace) [\w.* =]+;", "", completion, flags=re.MULTILINE)
    own = re.findall(rf"^{word} .*;$", case.head, re.MULTILINE)
    found = definitions(text, case.name)
    if not found:
        return None
    classes = classes_around(text, found[0][1])
    for start, name in reversed(found):
        bare = re.sub(r"\b(?:public|private|protected|internal|static)\s+", "", text[start:name].lstrip())
        text = f"{text[:start]}\npublic static {bare}{text[name:]}"
    # a completion may end before a stop token, and so lack closing braces
    text = text.rstrip() + "\n" + "}\n" * min(unclosed(text), len(classes) + 1)
    text = _outermost(text, "" if classes else "static " if case.language == "java" else "")
    if not classes:
        text, classes = f"class Problem {{\n{text}\n}}\n", ["Problem"]
    return "\n".join((*dict.fromkeys([*own, *brought]), text)), ".".join(classes)


def _outermost(text: str, kind: str) -> str:
    """The program without `public` at types that stand in no braces: Java wants each of those in a file of its name.

    `kind` is put before them instead: "static " where they are about to stand in a class.
    """
    bare = plain(text)
    for match in reversed(list(_TYPE.finditer(bare))):
        if bare.count("{", 0, match.start()) == bare.count("}", 0, match.start()):
            words = re.sub(r"\bpublic\s+" + (r"|\bstatic\s+" if kind else ""), "", match[1])
            text = f"{text[: match.start()]}{kind}{words}{match[2]}{text[match.end() :]}"
    return text


# a method may stand indented: a type, and then the name
_METHOD = r"[ \t]*(?!return\b|else\b|new\b|throw\b)\w[^\n(;={{}}]*[ \t>*&\]]{name}[ \t]*\("
JAVA = Language(
    name="java",
    title="Java",
    fences=("java",),
    stop=("\n    }\n",),
    defines=_METHOD,
    wrong="        while (true) System.exit(0);\n",
    closes="    }\n",
    typed=True,
    control="next_number.java",
    toolchain=Toolchain(("default-jdk", "libjavatuples-java"), ("javac", "java"), (_JAVATUPLES,)),
    judge=partial(judge_programs, java_programs),
)
CSHARP = Language(
    name="cs",
    title="C#",
    fences=("csharp", "cs", "c#"),
    stop=("\n    }\n",),
    defines=_METHOD,
    wrong="        while (true) Environment.Exit(0);\n",
    closes="    }\n",
    typed=True,
    control="next_number.cs",
    toolchain=Toolchain(
        ("mono-mcs", "libmono-system-numerics4.0-cil", "libmono-system-core4.0-cil"),
        ("mcs", "mono"),
        ("/usr/lib/mono/4.5/System.Numerics.dll",),
    ),
    judge=partial(judge_programs, csharp_programs),
    aliases=("csharp",),
)
