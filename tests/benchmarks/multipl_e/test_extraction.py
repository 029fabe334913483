"""The completion in chat answers: the body of the function that was asked for."""

import pytest
from benchmarks.multipl_e.case import Case
from benchmarks.multipl_e.extraction import completion_in
from benchmarks.multipl_e.languages.registry import LANGUAGES
from multipl_e_support import own


def whole(language: str) -> str:
    problem, case = own(language), own(language).tests
    assert isinstance(case, Case)
    text = problem.prompt + problem.reference
    closing = {"java": "    }\n}\n", "cs": "    }\n}\n", "scala": "    }\n}\n"}.get(language, case.syntax.closes + "\n")
    return text + (closing if case.syntax.closes else "")


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "py"])
def test_the_function_in_a_block_becomes_a_completion(language: str) -> None:
    problem = own(language)
    tag = LANGUAGES[language].fences[0]
    code = whole(language)
    for raw in (
        f"Here it is:\n\n```{tag}\n{code}```\n\nIt adds one.\n```\nprint this\n```",
        f"<think>```{tag}\nno\n```</think>\n```{tag.upper()}\n{code}",
        code,
    ):
        assert completion_in(problem.tests, raw).strip() == problem.reference.strip(), raw


@pytest.mark.parametrize(
    ("language", "body"),
    [
        (
            "cpp",
            "    char c = '}'; /* } */ // }\n    if (n) { return n + std::string(\"}\").size(); }\n    return c;\n",
        ),
        ("rs", "    let s: &'static str = \"}\"; // it's }\n    n + s.len() as isize\n"),
        ("sh", "    local x='}' # }\n    echo \"${#x} }\" | { read -r a _; echo $((a + $1)); }\n"),
        ("java", '        String s = "}"; // }\n        return n + s.length();\n'),
    ],
)
def test_braces_that_close_nothing(language: str, body: str) -> None:
    case = own(language).tests
    closing = "    }\n}\n" if language == "java" else "}\n"
    assert completion_in(case, f"```{language}\n{case.prompt}{body}{closing}```") == body
