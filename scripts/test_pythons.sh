#!/bin/sh
# Runs the unit tests on each supported Python that is here, but that of .venv: scripts/test_pythons.sh UV
set -eu
cd "$(dirname "$0")/.."

runs() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

ours=$(runs .venv/bin/python)
tested=
for version in 3.12 3.13 3.14; do
    [ "$version" != "$ours" ] || continue
    # On PATH, or a version manager's that is not the chosen one.
    for python in "python$version" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python; do
        [ "$(runs "$python")" = "$version" ] || continue
        echo "== Python $version"
        export UV_PROJECT_ENVIRONMENT=".venv-$version"
        "$1" sync --quiet --locked --extra testing --extra otel --python "$python"
        ".venv-$version/bin/pytest" tests/unit
        tested="$tested $version"
        break
    done
done
[ -n "$tested" ] || echo "Tested on Python $ours alone: no other from 3.12 to 3.14 is here."
