"""What train.py says before it trains: the table of a dry run, and truncated records."""

from pathlib import Path

from support import Command

SCRIPT = "training/train.py"


def test_a_dry_run_shows_the_runs_and_writes_nothing(
    tmp_path: Path, partition: Path, tiny_llama: Path, arguments: list[object], script_main: Command
) -> None:
    done = script_main(SCRIPT, *arguments, "--dry_run", "--seed", 1, 2)
    assert done.returncode == 0, done.stderr
    table = {line.split()[0]: line.split() for line in done.stdout.splitlines() if line.startswith("EVOL_")}
    assert list(table) == [f"EVOL_{name}_seed{seed}" for seed in (1, 2) for name in ("LOW", "MIDDLE", "HIGH")]
    # records, truncated, steps = 3 x ceil(records / 4), epochs, state
    assert [table["EVOL_HIGH_seed1"][n] for n in (1, 3, 4, 5, 7)] == ["17", "0", "15", "3.00", "new"]
    assert int(table["EVOL_HIGH_seed1"][2].replace(",", "")) > 17 * 20
    assert not (tmp_path / "runs").exists()
    missing = script_main(
        SCRIPT,
        "--partitions",
        partition,
        "--student",
        "qwen2.5-coder-7b",
        "--output_dir",
        tmp_path / "runs",
        "--dry_run",
        "--environment",
        tmp_path / "none",
    )
    assert missing.returncode == 0, missing.stderr
    assert "GPU hours unknown" in missing.stdout
    assert "no tokens are counted" in missing.stderr


def test_truncation_is_reported_and_trained(arguments: list[object], script_main: Command) -> None:
    done = script_main(SCRIPT, *arguments, "--cutoff_len", 40, "--subsets", "*_LOW")
    assert done.returncode == 0, done.stderr
    assert "EVOL_LOW: 9 of 9 records are longer than --cutoff_len 40; " in done.stderr
