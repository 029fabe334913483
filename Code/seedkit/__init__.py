"""Shared mechanism of all research questions: no score, category, ratio or prompt lives here."""

import os
from pathlib import Path

# Without this MKL may add up in another order from run to run, by memory alignment and number of threads, and one
# score in some thousands differs in its last digit. Read by MKL at its first call, so it stands before torch is loaded.
_cpu = Path("/proc/cpuinfo")
_avx512 = _cpu.exists() and "avx512f" in _cpu.read_text(errors="replace")
os.environ.setdefault("MKL_CBWR", "AVX512,STRICT" if _avx512 else "AVX2,STRICT")
