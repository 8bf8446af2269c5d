# What scripts/try and scripts/test share; to be read with ".", from the root of the repository.

say() {
    printf '%s\n' "$*" >&2
}

# Run a command as root: directly, or through sudo; fails where neither is possible.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1 && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
        sudo "$@"
    else
        return 1
    fi
}

# Install Debian packages without a question; fails where that is not possible.
install_packages() {
    command -v apt-get >/dev/null 2>&1 || return 1
    as_root true 2>/dev/null || return 1
    say "Installing with apt-get: $*"
    as_root apt-get -qq update &&
        as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get -qq -y --no-install-recommends install "$@" >/dev/null
}

# Print the first Python that mptrace runs on.
find_python() {
    for python in python3 python3.13 python3.12 python3.11; do
        if "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null
        then
            command -v "$python"
            return
        fi
    done
    say "mptrace needs Python 3.11, 3.12 or 3.13, and none is in the PATH."
    return 1
}

# Make a virtual environment in directory $1, unless a working one is there.
make_environment() {
    if "$1/bin/python" -m pip --version >/dev/null 2>&1; then
        return
    fi
    python=$(find_python) || return 1
    # Debian's python3 comes without ensurepip, which is in python3-venv.
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null && ! install_packages python3-venv; then
        say "$python can't make virtual environments: install python3-venv, then run this again."
        return 1
    fi
    say "Making $1 with $("$python" --version)"
    "$python" -m venv --clear "$1"
}

# Run pip of the environment in directory $1 on the exact versions of constraints.txt.
pip_in() {
    environment=$1
    shift
    PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt \
        PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_NO_INPUT=1 \
        "$environment/bin/python" -m pip "$@"
}
