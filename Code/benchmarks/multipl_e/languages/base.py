"""The languages of MultiPL-E: how their prompts end, where a completion stops, and what a definition looks like.

Stop tokens are those that MultiPL-E gives for each (arXiv 2208.08227); a row's own take their place.
"""

from dataclasses import dataclass

from benchmarks.contract import INSIDE, OUTSIDE

# a line with a type before the name; a method may stand indented
_TYPED = r"(?!return\b|else\b|new\b|throw\b)\w[^\n(;={{}}]*[ \t>*&\]]{name}[ \t]*\("
_METHOD = r"[ \t]*" + _TYPED
_EXPORTED = r"(?:export[ \t]+)?(?:default[ \t]+)?"


@dataclass(frozen=True, slots=True)
class Language:
    """One language. `defines`: a line that defines the function {name}, as a regular expression."""

    name: str  # as in multipl-e-NAME, and as the data set names it
    title: str
    fences: tuple[str, ...]  # how models tag a block of it, the first is what they are asked for
    stop: tuple[str, ...]
    defines: str
    wrong: str  # a completion that ends the program early and quietly, which must fail
    closes: str = ""  # what the tests begin with, to close what the prompt opened: a completion ends before it
    judged: str = INSIDE


def _all(*languages: Language) -> dict[str, Language]:
    return {language.name: language for language in languages}


LANGUAGES = _all(
    Language(
        "py",
        "Python",
        ("python", "py"),
        ("\ndef", "\n#", "\nif", "\nclass"),
        r"(?:async )?def {name}\b",
        "    return None\n",
        judged=OUTSIDE,
    ),
    Language(
        "js",
        "JavaScript",
        ("javascript", "js", "node"),
        ("\nfunction ", "\n/*", "\n//", "\nconsole.log"),
        _EXPORTED + r"(?:(?:async )?function[ \t]*\*?[ \t]*{name}\b|(?:const|let|var)[ \t]+{name}\b[^=\n]*=)",
        "    process.exit(0);\n}\n",
        judged=OUTSIDE,
    ),
    Language(
        "ts",
        "TypeScript",
        ("typescript", "ts"),
        ("\nfunction ", "\n/*", "\n//", "\nclass"),
        _EXPORTED + r"(?:(?:async )?function[ \t]*\*?[ \t]*{name}\b|(?:const|let|var)[ \t]+{name}\b[^=\n]*=)",
        "    process.exit(0);\n}\n",
        judged=OUTSIDE,
    ),
    Language(
        "sh",
        "Bash",
        ("bash", "sh", "shell"),
        ("\n}",),
        r"(?:function[ \t]+)?{name}[ \t]*(?:\([ \t]*\))?[ \t]*\n?[ \t]*[{{(]",
        "    echo wrong\n    exit 0\n",
        closes="}",
        judged=OUTSIDE,
    ),
    Language("cpp", "C++", ("cpp", "c++", "cc"), ("\n}",), _TYPED, "    std::exit(0);\n", closes="}"),
    Language(
        "java", "Java", ("java",), ("\n    }\n",), _METHOD, "        while (true) System.exit(0);\n", closes="    }\n"
    ),
    Language(
        "cs",
        "C#",
        ("csharp", "cs", "c#"),
        ("\n    }\n",),
        _METHOD,
        "        while (true) Environment.Exit(0);\n",
        closes="    }\n",
    ),
    Language(
        "go", "Go", ("go", "golang"), ("\nfunc", "struct", "\n// "), r"func[ \t]+{name}\b", '    panic("wrong")\n}\n'
    ),
    Language(
        "rs",
        "Rust",
        ("rust", "rs"),
        ("\n}",),
        r"[ \t]*(?:pub(?:\([^)\n]*\))?[ \t]+)?(?:(?:const|unsafe)[ \t]+)*fn[ \t]+{name}\b",
        "    std::process::exit(0)\n",
        closes="}",
    ),
    Language(
        "php", "PHP", ("php",), ("\nfunction", "\n?>", "\n//", "\n#"), r"function[ \t]+&?{name}\b", "    exit(0);\n}\n"
    ),
    Language(
        "rb", "Ruby", ("ruby", "rb"), ("\nclass", "\ndef", "\n#", "\n\n"), r"def[ \t]+{name}\b", "  exit!(0)\nend\n"
    ),
    Language("pl", "Perl", ("perl", "pl"), ("\nsub", "\n#", "\n\n"), r"sub[ \t]+{name}\b", "    exit 0;\n}\n"),
    Language(
        "lua",
        "Lua",
        ("lua",),
        ("\nlocal", "\nfunction", "\n--", "\n\n"),
        r"(?:local[ \t]+)?(?:function[ \t]+{name}\b|{name}[ \t]*=[ \t]*function)",
        "    os.exit(0)\nend\n",
    ),
    Language(
        "r",
        "R",
        ("r",),
        ("\n#", "\n```"),
        r"{name}[ \t]*(?:<-|=)[ \t]*(?:function\b|\\\()",
        "    quit(status = 0)\n}\n",
    ),
    Language(
        "d",
        "D",
        ("d",),
        ("\n\n", "\nvoid", "\nbool", "\nint"),
        r"\w[^\n;={{}}]*[ \t\]\)]{name}[ \t]*\(",
        "{\n    import core.stdc.stdlib;\n    exit(0);\n    assert(0);\n}\n",
    ),
    Language(
        "jl",
        "Julia",
        ("julia", "jl"),
        ("\nfunction", "\nmacro", "\n\n"),
        r"function[ \t]+{name}\b|{name}\(.*\)[^=\n]*=",
        "    exit(0)\nend\n",
    ),
    Language(
        "rkt",
        "Racket",
        ("racket", "rkt", "scheme"),
        ("\n(define ", "\n#|", "\n;", "\n("),
        r"\(define[ \t]+\({name}\b",
        "  (exit 0))\n",
    ),
    Language(
        "scala",
        "Scala",
        ("scala",),
        ("\n    }\n",),
        r"[ \t]*def[ \t]+{name}\b",
        "        sys.exit(0)\n",
        closes="    }\n",
    ),
    Language("swift", "Swift", ("swift",), ("\n}",), r"func[ \t]+{name}\b", '    fatalError("wrong")\n', closes="}"),
)
# what the rows call a language where it is not the name
ALIASES = {
    "go_test.go": "go",
    "python": "py",
    "javascript": "js",
    "typescript": "ts",
    "bash": "sh",
    "csharp": "cs",
    "rust": "rs",
    "ruby": "rb",
    "perl": "pl",
    "racket": "rkt",
    "julia": "jl",
}
