# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by the scripts beside it: the project's root, and how a preset is configured and built.

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)

die() {
    printf '%s: %s\n' "${program:-$(basename -- "$0")}" "$*" >&2
    exit 1
}

jobs_wanted() { nproc 2>/dev/null || getconf _NPROCESSORS_ONLN; }

# configure PRESET [cmake arguments …]: warnings and errors alone. With EVERWIRE_BUILT_ONCE in the environment for a build
# that is quick the first time, without it for one that is quick the next time.
configure() {
    local preset=$1 how=()
    shift
    if [[ -n ${EVERWIRE_BUILT_ONCE:-} ]]; then
        how=(-DEVERWIRE_PRECOMPILE_HEADERS=ON)
    elif command -v ccache >/dev/null 2>&1; then
        how=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
    fi
    (cd -- "$root" && cmake --preset "$preset" --log-level=WARNING "${how[@]}" "$@" >/dev/null)
}

# build PRESET [targets …]: quiet but for warnings and errors, unless a person watches.
build() {
    local tree=$root/build/$1 arguments=()
    shift
    if (($#)); then arguments=(--target "$@"); fi
    arguments=(--build "$tree" --parallel "$(jobs_wanted)" "${arguments[@]}")
    if [[ -t 1 ]]; then
        cmake "${arguments[@]}"
    else
        cmake "${arguments[@]}" -- --quiet | { grep -v '^ninja: no work to do' || true; }
    fi
}

# What is not ours in the tests and in scripts/bench stands on Node.js packages, pinned by the lock file.
install_peers() {
    local peers=$root/tests/peers
    local stamp=$peers/node_modules/.package-lock.json
    [[ -f $peers/package-lock.json ]] || return 0
    [[ $stamp -nt $peers/package-lock.json ]] && return 0
    echo "installing the Node.js test peers"
    (cd -- "$peers" && npm ci --silent --no-audit --no-fund --no-progress) || return 1
    touch -- "$stamp"
}
