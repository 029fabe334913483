"""A methods section, written from the manifests: data, models, settings, versions and hardware."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from training import student_run

from report.blocks import Column, DataTable
from report.folders import FinishedOutput, FinishedRuns


def sentences(outputs: Sequence[FinishedOutput], runs: Sequence[FinishedRuns]) -> list[str]:
    """A paragraph for each stage and for the runs, in the order of the page; sources that were treated alike share one."""
    shared: dict[tuple[str, ...], list[str]] = {}
    for output in outputs:
        if write := WRITERS.get(output.stage):
            said = tuple(write(output.manifest, output.manifest.get("arguments", {})))
            shared.setdefault((output.stage, *said), []).extend(_data(output))
    return [" ".join([*said, *data]) for (_, *said), data in shared.items()] + [" ".join(_runs(one)) for one in runs]


def _data(output: FinishedOutput) -> list[str]:
    """What an output was made from, and how many records went into it."""
    facts, counts = output.manifest.get("input"), output.manifest.get("counts", {})
    if not facts:
        return []
    count = next((counts[name] for name in ("scored", "classified", "CODE", "records") if name in counts), None)
    many = "" if count is None else f"{count:,} records, "
    return [f"{output.source or 'The data'}: {many}{facts['file']} (sha256 {facts['sha256'][:16]})."]


def _complexity(manifest: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    models = manifest["models"]
    yield (
        f"The semantic difficulty of an instruction is the score of {_model(models['semantic'])}, its linguistic difficulty "
        f"the perplexity under {_model(models['linguistic'])}."
    )
    how = "their ranks" if arguments.get("normalize") == "rank" else "the values, from least to largest (min-max)"
    yield f"Complexity is the mean of both, normalised to 0 to 1 by {how} over the scored records."
    yield "Tertiles are of its ascending order: floor(n/3), floor(n/3) and the rest."


def _classification(manifest: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    prototypes = manifest["prototypes"]
    yield (
        f"Each instruction got the category with the highest cosine similarity between "
        f"its embedding by {_model(manifest['models']['tasks'])} and {prototypes['count']:,} prototypes ({prototypes['kind']})."
    )


def _composition(manifest: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"Algorithmic and practical tasks were mixed at {_ratios(manifest)} to {arguments['subset_size']:,} records each, in "
        f"{arguments['num_draws']} independent draws (seed {arguments['seed']})."
    )


def _ratios(manifest: Mapping[str, Any]) -> str:
    shares = {tuple(mix["counts"].values()) for mix in manifest["mixes"]["files"]}
    return f"{len(shares)} ratios"


def _density(manifest: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"The diversity of an instruction is 1 minus its mean cosine similarity to all others, "
        f"with embeddings by {_model(manifest['models']['encoder'])}; tertiles are of the ascending order."
    )


def _breadth(manifest: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    domains = "; ".join(
        f"{name}: {facts['file']}, sha256 {facts['sha256'][:16]}" for name, facts in manifest["domains"].items()
    )
    draws = arguments.get("num_draws", arguments.get("num_samples"))
    yield (
        f"A part of the code was replaced by records of other domains ({domains}), in {draws} independent draws (seed "
        f"{arguments['seed']}); records of those that hold code were left out first."
    )


def _leakage(manifest: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    names = ", ".join(facts["file"] for facts in manifest["benchmarks"])
    yield f"Benchmark problems were looked for with a threshold of {arguments['threshold']:g} in {names}."


def _evaluation(manifest: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    benchmarks = ", ".join(f"{name} ({facts['problems']:,} problems)" for name, facts in manifest["benchmarks"].items())
    yield f"Students were evaluated on {benchmarks}, each by pass@1 with 95% intervals."
    yield (
        "Every two subsets of a question were compared by Student's t over repeats and problems, both taken as a sample of those "
        "that could have been drawn, with Satterthwaite's degrees of freedom and Holm's correction."
    )


WRITERS = {
    "RQ1_complexity": _complexity,
    "RQ2_classification": _classification,
    "RQ2_composition": _composition,
    "RQ3_density": _density,
    "RQ4_breadth": _breadth,
    "decontamination": _leakage,
    "decontamination_report": _leakage,
    "evaluate_study": _evaluation,
}


# models that have a name of ours in manifests, as a paper would call them
NAMES = {
    ("scorer", "embedded"): "the embedded scorer, a ridge regression on all-MiniLM-L6-v2",
    ("scorer", "xcoder"): "the XCoder complexity scorer (arXiv 2409.03810)",
    ("model", "embedded"): "the embedded GPT-2 of 3.9 million parameters (gpt2_mini)",
    ("encoder", "minilm"): "all-MiniLM-L6-v2",
}


def _model(identity: Mapping[str, Any]) -> str:
    """A model as the manifest identifies it: its name and revision, where they are told."""
    told = [(key, str(identity[key])) for key in ("model", "scorer", "encoder") if identity.get(key)]
    name = next((NAMES[pair] for pair in told if pair in NAMES), told[0][1] if told else "a model")
    more = [f"{key} {identity[key]}" for key in ("revision", "dtype", "device") if identity.get(key)]
    return f"{name} ({', '.join(more)})" if more else name


def _runs(runs: FinishedRuns) -> Iterator[str]:
    documents = [student_run.result(student.folder) for student in runs.students]
    bases = sorted(
        {f"{run['plan']['student'].get('model')} ({run['plan']['student'].get('revision')})" for run in documents}
    )
    seeds = sorted({student.seed for student in runs.students})
    yield (
        f"{len(documents):,} students were trained with LLaMA-Factory from {', '.join(bases)}, with "
        f"{'the seed' if len(seeds) == 1 else 'the seeds'} {', '.join(map(str, seeds))}; the settings are in the part on training."
    )
    hardware = sorted({_hardware(run.get("hardware", {})) for run in documents})
    yield f"They were trained on {'; '.join(hardware)}."


def _hardware(facts: Mapping[str, Any]) -> str:
    gpus = facts.get("gpus") or []
    return (
        ", ".join(gpus)
        if gpus
        else f"{facts.get('cpus', 'some')} processors ({facts.get('machine', 'unknown')}), no GPU"
    )


def models(outputs: Sequence[FinishedOutput], runs: Sequence[FinishedRuns]) -> DataTable:
    """Every model that took part, with all that its manifest says of it."""
    lines: dict[tuple[str, str, str], None] = {}
    for output in outputs:
        for role, identity in output.manifest.get("models", {}).items():
            told = ", ".join(f"{key} {value}" for key, value in identity.items())
            lines[output.stage, role, told] = None
    for one in runs:
        for student in one.students:
            base = student_run.result(student.folder)["plan"]["student"]
            lines["training", "base model", ", ".join(f"{key} {value}" for key, value in base.items())] = None
    return DataTable(
        "models", "Models", (Column("stage"), Column("role"), Column("identity")), list(lines), copies=True
    )


def versions(outputs: Sequence[FinishedOutput], runs: Sequence[FinishedRuns]) -> DataTable:
    """Releases of Python and of the libraries, by stage."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    told = [(output.stage, output.manifest.get("versions", {})) for output in outputs]
    told += [("training", student_run.result(one.folder).get("versions", {})) for all_ in runs for one in all_.students]
    for stage, packages in told:
        for package, version in packages.items():
            found.setdefault((package, str(version)), {})[stage] = None
    lines = [(package, version, ", ".join(stages)) for (package, version), stages in sorted(found.items())]
    return DataTable(
        "versions", "Versions", (Column("package"), Column("version"), Column("stages")), lines, copies=True
    )
