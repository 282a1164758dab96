#!/bin/sh
# install.sh EPOCH INPUT -- runs inside the image while it is built; /opt/build holds:
#   requirements.lock  own.lock  pip.lock  wheels/  kernels.txt  *.py
# Everything is written below /opt: /tmp and the home folder are the building machine's.
set -eu
build=/opt/build
export SOURCE_DATE_EPOCH=$1 PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0 PYTHONNOUSERSITE=1
export TMPDIR=$build/tmp HOME=$build/home LC_ALL=C.UTF-8
mkdir -p "$TMPDIR" "$HOME"
python=$(command -v python3)

"$python" -m venv --without-pip /opt/calwebb
pip="/opt/calwebb/bin/python -I $(echo $build/wheels/pip-*.whl)/pip --isolated --disable-pip-version-check"
for lock in requirements own; do
    $pip install --quiet --no-cache-dir --no-compile --no-deps --no-index --require-hashes \
        --root-user-action ignore --find-links $build/wheels --requirement $build/$lock.lock
done
site=$(/opt/calwebb/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')

# What no program needs: tests, headers, type stubs, and the paths of the build in the records.
find "$site" -type d \( -name tests -o -name test \) ! -path '*/astropy/tests' \
    ! -path '*/numpy/_core/tests' ! -path '*/numpy/testing/*' -prune -exec rm -rf {} +
rm -f /opt/calwebb/bin/activate* /opt/calwebb/bin/Activate.ps1
find "$site" -depth \( -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.h' \
    -o -name '*.c' -o -name '*.hpp' -o -name '*.a' -o -name direct_url.json \) -delete

cp $build/calwebb_image.py $build/calwebb_image_cache.py "$site"
echo 'import calwebb_image' > "$site/calwebb_image.pth"

# Byte code that is never compared with its source, so that it holds no times.
find /opt/calwebb "$(dirname "$(readlink -f "$python")")/../lib" -name __pycache__ -prune -exec rm -rf {} +
stdlib=$(/opt/calwebb/bin/python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')
"$python" -m compileall -q --invalidation-mode unchecked-hash "$site" "$stdlib" > "$build/compileall.log" \
    || grep -v SyntaxWarning "$build/compileall.log" || true

# The kernels of the stage, for any processor of the level that calwebb_image names.
if [ -e $build/kernels.txt ]; then
    mkdir -p /opt/calwebb/kernels
    NUMBA_CACHE_DIR=/opt/calwebb/kernels NUMBA_CACHE_LOCATOR_CLASSES=UserProvidedCacheLocator \
    NUMBA_CPU_NAME=x86-64-v3 NUMBA_CPU_FEATURES='' NUMBA_NUM_THREADS=1 \
        /opt/calwebb/bin/python $build/compile_kernels.py $build/kernels.txt
fi

cat > /opt/calwebb/environment << EOF
export PATH=/opt/calwebb/bin:\$PATH LC_ALL=C.UTF-8 PYTHONNOUSERSITE=1 CALWEBB_IMAGE=$2
EOF
# what products say about the environment that made them, as from a virtual environment
sha256sum < $build/requirements.lock | cut -c1-64 > /opt/calwebb/calwebb-lock.sha256
rm -rf $build
