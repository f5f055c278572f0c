#!/usr/bin/env bash
# Lets libFuzzer look for inputs that break a promise, each target for TIME seconds. Stable Rust's own coverage
# instrumentation is enough; libFuzzer itself is compiled from C++.
set -euo pipefail
cd "$(dirname "$0")/../.."

time=${TIME:-600}
targets=${TARGETS:-contract text}
host=$(rustc -vV | sed -n 's/^host: //p')
out="${CARGO_TARGET_DIR:-target}/fuzz"

if ! command -v c++ >/dev/null; then
  echo "error: libFuzzer needs a C++ compiler" >&2
  exit 1
fi

export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares"
# A target of its own keeps these flags from build scripts.
cargo build --locked --package seed-fuzz --bins --target "$host" --target-dir "$out" --profile fuzz

for target in $targets; do
  found="$out/found/$target"
  mkdir -p "$found" "$out/corpus/$target"
  # What is new goes into the first directory; the committed corpus is only read.
  "$out/$host/fuzz/fuzz-$target" "$out/corpus/$target" "tests/fuzz/corpus/$target" \
    -artifact_prefix="$found/" -dict="tests/fuzz/words.dict" -max_total_time="$time" -timeout=5 -rss_limit_mb=2048 \
    -max_len=8192 -print_final_stats=1
done
