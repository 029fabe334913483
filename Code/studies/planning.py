"""From settings to the commands of a study, in the order in which they run."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from seedkit.sources import DATAS, default_seed

from studies import estimates
from studies.settings import Flags, Settings

CODE = Path(__file__).resolve().parents[1]
TRIAL_STEPS = 4  # of training, with --limit
GENERAL, MATH = "ALPACA", "MATH"


@dataclass(frozen=True, slots=True)
class StudyStage:
    """One script to run. It is finished when `output` is there and the log says that the command ended well."""

    name: str
    command: tuple[str, ...]
    output: Path
    seconds: float | None = None  # estimated
    accepted: tuple[int, ...] = (0,)  # exit codes after which the study goes on


@dataclass(frozen=True, slots=True)
class StudyRecipe:
    """A study as it is to be run."""

    folder: Path
    stages: list[StudyStage] = field(default_factory=list)

    @property
    def report(self) -> Path:
        return self.folder / "report.html"


def plan(settings: Settings, args: argparse.Namespace) -> StudyRecipe:
    """Every stage with its command. Raises InputError for a missing seed."""
    return _Planner(settings, args).study()


class _Planner:
    def __init__(self, settings: Settings, args: argparse.Namespace) -> None:
        self.settings, self.args = settings, args
        self.folder: Path = (args.output_dir or DATAS / "studies" / settings.name).resolve()
        self.stages: list[StudyStage] = []
        self.partitions: list[Path] = []

    def study(self) -> StudyRecipe:
        seeds = self._seeds()
        self._decontaminated(seeds)
        clean = [self.folder / "decontaminated" / source / f"{source}_clean.jsonl" for source in self.settings.sources]
        self._questions(clean, seeds)
        self._baselines(clean)
        self._add(
            "leakage",
            "seeds/decontaminate.py",
            ["--report", *self.partitions, "--output_dir", self.folder / "leakage", *self._benchmarks()],
            self.folder / "leakage",
        )
        student = self._student()
        self._examined(student)
        self._trained(student)
        self._evaluated(student)
        made = [*self.partitions, self.folder / "leakage", self.folder / "runs", self.folder / "evaluations"]
        self._add("verify", "-m seedkit.verify", [self.folder], self.folder)
        self._add(
            "report", "report/report.py", [*made, "--output", self.folder / "report.html"], self.folder / "report.html"
        )
        return StudyRecipe(self.folder, self.stages)

    def _add(
        self,
        name: str,
        script: str,
        flags: Sequence[object],
        output: Path,
        seconds: float | None = None,
        accepted: tuple[int, ...] = (0,),
    ) -> None:
        program = script.split() if script.startswith("-m") else [str(CODE / script)]
        self.stages.append(StudyStage(name, (sys.executable, *program, *map(str, flags)), output, seconds, accepted))

    def _given(self, script: str, *replaced: str) -> list[str]:
        """The flags that the settings give a script, without those that are `replaced`."""
        return as_flags({k: v for k, v in self.settings.flags.get(script, {}).items() if k not in replaced})

    def _seeds(self) -> dict[str, Path]:
        """The file of each source's cleaned records."""
        wanted = [*self.settings.sources, *([GENERAL, MATH] if "RQ4" in self.settings.questions else [])]
        if self.args.limit and not self.args.from_dir:
            return {source: default_seed(source) for source in wanted}
        flags: list[object] = ["--sources", *wanted, "--output_dir", self.folder / "seeds", *self._given("fetch_seeds")]
        if self.args.from_dir:
            flags += ["--from_dir", self.args.from_dir.resolve()]
        self._add("fetch and clean", "seeds/fetch_seeds.py", flags, self.folder / "seeds")
        return {source: self.folder / "seeds" / f"{source}.jsonl" for source in wanted}

    def _benchmarks(self) -> list[object]:
        """What decontaminate.py looks for; without --benchmarks its own default, HumanEval."""
        return ["--benchmarks", *(path.resolve() for path in self.args.benchmarks)] if self.args.benchmarks else []

    def _decontaminated(self, seeds: dict[str, Path]) -> None:
        out = self.folder / "decontaminated"
        for source in self.settings.sources:
            flags = ["--input_file", seeds[source], "--source_name", source, "--output_dir", out / source, "--remove"]
            limit = ["--limit", self.args.limit] if self.args.limit else []
            self._add(
                f"decontaminate {source}",
                "seeds/decontaminate.py",
                [*flags, *limit, *self._benchmarks(), *self._given("decontaminate")],
                out / source,
            )

    def _question(self, script: str, room: str, clean: Sequence[Path], more: Sequence[object] = ()) -> list[Path]:
        """A script of an RQ room over all sources; returns the folders that it writes."""
        name = Path(script).stem
        top = self.folder / room
        sources = self.settings.sources
        # of one source the output folder is its own
        folders = [top / source for source in sources]
        out = folders[0] if len(sources) == 1 else top
        flags = ["--input_file", *clean, "--source_name", *sources, "--output_dir", out, *more, *self._given(name)]
        self._add(name, script, flags, folders[-1])
        return folders

    def _questions(self, clean: Sequence[Path], seeds: dict[str, Path]) -> None:
        asked = self.settings.questions
        if "RQ1" in asked:
            self.partitions += self._question("RQ1_complexity/complexity_scorer.py", "RQ1", clean)
        if "RQ2" in asked:
            folders = self._question("RQ2_composition/task_classifier.py", "RQ2", clean)
            classified = [folder / "classified.jsonl" for folder in folders]
            self._question("RQ2_composition/composition_mixer.py", "RQ2", classified)
            self.partitions += folders
        if "RQ3" in asked:
            self.partitions += self._question("RQ3_density/diversity_scorer.py", "RQ3", clean)
        if "RQ4" in asked:
            domains = ["--general_file", seeds[GENERAL], "--math_file", seeds[MATH]]
            self.partitions += self._question("RQ4_breadth/domain_mixer.py", "RQ4", clean, domains)

    def _baselines(self, clean: Sequence[Path]) -> None:
        if "baseline_subsets" in self.settings.flags:
            self.partitions += self._question("baselines/baseline_subsets.py", "baselines", clean)

    def _student(self) -> str:
        name = self.settings.student
        if name != "smollm2":
            return str(Path(name).resolve()) if Path(name).is_dir() else name
        folder = self.folder / "smollm2-135m-instruct"
        self._add("student", "training/smollm2.py", ["--output_dir", folder], folder)
        return str(folder)

    def _examined(self, name: str) -> None:
        """What the trainer would do with each record. It says so with exit code 1 where an answer is cut; what cannot be trained
        on train.py refuses."""
        from training.presets import student

        flags = self.settings.flags.get("train", {})
        wanted = None if Path(name).is_absolute() else student(name, "full")
        template = flags.get("template") or (wanted and wanted.template)
        length = flags.get("cutoff_len") or (wanted and wanted.settings["cutoff_len"])
        self._add(
            "doctor",
            "training/llamafactory_doctor.py",
            [
                *(*self.partitions, "--tokenizer", wanted.model if wanted else name),
                *(["--template", template] if template else []),
                *(["--cutoff_len", length] if length else []),
                *("--json", self.folder / "diagnoses.jsonl"),
            ],
            self.folder / "diagnoses.jsonl",
            accepted=(0, 1),
        )

    def _seed_flags(self) -> list[object]:
        seeds = self.settings.training_seeds
        return ["--seed", *(seeds[:1] if self.args.limit else seeds)]

    def _trained(self, student: str) -> None:
        plan = self.folder / "study_plan.yaml"
        finetuning = self.settings.flags.get("train", {}).get("finetuning")
        what: list[object] = ["--partitions", *self.partitions, "--student", student, *self._seed_flags()]
        how: list[object] = ["--finetuning", finetuning] if finetuning else []
        self._add(
            "plan",
            "evaluation/study_plan.py",
            [*what, *how, "--benchmark", *self.settings.benchmarks, *self._given("study_plan"), "--output_file", plan],
            plan,
        )
        steps = TRIAL_STEPS if self.args.limit else self.settings.flags.get("train", {}).get("max_steps")
        replaced = ["max_steps", "epochs"] if self.args.limit else []
        trial = ["--max_steps", TRIAL_STEPS] if self.args.limit else []
        place = ["--output_dir", self.folder / "runs", "--plan", plan, "--environment", self.args.environment.resolve()]
        self._add(
            "train",
            "training/train.py",
            [*what, *place, *self._given("train", *replaced), *trial],
            self.folder / "runs",
            estimates.seconds(self.settings, "step", self._students() * steps) if steps else None,
        )

    def _evaluated(self, student: str) -> None:
        out = self.folder / "evaluations"
        files = [f"{name}={path.resolve()}" for name, path in self.args.benchmark_file]
        problems = estimates.problems(self.settings, self._most())
        self._add(
            "evaluate",
            "evaluation/evaluate_study.py",
            [
                *("--runs", self.folder / "runs", "--base", "--benchmark", *self.settings.benchmarks),
                *(["--benchmark_file", *files] if files else []),
                *("--plan", self.folder / "study_plan.yaml", "--leakage", self.folder / "leakage"),
                *("--output_dir", out),
                *(["--limit", most] if (most := self._most()) else []),
                *self._given("evaluate_study"),
            ],
            out,
            estimates.seconds(self.settings, "answer", (self._students() + 1) * problems),
        )

    def _most(self) -> int | None:
        """The problems of a benchmark that a trial takes at most; None for all."""
        return max(1, self.args.limit // 3) if self.args.limit else None

    def _students(self) -> int:
        seeds = 1 if self.args.limit else len(self.settings.training_seeds)
        return estimates.subsets(self.settings) * seeds


def as_flags(flags: Flags) -> list[str]:
    """{"scorer": "embedded", "equal_steps": true} as a command line: --scorer embedded --equal_steps."""
    found = []
    for name, value in flags.items():
        found.append(f"--{name}")
        if value is not True:
            found += [str(item) for item in (value if isinstance(value, list) else [value])]
    return found
