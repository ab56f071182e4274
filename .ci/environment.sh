# Sourced by tests/run.sh, sample_data/demo.sh and .ci/run: makes .venv with this package in it, and
# brings the packages of the system that Python's venv, Qt and OpenGL need, and a compiler if one is.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$root/.venv
torch=${TORCH:-2.13.0}
# The Qt binding that is installed and used.
export QT_API=${QT_API:-pyqt6}
case $QT_API in
    pyqt5 | pyqt6) export PYTEST_QT_API=$QT_API ;;
    *) echo "QT_API=$QT_API: choose pyqt6 or pyqt5" >&2 && exit 1 ;;
esac
# Else each of the many processes that tests start would compile the package again.
unset PYTHONDONTWRITEBYTECODE

# Qt's xcb plugin, OpenGL by Mesa, a virtual display, and one font.
debian_packages=(
    xvfb libgl1 libgl1-mesa-dri libegl1 libglx-mesa0 libopengl0 libdbus-1-3 libfontconfig1
    libglib2.0-0 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1
    libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 libxcb-xkb1 fonts-dejavu-core
)

# prepare_environment EXTRAS [GROUP]: .venv holds the package, editable, with Qt, the extras named
# and a dependency group.
prepare_environment() {
    install_system_packages "${debian_packages[@]}" $(venv_package) $(compiler_packages "$1")
    install_system_packages $(compiler_packages "$1") # of a Python that was only now installed
    make_venv
    local wanted extras=$QT_API,$1 group=${2:-}
    wanted=$(cat "$root/pyproject.toml" "$root/setup.py" - <<<"$root $extras $group $torch" | cksum)
    if ! grep -qxF "$wanted" "$venv/installed" 2>/dev/null; then
        echo "Installing into .venv (once; torch is large) ..." >&2
        "$venv/bin/python" -m pip install -qq --upgrade pip
        "$venv/bin/python" -m pip install -qq "torch==$torch"
        "$venv/bin/python" -m pip install -qq --editable "$root[$extras]"
        [ -z "$group" ] ||
            "$venv/bin/python" -m pip install -qq --group "$root/pyproject.toml:$group"
        echo "$wanted" >>"$venv/installed"
    fi
    export PATH="$venv/bin:$PATH"
}

# make_venv: also completes one without pip, which Python leaves where ensurepip is missing.
make_venv() {
    local python
    python=$(find_python)
    [ -x "$venv/bin/pip" ] || "$python" -m venv "$venv"
}

find_python() {
    local name
    for name in "${PYTHON:-}" python3.12 python3.11 python3.13 python3.14 python3; do
        if [ -n "$name" ] && command -v "$name" >/dev/null &&
            "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    echo "Python 3.11 or later is needed; set PYTHON to its path" >&2
    return 1
}

# install_system_packages PACKAGE...: those that are missing, on Debian and Ubuntu.
install_system_packages() {
    command -v dpkg-query >/dev/null || return 0
    local package missing=() run=()
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        if ! sudo -n true 2>/dev/null; then
            echo "Packages of the system are missing. Run this, then start again:" >&2
            echo "  sudo apt-get install ${missing[*]}" >&2
            return 1
        fi
        run=(sudo -n)
    fi
    echo "Installing ${missing[*]} ..." >&2
    "${run[@]}" apt-get update -qq
    "${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null
}

# is_installed PACKAGE: under its name, or that of the releases with 64 bits for times.
is_installed() {
    local status
    status=$(dpkg-query -W -f '${Status}\n' "$1" "$1t64" 2>/dev/null || true)
    grep -q '^install ok installed' <<<"$status"
}

# venv_package: the part of Python that Debian packs apart, if it is missing.
venv_package() {
    local python
    python=$(find_python 2>/dev/null) || { echo python3-venv && return; }
    "$python" -c 'import ensurepip' 2>/dev/null ||
        "$python" -c 'import sys; print("python{}.{}-venv".format(*sys.version_info))'
}

# compiler_packages EXTRAS: what builds pyjpegls, which highdicom of the extra `raw` needs; it has no
# wheels for Python 3.14.
compiler_packages() {
    case ",$1," in *,raw,* | *,test,* | *,dev,*) ;; *) return 0 ;; esac
    local python
    python=$(find_python 2>/dev/null) || return 0
    "$python" - <<'PYTHON'
import sys, sysconfig
from pathlib import Path

if sys.version_info >= (3, 14):
    print("g++")
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        print("python{}.{}-dev".format(*sys.version_info))
PYTHON
}

# with_display COMMAND...: on the user's display if there is one, else on a virtual one.
with_display() {
    if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] && [ -z "${CI:-}" ]; then
        "$@"
    else
        xvfb-run --auto-servernum --server-args "-screen 0 1280x800x24 +extension GLX" "$@"
    fi
}
