#!/usr/bin/env bash
# Runs every test of a build: tests/run.sh BUILD_DIR
#
# Three runners, each of which prints its own closing line: ctest (C++ and
# scripts), lit (IR and command line), pytest (Python, whole models). All three
# run even when one fails; the exit code is 0 only when all passed.
set -uo pipefail

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build_dir=$(cd "${1:?usage: tests/run.sh BUILD_DIR}" && pwd)
python=$(sed -n 's/^Python_EXECUTABLE:[A-Z]*=//p' "$build_dir/CMakeCache.txt")
python=${python:-$source_dir/.venv/bin/python}
jobs=${HEXIN_TEST_JOBS:-$(nproc)}
has_compiler=$(sed -n 's/^HEXIN_BUILD_COMPILER:BOOL=//p' "$build_dir/CMakeCache.txt")
failed=()

stage() { # stage NAME COMMAND ...
  local name=$1 start=$SECONDS
  shift
  echo "== $name"
  "$@" || failed+=("$name")
  echo "== $name: $((SECONDS - start)) s"
}

# Tests keep their caches to themselves.
export HEXIN_BUILD_DIR=$build_dir
export HEXIN_CACHE_DIR=$build_dir/tests/cache
export TMPDIR=$build_dir/tests/tmp
mkdir -p "$TMPDIR"

stage ctest ctest --test-dir "$build_dir" --output-on-failure --no-tests=error \
  --timeout 300 -j "$jobs"
if [ "$has_compiler" = ON ]; then
  stage lit "$python" -c 'from lit.main import main; main()' -s -v -j "$jobs" "$build_dir/tests"
  stage pytest "$python" -m pytest -q -p no:cacheprovider -n "$jobs" --dist loadfile \
    "$source_dir/tests"
  # Operators once more, with another order of a GPU's streams, blocks and warps.
  if [ -e "$build_dir/lib/cuda_driver/libcuda.so.1" ]; then
    export HEXIN_STANDIN_SEED=7 HEXIN_TEST_DEVICES=cuda:0
    stage "pytest, cuda:0, seed 7" "$python" -m pytest -q -p no:cacheprovider -n "$jobs" \
      --dist loadfile "$source_dir/tests/e2e" -k cuda:0
  fi
fi

if [ ${#failed[@]} -gt 0 ]; then
  echo "tests: failed: ${failed[*]}"
  exit 1
fi
echo "tests: all runners passed"
