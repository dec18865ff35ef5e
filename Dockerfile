# The service and the page: docker build -t handwright . && docker run -p 127.0.0.1:8732:8732 -e HANDWRIGHT_API_KEYS=… handwright
# With diffusion models on a GPU: --build-arg EXTRAS=diffusion,serve,web, and docker run --gpus all. docs/how-to/containers.md
FROM python:3.12-slim
ARG EXTRAS=serve,web
RUN apt-get update && apt-get install -y --no-install-recommends libegl1 libgl1 libgles2 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/* && useradd --create-home --uid 10001 handwright
COPY pyproject.toml constraints.txt README.md LICENSE NOTICE /build/
COPY docs/handwright.1 /build/docs/
COPY src /build/src
RUN pip install --no-cache-dir -c /build/constraints.txt "/build[${EXTRAS}]" && rm -rf /build
USER handwright
WORKDIR /home/handwright
# Models and compiled kernels are baked in; a volume over this folder begins as a copy of it, and may hold others.
ENV HANDWRIGHT_CACHE=/home/handwright/cache NUMBA_CACHE_DIR=/home/handwright/cache/kernels
RUN handwright setup
EXPOSE 8732 8733
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8732/healthz', timeout=4)"]
ENTRYPOINT ["handwright"]
CMD ["serve", "--host", "0.0.0.0"]
