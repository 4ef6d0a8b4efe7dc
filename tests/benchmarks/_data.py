"""Where the benchmarks look for real data when ``FORETELL_BENCH_DATA`` names no folder."""

from pathlib import Path

ROOT = Path("../shared/data")
