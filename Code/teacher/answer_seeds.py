"""What does a teacher of your own answer to the instructions of the seeds?

Asks a chat model for --num_answers answers to each record: one that is loaded here (transformers, vLLM), or one on an
OpenAI-compatible server, whose key is read from OPENAI_API_KEY. Every answer is a request of its own, with a seed of its own.

    OPENAI_API_KEY=... python Code/teacher/answer_seeds.py --input_file Datas/seeds/EVOL.jsonl --endpoint https://HOST/v1 \\
        --teacher NAME --num_answers 4 --temperature 0.8 --dry_run
    python Code/teacher/answer_seeds.py --input_file Datas/sample/EVOL.jsonl --limit 4 --teacher /tmp/smollm2 \\
        --max_new_tokens 64 --output_dir /tmp/answers

Writes answers.jsonl, lines of {id, number, text, finish_reason, prompt_tokens, completion_tokens}, SOURCE_TEACHER.jsonl, records
that every script reads, rejects.jsonl with what was refused, and manifest.json last. Answers are kept as they come: run again
to resume. verify_answers.py says which of them parse, run and pass tests.
"""

import argparse
from pathlib import Path

from seedkit.cli import run
from seedkit.flags import add_failure_flag, add_input_flags, parser, positive

from teacher.settings import add_teacher_flags


def parse() -> argparse.Namespace:
    flags = parser(__doc__)
    group = add_input_flags(flags)
    add_failure_flag(group)
    add_teacher_flags(flags, required=True)
    how = flags.add_argument_group("answers")
    how.add_argument("--num_answers", type=positive, default=1, metavar="N", help="answers to each record (default: 1)")
    how.add_argument("--system_prompt", metavar="TEXT", help="default: none, where the chat template may have its own")
    how.add_argument(
        "--prompt_template",
        type=Path,
        metavar="FILE",
        help="text with {query}, or with {instruction} and {input}, in place of the record's (default: {query})",
    )
    how.add_argument(
        "--choose",
        choices=("first", "all"),
        default="first",
        help="which answers become records: the first, or all, the second as ID#2 and so on (default: first)",
    )
    how.add_argument(
        "--dry_run", action="store_true", help="only say how many requests, tokens and what cost to expect"
    )
    return flags.parse_args()


def main() -> None:
    args = parse()
    from teacher import answer_seeds_steps
    from teacher.settings import teacher_settings

    print(answer_seeds_steps.answer_seeds(args, teacher_settings(args)))


if __name__ == "__main__":
    run(main)
