#!/usr/bin/env bash
# Makes a Debian machine ready to build and test Hexin: Debian packages
# (debian-packages.txt) and a Python virtual environment with pinned wheels
# (requirements-*.txt). Works as root or with sudo; run again, it only checks,
# in well under a second.
#
#   HEXIN_VENV=DIR          where the environment lies (default: .venv)
#   HEXIN_PYTHON=PROGRAM    the Python to use (default: the first suitable one)
#   HEXIN_CUDA_TOOLS=0      do without ptxas and cuda.h, which the cuda backend's tests use (40 MB)
#   HEXIN_CUBLAS=1          also fetch cublasLt.h for the cuda backend's tests (0.4 GB; CI does)
#   HEXIN_INTEL_OPENCL=1    also install Intel's OpenCL runtime for CPUs (0.8 GB; CI does)
#   HEXIN_CONFORMANCE=1     also install the other engines of the table of conformance
#   HEXIN_ENGINES=1         also make an environment of the engines that `make bench` compares
#                           with (default: .venv-engines; HEXIN_ENGINES_VENV=DIR)
#   HEXIN_SKIP_APT=1        leave Debian packages alone (another distribution)
#
# Before it has installed anything it needs only bash, coreutils, sed and
# Debian's apt-get and dpkg-query.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
venv=${HEXIN_VENV:-$root/.venv}

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# Runs its arguments as root: directly, or with sudo.
asRoot() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo -- "$@"
  else fail "this needs root and there is no sudo; as root run: $*"
  fi
}

# Prints the packages of the list that are not installed.
missingPackages() {
  local wanted installed
  wanted=$(sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' "$here/debian-packages.txt" | sort)
  # dpkg-query fails for names it has never heard of; its answer for the rest counts.
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $wanted 2>/dev/null |
    sed -n 's/^installed //p' | sort -u || true)
  comm -23 <(echo "$wanted") <(echo "$installed")
}

installPackages() {
  if [ "${HEXIN_SKIP_APT:-0}" = 1 ]; then
    say "Debian packages left alone (HEXIN_SKIP_APT=1)"
    return
  fi
  command -v apt-get >/dev/null ||
    fail "no apt-get here. Install what cmake/debian-packages.txt lists by your system's" \
         "means, then run again with HEXIN_SKIP_APT=1"
  local missing
  missing=$(missingPackages | tr '\n' ' ')
  if [ -z "${missing// /}" ]; then
    say "Debian packages: all there"
    return
  fi
  say "installing Debian packages: $missing"
  # Waits for another apt that is running instead of failing at once.
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300)
  asRoot "${apt[@]}" update
  asRoot "${apt[@]}" install --no-install-recommends -y $missing ||
    fail "apt-get could not install the packages above. LLVM 22 comes from Debian 12's" \
         "security archive: is 'bookworm-security' among the sources of apt?"
}

# A Python for the environment: 3.11 or newer (the pinned wheels need it), with
# venv, and with the headers that the Python module is built against.
isSuitable() {
  command -v "$1" >/dev/null && "$1" - 2>/dev/null <<'PY'
import ensurepip, os, sys, sysconfig, venv
header = os.path.join(sysconfig.get_paths()["include"], "Python.h")
sys.exit(0 if sys.version_info >= (3, 11) and os.path.exists(header) else 1)
PY
}

findPython() {
  local candidate
  for candidate in ${HEXIN_PYTHON:-python3 /usr/bin/python3 python3.13 python3.12 python3.11}; do
    if isSuitable "$candidate"; then command -v "$candidate"; return; fi
  done
  fail "no suitable Python found (tried ${HEXIN_PYTHON:-python3, python3.11 to python3.13}):" \
       "it takes 3.11 or newer with the venv module and Python.h." \
       "Name one with HEXIN_PYTHON=PROGRAM"
}

makeEnvironment() { # makeEnvironment FOLDER LIST ...
  local venv=$1
  shift
  local lists=("$@")

  # The stamp says of every list that is in which form it was, and which script put it
  # there: a larger environment also serves who asks for a smaller one.
  local stamp="$venv/.hexin-setup" list wanted
  wanted=$(for list in "${lists[@]}"; do
    echo "$(basename "$list") $(cat "$list" "${BASH_SOURCE[0]}" | sha256sum | cut -d' ' -f1)"
  done | sort)
  if [ -f "$stamp" ] && [ -z "$(comm -23 <(echo "$wanted") <(sort "$stamp"))" ] &&
     "$venv/bin/python" -c '' 2>/dev/null; then
    say "Python environment $venv: up to date"
    return
  fi
  if ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
    local python
    python=$(findPython)
    say "making the Python environment $venv with $python"
    rm -rf "$venv"
    "$python" -m venv "$venv"
  fi
  # Of the CUDA wheels three files are used, which do not need the 0.1 GB that they ask for.
  local arguments=() alone=()
  for list in "${lists[@]}"; do
    case "$list" in
    */requirements-cuda.txt | */requirements-cublas.txt) alone+=(-r "$list") ;;
    *) arguments+=(-r "$list") ;;
    esac
  done
  say "installing wheels: $(sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "${lists[@]}" | tr '\n' ' ')"
  "$venv/bin/python" -m pip install --disable-pip-version-check --quiet "${arguments[@]}" ||
    fail "pip could not install the wheels above (its own message is just before this line)"
  if [ ${#alone[@]} -gt 0 ]; then
    "$venv/bin/python" -m pip install --disable-pip-version-check --quiet --no-deps "${alone[@]}" ||
      fail "pip could not install ptxas and CUDA's headers (its own message is just before this line)." \
           "HEXIN_CUDA_TOOLS=0 HEXIN_CUBLAS=0 does without; tests that need them are skipped then"
  fi
  { [ ! -f "$stamp" ] || grep -vFf <(cut -d' ' -f1 <<< "$wanted") "$stamp" || true
    echo "$wanted"
  } > "$stamp.new"
  mv "$stamp.new" "$stamp"
}

installPackages
lists=("$here/requirements-build.txt" "$here/requirements-test.txt")
[ "${HEXIN_INTEL_OPENCL:-0}" = 1 ] && lists+=("$here/requirements-intel-opencl.txt")
[ "${HEXIN_CUDA_TOOLS:-1}" = 1 ] && lists+=("$here/requirements-cuda.txt")
[ "${HEXIN_CUBLAS:-0}" = 1 ] && lists+=("$here/requirements-cublas.txt")
[ "${HEXIN_CONFORMANCE:-0}" = 1 ] && lists+=("$here/requirements-conformance.txt")
makeEnvironment "$venv" "${lists[@]}"
[ "${HEXIN_ENGINES:-0}" = 1 ] &&
  makeEnvironment "${HEXIN_ENGINES_VENV:-$root/.venv-engines}" "$here/requirements-engines.txt"
say "ready: LLVM $(llvm-config-22 --version 2>/dev/null || echo 'not installed')," \
    "$("$venv/bin/python" --version), oneDNN from $venv"
