"""Run by the Python of an environment with the evalplus package: its verdicts, and what it makes of inputs.

Standard input has JSON: the name of the data set, humaneval or mbpp, the least seconds of a call, and a list of
[task_id, program]. The data are those
that HUMANEVAL_OVERRIDE_PATH and MBPP_OVERRIDE_PATH name. The last line of standard output is JSON: [status on base, status
on plus] of each program, and by task a text of its inputs. It does not isolate: only programs made here may come.
"""

# mypy: ignore-errors

import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor

from evalplus.data import get_human_eval_plus, get_mbpp_plus
from evalplus.eval._special_oracle import MBPP_OUTPUT_NOT_NONE_TASKS
from evalplus.evaluate import check_correctness, get_groundtruth


def main() -> None:
    data_set, seconds, samples = json.load(sys.stdin)
    problems = get_mbpp_plus() if data_set == "mbpp" else get_human_eval_plus()
    wanted = {task_id: problems[task_id] for task_id, _ in samples}
    expected = get_groundtruth(wanted, str(os.getpid()), MBPP_OUTPUT_NOT_NONE_TASKS if data_set == "mbpp" else [])
    with ProcessPoolExecutor(2) as pool:
        given = {"fast_check": True, "min_time_limit": seconds}
        futures = [
            pool.submit(check_correctness, data_set, 0, wanted[task_id], program, expected[task_id], **given)
            for task_id, program in samples
        ]
        found = [[future.result()[part][0] for part in ("base", "plus")] for future in futures]
    inputs = {
        task_id: repr([list(map(list, one[key])) for key in ("base_input", "plus_input")])
        for task_id, one in wanted.items()
    }
    print(json.dumps([found, inputs]))


main()
