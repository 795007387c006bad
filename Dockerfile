# An image with the platform and its commands. compose.yaml runs it together with the other services.
# See "Containers" in docs/deployment.md. UID is the user who owns the folders of the data set.
ARG PYTHON=3.13

FROM python:${PYTHON}-slim-bookworm AS build
ARG EXTRAS=postgres,objects
WORKDIR /source
COPY . .
RUN python -m venv /opt/df2-assets \
    && lock=$(python -c 'import sys; print("constraints/py%d%d.txt" % sys.version_info[:2])') \
    && /opt/df2-assets/bin/python -m pip install --no-cache-dir -c "$lock" ".[$EXTRAS]"

FROM python:${PYTHON}-slim-bookworm
ARG UID=1000
RUN useradd --uid "$UID" --create-home df2 \
    && install --directory --owner=df2 /data /var/lib/dagster
COPY --from=build /opt/df2-assets /opt/df2-assets
ENV PATH=/opt/df2-assets/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DAGSTER_HOME=/var/lib/dagster \
    DF2_ROOT=/data/DeepFashion2_original \
    SKU_ROOT=/data/DeepFashion2_SKU
USER $UID
WORKDIR /data
CMD ["df2-assets", "--help"]
