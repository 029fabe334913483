"""Languages whose candidate stands in a file of its own, which the tests bring in; their last act is to print a nonce."""

import re
from functools import partial

from sandbox.judging.native_judge import Native

from benchmarks.multipl_e.braces import unclosed
from benchmarks.multipl_e.case import Case, Reading
from benchmarks.multipl_e.languages.base import NONCE_FILE, TO_THE_JVM, Language, judge_programs
from benchmarks.multipl_e.languages.toolchain import Toolchain


def _php(case: Case, completion: str, nonce: str, token: str) -> list[Native]:
    solution = case.program(case.readings(completion)[0])
    start = "" if solution.lstrip().startswith("<?") else "<?php\n"
    tests = f"<?php\nrequire 'solution.php';\n{case.tests}\necho \"\\n{nonce}\\n\";\n"
    return [Native({"solution.php": f"{start}{solution}\n", "tests.php": tests}, ("php", "tests.php"), nonce)]


def _ruby(case: Case, completion: str, nonce: str, token: str) -> list[Native]:
    """The tests with an assert_equal of their own, which like that of the gem test-unit asks for `expected == actual`.

    The candidate's own tests are not run: what it requires for them is empty.
    """
    solution = case.program(case.readings(completion)[0])
    tests = case.tests.replace("require 'test/unit'", "", 1)
    names = re.findall(r"^class (\w+) < Test::Unit::TestCase\n\s*def (\w+)", tests, re.MULTILINE)
    runs = "\n".join(f"{kind}.new.{method}" for kind, method in names) if names else "raise 'no tests'"
    unit = (
        "module Test\n  module Unit\n    class TestCase\n      def assert_equal(expected, actual)\n"
        "        raise 'Test failed' unless expected == actual\n      end\n    end\n  end\nend\n"
    )
    mini = "module Minitest\n  class Test\n  end\nend\n"
    text = f'require_relative "solution"\n{unit}{tests}\n{runs}\nSTDOUT.puts "\\n{nonce}"\nSTDOUT.flush\n'
    files = {"solution.rb": f"{solution}\n", "tests.rb": text, "test/unit.rb": unit, "minitest/autorun.rb": mini}
    return [Native(files, ("ruby", "-I", ".", "tests.rb"), nonce)]


def _scala(case: Case, completion: str, nonce: str, token: str) -> list[Native]:
    """The tests as an object of their own, which takes the names of the candidate's object."""
    return [_scala_program(case, reading, nonce, token) for reading in case.readings(completion)]


def _scala_program(case: Case, reading: Reading, nonce: str, token: str) -> Native:
    solution, owner = f"{case.program(reading)}\n    }}\n}}\n", "Problem"
    if reading.whole:
        text = re.sub(r"^package [\w.]+;?$", "", reading.text, flags=re.MULTILINE)
        objects = re.findall(r"^object[ \t]+(\w+)", text[: text.find(f"def {case.name}")], re.MULTILINE)
        # it may end before a stop token, and so lack closing braces
        text = text.rstrip() + "\n" + "}\n" * min(unclosed(text), 1 + len(objects))
        owner = objects[-1] if objects else owner
        solution = text if objects else f"{case.head}{text}}}\n"
    imports = "\n".join(re.findall(r"^import .*$", case.head, re.MULTILINE))
    statements = case.tests[case.tests.index("{", case.tests.index("def main(")) + 1 :].rstrip().removesuffix("}")
    tests = (
        f"{imports}\nobject Tests_{token} {{\n    import {owner}._\n    def main(args: Array[String]): Unit = {{"
        f'\n    val nonce_{token} = scala.io.Source.fromFile("{NONCE_FILE}").mkString\n'
        f'    new java.io.File("{NONCE_FILE}").delete()'
        f'{statements.rstrip().removesuffix("}")}    println("\\n" + nonce_{token})\n    }}\n}}\n'
    )
    return Native(
        files={"solution.scala": solution, "tests.scala": tests},
        build=(("scalac", *TO_THE_JVM, "-nowarn", "solution.scala", "tests.scala"),),
        nonce_file=NONCE_FILE,
        run=("scala", *TO_THE_JVM, "-cp", ".", f"Tests_{token}"),
        nonce=nonce,
        removed=("solution.scala", "tests.scala"),
    )


PHP = Language(
    name="php",
    title="PHP",
    fences=("php",),
    stop=("\nfunction", "\n?>", "\n//", "\n#"),
    defines=r"function[ \t]+&?{name}\b",
    wrong="    exit(0);\n}\n",
    control="next_number.php",
    toolchain=Toolchain(("php-cli",), ("php",)),
    judge=partial(judge_programs, _php),
)
RUBY = Language(
    name="rb",
    title="Ruby",
    fences=("ruby", "rb"),
    stop=("\nclass", "\ndef", "\n#", "\n\n"),
    defines=r"def[ \t]+{name}\b",
    wrong="  exit!(0)\nend\n",
    control="next_number.rb",
    toolchain=Toolchain(("ruby",), ("ruby",)),
    judge=partial(judge_programs, _ruby),
    aliases=("ruby",),
)
SCALA = Language(
    name="scala",
    title="Scala",
    fences=("scala",),
    stop=("\n    }\n",),
    defines=r"[ \t]*def[ \t]+{name}\b",
    wrong="        sys.exit(0)\n",
    closes="    }\n",
    control="next_number.scala",
    toolchain=Toolchain(("scala",), ("scalac", "scala"), version_flags=("-version",)),
    judge=partial(judge_programs, _scala),
)
