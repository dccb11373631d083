#!/usr/bin/env bash
# Prepares everything that `make` targets need: system libraries, then the virtual environment.
# Returns at once when nothing has changed since the last run.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=.venv
python=${PYTHON:-python3}

say() { printf 'setup: %s\n' "$*"; }
fail() { printf '\nsetup: %s\n' "$*" >&2; exit 1; }

# ---------------------------------------------------------------- Python
command -v "$python" >/dev/null 2>&1 ||
    fail "no '$python' found. Install Python 3.11 or newer, or say where it is: make setup PYTHON=/path/to/python"
"$python" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' ||
    fail "$("$python" --version 2>&1) is too old; OSOG needs Python 3.11 or newer. Say which one to use: make setup PYTHON=python3.12"

# ---------------------------------------------------------------- system libraries (Debian, Ubuntu)
# Qt's xcb platform and software OpenGL; xvfb and xauth give a display where there is none.
# a|b: the package is called a on newer releases and b on older ones.
libraries=(
    xvfb xauth libegl1 libgl1 libgl1-mesa-dri libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4
    libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0
    libxcb-xkb1 libdbus-1-3 libfontconfig1 'libglib2.0-0t64|libglib2.0-0'
)
install_packages() {
    local missing=("$@") become=()
    if [ "$(id -u)" != 0 ]; then
        if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
            become=(sudo -n)
        else
            printf '\nsetup: these system packages are missing and only root may install them. Run\n\n' >&2
            printf '    sudo apt-get update && sudo apt-get install -y %s\n\n' "${missing[*]}" >&2
            printf 'and then the same make command again.\n' >&2
            exit 1
        fi
    fi
    say "installing system packages: ${missing[*]}"
    local quiet=(-qq -o Dpkg::Use-Pty=0)
    "${become[@]}" apt-get "${quiet[@]}" update ||
        say "apt-get update failed; trying with the package lists that are there"
    "${become[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get "${quiet[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null ||
        fail "apt-get could not install: ${missing[*]}"
}
if command -v dpkg-query >/dev/null 2>&1 && command -v apt-get >/dev/null 2>&1; then
    installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p')
    missing=()
    for entry in "${libraries[@]}"; do
        found=
        for name in ${entry//|/ }; do
            grep -qxF "$name" <<<"$installed" && found=1
        done
        if [ -z "$found" ]; then
            # Of two names, the one that this release knows.
            choice=${entry##*|}
            for name in ${entry//|/ }; do
                if apt-cache show "$name" >/dev/null 2>&1; then choice=$name; break; fi
            done
            missing+=("$choice")
        fi
    done
    if ! "$python" -c 'import venv, ensurepip' >/dev/null 2>&1; then
        missing+=("python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv")
    fi
    [ ${#missing[@]} = 0 ] || install_packages "${missing[@]}"
fi
"$python" -c 'import venv, ensurepip' >/dev/null 2>&1 ||
    fail "'$python' cannot make virtual environments (no venv or ensurepip module). Install it, for example: sudo apt-get install -y python3-venv"

# ---------------------------------------------------------------- virtual environment
# The stamp names what the environment was made from, and where: a moved environment is made anew.
stamp=$venv/.osog-setup
gpu=no
if [ "$(uname -s)" = Linux ] && command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L >/dev/null 2>&1; then
    gpu=yes
fi
wanted="$(cat pyproject.toml constraints.txt scripts/setup.sh | cksum) gpu=$gpu at=$PWD"
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && "$venv/bin/python" -c '' 2>/dev/null; then
    exit 0
fi
if [ -e "$venv" ] && ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    say "$venv does not work here (moved, or its Python is gone); making it anew"
    rm -rf "$venv"
fi
if [ ! -e "$venv" ]; then
    say "making $venv with $("$python" --version 2>&1)"
    "$python" -m venv "$venv"
fi
rm -f "$stamp"
pip=("$venv/bin/python" -m pip --disable-pip-version-check)
# Python compiles a module when it is first imported; to compile all of them here takes a minute.
install=("${pip[@]}" install -q --no-compile)
# The first pip that knows the dependency groups of pyproject.toml.
"${install[@]}" --upgrade 'pip>=25.1'

# torch first and pinned, so that the rest of the environment is solved around one known build.
torch=$(grep -m1 '^torch==' constraints.txt)
index=()
if [ -n "${TORCH_INDEX_URL:-}" ]; then index=(--extra-index-url "$TORCH_INDEX_URL"); fi
has_torch() { "$venv/bin/python" -c 'import sys, importlib.metadata as m; raise SystemExit(m.version("torch").split("+")[0] != sys.argv[1])' "${torch#torch==}" 2>/dev/null; }
if ! has_torch; then
    done=no
    if [ "$(uname -s)" = Linux ] && [ $gpu = no ]; then
        say "no NVIDIA GPU seen: installing the CPU build of $torch"
        if "${install[@]}" "${index[@]}" "$torch+cpu"; then
            done=yes
        else
            say "no CPU-only build of $torch in your package index: taking the default build, which is several GB larger on Linux. (make setup TORCH_INDEX_URL=... names PyTorch's CPU index.)"
        fi
    fi
    if [ $done = no ]; then
        say "installing $torch"
        "${install[@]}" "${index[@]}" "$torch" || fail "could not install $torch"
    fi
fi

say "installing OSOG and its dependencies"
"${install[@]}" -c constraints.txt -e '.[all]' --group test --group lint ||
    fail "pip could not install OSOG; its message is above"
printf '%s' "$wanted" >"$stamp"
say "ready: $venv/bin/osog, $venv/bin/napari-osog"
